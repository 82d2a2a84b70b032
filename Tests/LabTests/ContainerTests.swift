// Hosts that are containers: the same to those who work on them as hosts of any kind.

import Compositions
import Encoding
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("containers", .serialized)
  struct ContainerTests {
    /// A lab on an engine; whatever happens, lab and engine are gone afterwards.
    static func run(
      _ kind: BackendKind, _ name: String, _ composition: Composition,
      _ body: (ContainerLab) throws -> Void
    ) throws {
      let before = Machine.now
      let engine = try EngineService(kind)
      defer { #expect(throws: Never.self) { try engine.stop() } }
      try engine.selected {
        let place = try TestLab(name)
        let lab = try Lab(name: place.lab.name, directory: "\(place.place)/\(place.lab.name)")
        let test = ContainerLab(test: try TestLab(lab: lab, place: place.place), kind: kind)
        do {
          try test.start(composition)
          try body(test)
        } catch {
          for host in composition.hosts {
            print(host, Files.tail(test.test.lab.paths.log(host, "boot"), lines: 8))
          }
          try? test.lab.stop()
          throw error
        }
        try test.lab.stop()
        #expect(try test.remains == [])
      }
      #expect(Machine.changes(since: before) == [])
    }

    static func plain(_ nodes: Int) throws -> Composition {
      var composition = Composition.plain(nodes: nodes)
      composition.root = .debian("bookworm")
      return composition
    }

    @Test("hosts of podman know each other, run commands, die and come back, and leave nothing")
    func podman() throws { try Self.story(.podman) }

    @Test("hosts of Docker know each other, run commands, die and come back, and leave nothing")
    func docker() throws { try Self.story(.docker) }

    static func story(_ kind: BackendKind) throws {
      var composition = try plain(2)
      let data = "/var/tmp/liburna-engine-tests-\(getpid())-data"
      try Files.makeDirectories(data)
      try Files.write("of the machine", to: data + "/file")
      defer { try? Files.removeTree(data) }
      composition.volumes = [
        Volume(source: data, target: "/data/rw"),
        Volume(source: data, target: "/data/ro", mode: .ro),
        Volume(source: data, target: "/data/cow", mode: .cow),
      ]
      composition.shared = ["/scratch"]
      try run(kind, "story-\(kind.rawValue)", composition) { (test) throws in
        try identity(test)
        try commands(test)
        try volumes(test, data)
        try life(test, composition)
        try faults(test)
        try terminal(test)
        try failures(test, composition)
      }
    }

    /// Names, addresses, users, ssh, MUNGE, cgroups.
    static func identity(_ test: ContainerLab) throws {
      let hosts = ["server", "frontend", "node1", "node2"]
      for (index, host) in hosts.enumerated() {
        #expect(
          try test.sh(host, "cat /proc/sys/kernel/hostname /etc/hostname") == "\(host)\n\(host)")
        let address = "10.\(try test.lab.existing().subnet).0.\(index + 1)"
        #expect(try test.sh(host, "getent hosts \(host)").hasPrefix(address))
        #expect(try test.sh(host, "cat /proc/net/fib_trie").contains(address))
        let loop = "for h in \(hosts.joined(separator: " ")); do ssh $h 'id -un; hostname'; done"
        let expected = hosts.map { "user1\n\($0)" }.joined(separator: "\n")
        #expect(try test.sh(host, loop, user: "user1") == expected)
      }
      #expect(try test.sh("server", "ssh root@node2 hostname") == "node2")
      let credential = try test.sh("frontend", "echo -n hello | munge", user: "user2")
      let opened = try test.sh("server", "echo '\(credential)' | unmunge")
      #expect(opened.contains("user2"))
      #expect(opened.hasSuffix("hello"))
      _ = try test.sh("frontend", "echo shared > note", user: "user1")
      _ = try test.sh("frontend", "echo s > /scratch/note")
      #expect(try test.sh("node1", "cat /home/user1/note /scratch/note") == "shared\ns")
      #expect(try test.sh("node1", HostTests.confinement) == "done")
      #expect(try test.lab.status()?.allAnswer == true)
    }

    /// Exit codes, signals, what can't be run, terminals.
    static func commands(_ test: ContainerLab) throws {
      let lab = test.lab
      #expect(try lab.output(of: HostCommand(["sh", "-c", "exit 7"]), on: "node1").code == 7)
      #expect(try lab.output(of: HostCommand(["sh", "-c", "kill -9 $$"]), on: "node1").code == 137)
      #expect(throws: StartError.self) {
        try lab.output(of: HostCommand(["no-such-command"]), on: "node1")
      }
      #expect(throws: LabError.self) {
        try lab.output(of: HostCommand(["true"], user: "nobody-at-all"), on: "node1")
      }
      let state = try lab.existing()
      let backend = try lab.backend(reaching: "node1", in: state)
      let null = open("/dev/null", O_RDWR | O_CLOEXEC)
      defer { close(null) }
      let child = try backend.start(
        HostCommand(["sleep", "1000"]), on: "node1", in: state, descriptors: [null, null, null])
      kill(child.pid, SIGTERM)
      #expect(child.wait() == 128 + SIGTERM)
      // One that loses whoever waits for it ends as well.
      let lost = try backend.start(
        HostCommand(["sleep", "1001"]), on: "node1", in: state, descriptors: [null, null, null])
      kill(lost.pid, SIGKILL)
      _ = lost.wait()
      #expect(
        try test.sh("node1", "while pgrep -fx 'sleep 1001' > /dev/null; do :; done; echo gone")
          == "gone")
      #expect(
        try test.sh("node1", "head -c 3000000 /dev/zero | tr '\\\\0' x | wc -c").hasSuffix(
          "3000000"))
    }

    static func volumes(_ test: ContainerLab, _ data: String) throws {
      #expect(
        try test.sh("node1", "cat /data/rw/file /data/ro/file /data/cow/file").contains("of the"))
      _ = try test.sh("node1", "echo changed > /data/cow/file; echo new > /data/rw/new")
      #expect(try test.sh("node2", "cat /data/cow/file /data/ro/new") == "of the machinenew")
      #expect(try test.sh("node1", "echo x 2>&1 > /data/ro/file || echo no").hasSuffix("no"))
      #expect(try Files.readText(data + "/file") == "of the machine")
    }

    /// Death and return, growth, logs.
    static func life(_ test: ContainerLab, _ composition: Composition) throws {
      _ = try test.sh("node1", "echo kept > /etc/mark; echo lost > /run/mark")
      try test.lab.kill("node1")
      #expect(try test.lab.status()?.hosts.map(\.isUp) == [true, true, false, true])
      #expect(throws: LabError.self) { try test.sh("node1", "true") }
      try test.start(composition)
      #expect(try test.sh("node1", "cat /etc/mark; ls /run/mark 2>&1 || true").contains("kept"))
      #expect(try test.sh("node1", "ls /run").contains("mark") == false)
      #expect(try test.sh("frontend", "ssh node1 hostname", user: "user1") == "node1")
      var more = composition
      more.roles[2].scale(to: 3)
      try test.start(more)
      #expect(try test.sh("node1", "ssh node3 hostname", user: "user1") == "node3")
      try test.start(composition)
      #expect(try test.sh("node1", "cat /etc/hosts").contains("node3") == false)
      let logs = try test.lab.logs(of: "node1")
      #expect(logs.contains { $0.hasSuffix("sshd.log") })
      #expect(logs.contains { $0.hasSuffix("boot.log") })
    }

    /// A terminal of a host, by the tool itself.
    static func terminal(_ test: ContainerLab) throws {
      let program = try TestLab.program
      let words = ["lab", "exec", "--name", test.lab.name, "--tty", "node1", "--"]
      let (code, text) = try Child.output(limit: 4096) { descriptors in
        try Launch(
          program: .path(program),
          arguments: [program] + words + ["sh", "-c", "tty; echo $TERM; exit 5"],
          environment: ["LIBURNA_LAB_DIR=\(test.test.place)", "PATH=/usr/bin:/bin", "TERM=dumb"],
          descriptors: descriptors
        ).start()
      }
      #expect(code == 5)
      #expect(text.contains("/dev/pts/"))
      #expect(text.contains("dumb"))
    }

    /// What can't be done is said: images that are nowhere, services that fail, the lab as it was.
    static func failures(_ test: ContainerLab, _ composition: Composition) throws {
      let image = "localhost:1/liburna/never-was:3"
      let engine = try ContainerEngine.find(test.kind)
      let unknown = #expect(throws: LabError.self) { try engine.pull(image) }
      #expect(unknown?.message.contains("localhost:1/liburna/never-was") == true)
      var broken = composition
      broken.name = "broken"
      broken.roles[0].services = [
        Service(
          "broken", ["/bin/sh", "-c", "echo no luck today; exit 3"], user: "user1",
          ready: .socket("/run/never"))
      ]
      let error = #expect(throws: LabError.self) { try test.start(broken, .anew) }
      #expect(error?.host == "server")
      #expect(error?.message == "broken ended with exit code 3")
      #expect(error?.logTail == ["no luck today"])
    }

    static func faults(_ test: ContainerLab) throws {
      try test.lab.pause("node2", true)
      try test.lab.pause("node2", false)
      #expect(try test.sh("node2", "hostname") == "node2")
      let ask = "ssh -o ConnectTimeout=1 -o BatchMode=yes node2 hostname 2>&1 || true"
      try test.lab.link("node2", .cut)
      #expect(try test.sh("frontend", ask, user: "user1") != "node2")
      try test.lab.link("node2", .whole)
      let again = "until ssh -o ConnectTimeout=1 node2 hostname 2> /dev/null; do :; done"
      #expect(try test.sh("frontend", "timeout 20 sh -c '\(again)'", user: "user1") == "node2")
      #expect(throws: LabError.self) {
        try test.lab.link("node2", .slow(LinkSlowness(delay: 10)))
      }
    }
  }
}

/// A lab of containers.
struct ContainerLab {
  let test: TestLab
  let kind: BackendKind
  var lab: Lab { test.lab }

  func start(_ composition: Composition, _ beginning: Lab.Beginning = .keeping) throws {
    try lab.start(
      LabSettings(composition, backend: kind), beginning, program: try TestLab.program,
      timeout: TestLab.patience)
  }

  func sh(_ host: String, _ command: String, user: String = "root") throws -> String {
    try test.sh(host, command, user: user)
  }

  /// Whatever still belongs to the lab, here and in the engine.
  var remains: [String] {
    get throws {
      let engine = try ContainerEngine.find(kind)
      let networks = try engine.subnets().filter { $0.hasPrefix("10.77.") }
      return test.remains + (try engine.containers(of: lab.group).map(\.name)) + networks
    }
  }
}
