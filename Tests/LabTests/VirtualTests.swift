// Hosts that are virtual machines of QEMU: real kernels with cgroup v2 alone and systemd, started as
// copies of a template. They are slow where they are emulated, so few labs are made and each is asked
// much.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("virtual machines")
  struct VirtualTests {
    /// The most seconds that a lab of machines may take, emulated beside much else.
    private static let patience = 400

    private static func run(
      _ name: String, _ composition: Composition, programs: String? = nil,
      _ body: (TestLab, LabSettings) throws -> Void
    ) throws {
      let before = Machine.now
      let test = try TestLab(name)
      let settings = LabSettings(composition, backend: .vm, programs: programs)
      do {
        try test.lab.start(
          settings, .anew, program: try TestLab.program, timeout: patience,
          progress: { print("\($0.milliseconds) ms \($0.host ?? "lab"): \($0.step)") })
        try body(test, settings)
      } catch {
        try? test.lab.stop()
        throw error
      }
      try test.lab.stop()
      #expect(test.remains == [])
      #expect(Machine.changes(since: before) == [])
    }

    @Test("a lab of virtual machines is a lab like any other, with kernels and systemd of its own")
    func machines() throws {
      let composition = try CompositionFile.shipped("plain").composition(nodes: 1)
      try Self.run("machines", composition) { (test, settings) throws in
        try Self.checkSystem(test)
        try Self.checkNetwork(test)
        try Self.checkCommands(test)
        try Self.checkFaults(test)
        try Self.checkReturn(test, settings)
        try Self.checkSnapshot(test)
      }
    }

    private static func checkSystem(_ test: TestLab) throws {
      let own = try Files.readText("/proc/sys/kernel/osrelease")
      #expect(try test.sh("node1", "uname -r") + "\n" != own)
      #expect(try test.sh("node1", "cat /proc/1/comm") == "systemd")
      #expect(try test.sh("node1", "systemctl is-system-running") == "running")
      #expect(try test.sh("node1", "stat -fc %T /sys/fs/cgroup") == "cgroup2fs")
      #expect(try test.sh("node1", "hostname; cat /etc/hostname") == "node1\nnode1")
      // Its clock stood still from the day the template was made.
      let clock = try #require(Int(try test.sh("node1", "date +%s")))
      #expect(abs(clock - time(nil)) < 60)
      // Copies of one memory must not have the same secrets.
      let random = "head -c 16 /dev/urandom | od -An -tx1"
      #expect(try test.sh("node1", random) != test.sh("server", random))
      let log = try Files.readText(test.lab.paths.log("node1", "sshd"))
      #expect(log.contains("Server listening on"))
    }

    private static func checkNetwork(_ test: TestLab) throws {
      let there = "for h in server frontend node1; do ssh $h 'id -un; hostname'; done"
      #expect(
        try test.sh("frontend", there, user: "user1")
          == "user1\nserver\nuser1\nfrontend\nuser1\nnode1")
      #expect(try test.sh("server", "ssh root@node1 id -un") == "root")
      let credential = try test.sh("frontend", "echo -n hello | munge", user: "user2")
      let opened = try test.sh("server", "echo '\(credential)' | unmunge")
      #expect(opened.contains("Success") && opened.contains("user2") && opened.hasSuffix("hello"))
      _ = try test.sh("frontend", "echo shared > note", user: "user1")
      #expect(try test.sh("node1", "cat note; stat -c %U note", user: "user1") == "shared\nuser1")
    }

    private static func checkCommands(_ test: TestLab) throws {
      func code(_ words: [String], user: String = "root") throws -> Int32 {
        try test.lab.output(of: HostCommand(words, user: user), on: "node1").code
      }
      #expect(try code(["sh", "-c", "exit 7"]) == 7)
      #expect(try code(["sh", "-c", "kill -9 $$"]) == 137)
      #expect(try code(["no-such-program"]) == 127)
      #expect(try code(["/etc/passwd"]) == 126)
      let words = try test.lab.output(
        of: HostCommand(["printf", "%s|", "a b", "it's", "$HOME", "line\nline"], user: "user1"),
        on: "node1")
      #expect(words.text == "a b|it's|$HOME|line\nline|")
      #expect(
        try test.sh("node1", "id -un; pwd; echo $LAB_ROLE", user: "user2")
          == "user2\n/home/user2\nnode")
    }

    private static func checkFaults(_ test: TestLab) throws {
      try test.lab.link("node1", .cut)
      #expect(try test.lab.status()?.hosts.last?.services.first?.answers == false)
      try test.lab.link("node1", .whole)
      try test.lab.pause("node1", true)
      let state = try test.lab.existing()
      let address = HostAddress(index: 3)
      #expect(!Probe.accepts(BaseSystem.sshPort, at: address, networkOf: state.holder?.pid))
      try test.lab.pause("node1", false)
      #expect(try test.sh("node1", "hostname") == "node1")
    }

    private static func checkReturn(_ test: TestLab, _ settings: LabSettings) throws {
      _ = try test.sh("node1", "echo kept > /var/lib/mark; sync")
      let boot = try test.sh("node1", "cat /proc/sys/kernel/random/boot_id")
      try test.lab.kill("node1")
      #expect(try test.lab.status()?.hosts.map(\.isUp) == [true, true, false])
      try test.lab.start(
        settings, .keeping, program: try TestLab.program, timeout: patience,
        progress: { print("\($0.milliseconds) ms \($0.host ?? "lab"): \($0.step)") })
      #expect(try test.sh("node1", "cat /var/lib/mark") == "kept")
      #expect(try test.sh("node1", "cat /proc/sys/kernel/random/boot_id") != boot)
      #expect(try test.sh("server", "ssh root@node1 hostname") == "node1")
    }

    /// What a guest has only in its memory is on the disk that is kept.
    private static func checkSnapshot(_ test: TestLab) throws {
      _ = try test.sh("node1", "echo before > /var/lib/state")
      try test.lab.save("known")
      #expect(try test.lab.status()?.hosts.allSatisfy { !$0.isPaused } == true)
      _ = try test.sh("node1", "echo after > /var/lib/state; sync")
      try test.lab.reset(to: "known", program: try TestLab.program, timeout: patience)
      #expect(try test.sh("node1", "cat /var/lib/state") == "before")
    }

    @Test("on cgroup v2 with systemd, jobs are confined and killed, and labs of namespaces come up")
    func unified() throws {
      let place = try TestLab.program
      let debug = place[..<(try #require(place.lastIndex(of: "/")))]
      let programs = debug[..<(try #require(debug.lastIndex(of: "/")))] + "/release"
      var composition = try CompositionFile.shipped("liburna").composition(nodes: 1)
      for index in composition.roles.indices { composition.roles[index].processors = 2 }
      try Self.run("unified", composition, programs: String(programs)) { (test, _) throws in
        try Self.checkJobs(test)
        #expect(try test.sh("node1", Self.innerLab).hasSuffix("node2\nended"))
      }
    }

    private static func checkJobs(_ test: TestLab) throws {
      let script = "echo $$ > pid; setsid sleep 1000 & setsid setsid sleep 1000 & sleep 1000"
      _ = try test.sh(
        "frontend", "rm -f pid; oarsub -l resource_id=1 '\(script)'", user: "user1")
      _ = try test.sh("frontend", "until [ -s pid ]; do sleep 0.2; done", user: "user1")
      let group = try test.sh("node1", "cut -d: -f3 /proc/$(cat /home/user1/pid)/cgroup")
      #expect(group.hasPrefix("/oar/"))
      let directory = "/sys/fs/cgroup" + group
      #expect(try test.sh("node1", "cat \(directory)/cpuset.cpus.effective").count == 1)
      let sleeping = "pgrep -u user1 -x sleep | wc -l"
      #expect(try test.sh("node1", sleeping) == "3")
      _ = try test.sh("frontend", "oardel $(oarstat | awk 'END { print $1 }')", user: "user1")
      _ = try test.sh("node1", "while [ -d \(directory) ]; do sleep 0.2; done")
      #expect(try test.sh("node1", sleeping) == "0")
    }

    /// A lab within a host, which is a machine with systemd and cgroup v2 alone.
    private static let innerLab = """
      lab="\(Product.directory)/liburna lab"
      $lab start -c plain -n 2 --timeout 200
      systemctl list-units --type=scope --no-legend | grep -q liburna-lab
      $lab exec node1 -- cat /sys/fs/cgroup/cgroup.controllers | grep -q cpuset
      $lab exec server -- ssh node2 hostname
      $lab stop
      ! systemctl list-units --type=scope --no-legend | grep liburna-lab
      echo ended
      """
  }
}
