// Hosts whose first process is systemd, on an image with Debian's own.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("hosts with systemd")
  struct SystemdTests {
    /// The composition of these tests: a server and a node.
    private static func composition() -> Composition {
      var composition = Composition.plain(nodes: 1)
      composition.roles.removeAll { $0.name == "frontend" }
      composition.root = .debian("bookworm")
      composition.packages = ["procps"]
      composition.firstProcess = .systemd
      return composition
    }

    @Test("systemd runs in each host, with services of the lab, logins and MUNGE, and ends at once")
    func whole() throws {
      var composition = Self.composition()
      composition.roles[1].prepare = ["echo ready > /run/prepared"]
      composition.roles[1].services = [
        Service(
          "kept", ["/bin/sh", "-c", "echo $$ > /run/pid; exec sleep 1000"],
          ready: .file("/run/pid"), restarts: true)
      ]
      try TestLab.run("systemd", composition) { (test) throws in
        for host in ["server", "node1"] {
          #expect(try test.sh(host, "cat /proc/1/comm") == "systemd")
          let state = try test.sh(host, "systemctl is-system-running --wait || true")
          let failed = try test.sh(host, "systemctl --failed --no-legend")
          #expect(state == "running", "\(failed)")
          #expect(try test.sh(host, "ls /proc/1/fd | sort -n | head -3") == "0\n1\n2")
        }
        #expect(
          try test.sh("server", "cat /etc/machine-id") != test.sh("node1", "cat /etc/machine-id"))
        #expect(
          try test.sh("server", "ssh node1 'id -un; hostname'", user: "user1") == "user1\nnode1")
        #expect(try test.sh("server", "ssh root@node1 cat /run/prepared") == "ready")
        let sealed = try test.sh("server", "echo -n hello | munge", user: "user2")
        #expect(try test.sh("node1", "echo '\(sealed)' | unmunge").hasSuffix("hello"))
        let again = """
          old=$(cat /run/pid); kill -9 $old
          until [ "$(cat /run/pid)" != "$old" ]; do sleep 0.02; done
          systemctl is-active lab-kept.service
          """
        #expect(try test.sh("node1", again) == "active")
        #expect(try test.lab.status()?.allAnswer == true)
        #expect(try test.lab.logs(of: "node1").contains { $0.hasSuffix("/sshd.log") })

        try test.lab.kill("node1")
        #expect(try test.lab.status()?.hosts.map(\.isUp) == [true, false])
        try test.start(composition)
        #expect(try test.sh("server", "ssh node1 hostname", user: "user1") == "node1")
        let began = Deadline.now
        try test.lab.stop()
        // It does not wait for what systemd gives units to end.
        #expect(Deadline.now - began < 30_000)
      }
    }

    @Test("a service that fails under systemd is told with its exit code and its log")
    func failing() throws {
      let test = try TestLab("systemd-failing")
      defer { try? test.lab.stop() }
      var composition = Self.composition()
      composition.roles[0].services = [
        Service("broken", ["/bin/sh", "-c", "echo no luck; exit 3"], ready: .port(99))
      ]
      let error = #expect(throws: LabError.self) { try test.start(composition) }
      #expect(error?.host == "server")
      #expect(error?.message == "broken ended with exit code 3")
      #expect(error?.logTail == ["no luck"])
      try test.lab.stop()
      #expect(test.remains == [])
    }

    @Test("systemd is refused on the machine's own root, and where inotify does not suffice")
    func refusals() throws {
      var composition = Self.composition()
      #expect(SystemdNeeds.problem(composition, allowed: 1000) == nil)
      composition.roles[1].scale(to: 20)
      let text = SystemdNeeds.problem(composition, allowed: 128)?.message ?? ""
      #expect(text.contains("sysctl -w fs.inotify.max_user_instances="))
      composition.root = .host
      #expect(SystemdNeeds.problem(composition, allowed: 1000) != nil)
    }

    @Test("an image without what every host needs is refused with the package that brings it")
    func bareImage() throws {
      let place = "/tmp/liburna-lab-bare-\(getpid())"
      try Files.makeDirectories(place + "/usr/sbin")
      defer { try? Files.removeTree(place) }
      try Files.write("", to: place + "/usr/sbin/sshd")
      let image = Image(key: "x", origin: "a directory", directories: [place])
      let role = Role(name: "node", hosts: ["node1"])
      let error = #expect(throws: LabError.self) { try BaseSystem.check(image, of: role) }
      #expect(error?.message.contains("role node (a directory)") == true)
      #expect(error?.message.contains("add the package openssh-client") == true)
    }
  }
}
