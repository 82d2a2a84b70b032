// Machines for tests: the hosts of another lab, which have a real sshd. The tool works from the network of
// that lab's switch.

import CLinux
import Compositions
import Glibc
import Testing

@testable import Lab

/// Machines for a lab: the nodes of another.
struct MachineBed {
  /// The lab whose hosts are the machines.
  let outer: TestLab
  /// The lab on them.
  let inner: TestLab
  var settings: MachineSettings
  /// Where the test keeps its files.
  let files: String

  static let nodes = ["node1", "node2", "node3", "node4"]

  /// Runs the body with machines, within their network, and checks that they are as before.
  static func run(_ name: String, _ body: (inout MachineBed) throws -> Void) throws {
    try TestLab.run("of-\(name)", .plain(nodes: nodes.count)) { outer in
      var bed = try MachineBed(name, outer)
      try bed.inNetwork {
        let before = try nodes.map(bed.facts)
        do {
          try body(&bed)
        } catch {
          try? bed.inner.lab.stop()
          throw error
        }
        try bed.inner.lab.stop()
        try bed.expectFacts(before)
        #expect(bed.inner.remains == [])
      }
      try Files.removeTree(bed.files)
    }
  }

  init(_ name: String, _ outer: TestLab) throws {
    self.outer = outer
    let inner = try TestLab(name)
    files = inner.place + ".files"
    try Files.makeDirectories(files)
    let labs = try TestLab(
      lab: Lab(name: inner.lab.name, directory: "\(inner.place)/\(inner.lab.name)"),
      place: inner.place)
    self.inner = labs
    settings = MachineSettings(.file("\(files)/machines"))
    settings.configuration = "\(files)/ssh_config"
    let keys = outer.lab.paths.keys
    try Files.write("* " + Files.readText(keys + "/host.pub"), to: files + "/known")
    try Files.write(
      """
      Host *
        User root
        IdentityFile \(keys)/control
        IdentitiesOnly yes
        UserKnownHostsFile \(files)/known
        StrictHostKeyChecking yes

      """, to: files + "/ssh_config")
    try self.name(machines: Self.nodes)
  }

  /// Writes the file of machines: each on two lines, as for two processors, and a comment.
  func name(machines: [String]) throws {
    let lines = try machines.flatMap { [try address(of: $0), try address(of: $0)] }
    try Files.write(
      "# the nodes of a job\n" + lines.map { $0 + "\n" }.joined(), to: files + "/machines")
  }

  func address(of node: String) throws -> String {
    let state = try #require(try outer.lab.state())
    return state.address(of: try #require(state.host(node)))
  }

  func start(nodes: Int = 1, _ beginning: Lab.Beginning = .keeping) throws {
    var all = LabSettings(.plain(nodes: nodes), backend: .machines)
    all.machines = settings
    try inner.lab.start(
      all, beginning, program: try TestLab.program, timeout: TestLab.patience)
  }

  // MARK: - Where we are

  /// Moves this thread into the network of the machines while the body runs.
  func inNetwork(_ body: () throws -> Void) throws {
    let holder = try #require(try outer.lab.state()?.holder)
    let own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    let theirs = open("/proc/\(holder.pid)/ns/net", O_RDONLY | O_CLOEXEC)
    defer { for descriptor in [own, theirs] { close(descriptor) } }
    typealias Enter = @convention(c) (Int32, Int32) -> Int32
    let symbol = try #require(dlsym(nil, "setns"))
    let enter = unsafeBitCast(symbol, to: Enter.self)
    try #require(enter(theirs, 0) == 0)
    defer { #expect(enter(own, 0) == 0) }
    try body()
  }

  // MARK: - What must not change

  /// The files, mounts, processes and cgroups of a machine. Its own sshd takes note of logins, in wtmp and
  /// lastlog.
  func facts(_ node: String) throws -> Set<String> {
    let holder = try #require(try outer.lab.state()?.holder)
    let disk = "/proc/\(holder.pid)/root\(outer.lab.paths.disk(node))/upper:main"
    let written = try Child.output(limit: 16 << 20) { descriptors in
      try Launch(
        program: .path("/bin/sh"),
        arguments: [
          "sh", "-c", "cd \(disk) && find . ! -type d -printf '%p %s %T@\\n' | grep -v '/log/[wl]'",
        ],
        descriptors: descriptors
      ).start()
    }
    let seen = try outer.sh(
      node,
      """
      grep -v ' / overlay ' /proc/mounts | sed 's/^/mount /'
      find /run /tmp /sys/fs/cgroup -type d -printf 'directory %p\\n' 2>/dev/null
      ls -A /var/lib | sed 's/^/state /'
      cat /proc/sys/net/ipv4/ping_group_range /proc/sys/kernel/hostname
      cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" {print "listens", $2}'
      """)
    let all = written.text + seen + (try processes(node))
    return Set(all.split(separator: "\n").map { "\(node): \($0)" })
  }

  /// The words of each process of a machine, a line each.
  private func processes(_ node: String) throws -> String {
    let cgroups = try outer.lab.existing().cgroups
    let group = try #require(cgroups.hierarchies.first).directory + "/" + node
    // The machine's own sshd has a process for each of our connections, and says so in its words.
    let words = Cgroups.processes(in: group).map { pid in
      ((try? Files.readText("/proc/\(pid)/cmdline")) ?? "gone").replacing("\0", with: " ")
    }.filter { !$0.hasPrefix("sshd: ") && !$0.contains("/sshd -D -e -R") }
    return words.sorted().map { "\nprocess \($0)" }.joined()
  }

  /// Waits until machines are as they were; connections take a moment to end.
  func expectFacts(_ before: [Set<String>]) throws {
    let deadline = Deadline(seconds: 20)
    while true {
      let now = try Self.nodes.map(facts)
      if now == before { return }
      guard deadline.isOver else { continue }
      for (was, isNow) in zip(before, now) {
        #expect(isNow.subtracting(was) == [])
        #expect(was.subtracting(isNow) == [])
      }
      return
    }
  }
}
