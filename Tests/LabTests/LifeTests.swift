// The life of a lab: hosts that die and come back, hosts that join, failures told, and an end that
// leaves nothing, whatever happened before.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("the life of a lab")
  struct LifeTests {
    @Test("a host that is killed leaves the others alone, and comes back with its disk")
    func kill() throws {
      try TestLab.run("kill", .plain(nodes: 2)) { (test) throws in
        _ = try test.sh("node1", "echo kept > /etc/mark; echo lost > /run/mark")
        _ = try test.sh("node1", "setsid sleep 1000 < /dev/null > /dev/null 2>&1 &")
        try test.lab.kill("node1")
        let status = try #require(try test.lab.status())
        #expect(status.hosts.map(\.isUp) == [true, true, false, true])
        #expect(status.hosts[3].services.map(\.answers) == [true, true])
        #expect(try test.sh("frontend", "ssh node2 hostname", user: "user1") == "node2")
        #expect(throws: LabError.self) { try test.sh("node1", "true") }

        let second = try test.lab.state()?.host("node2")?.first
        try test.start(.plain(nodes: 2))
        #expect(try test.lab.status()?.allAnswer == true)
        #expect(try test.lab.state()?.host("node2")?.first == second)
        #expect(try test.sh("node1", "cat /etc/mark; ls /run/mark 2>&1 || true").contains("kept"))
        #expect(try test.sh("node1", "ls /run").contains("mark") == false)
        #expect(try test.sh("frontend", "ssh node1 hostname", user: "user1") == "node1")
      }
    }

    @Test("a host dies even when its processes are frozen")
    func frozen() throws {
      try TestLab.run("frozen") { (test) throws in
        _ = try test.sh(
          "node1",
          """
          cd /sys/fs/cgroup
          setsid sleep 1000 < /dev/null > /dev/null 2>&1 &
          # Frozen before it has become sleep, it would keep this script's output open.
          until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
          if [ -d freezer ]; then
            mkdir freezer/job; echo $! > freezer/job/cgroup.procs
            echo FROZEN > freezer/job/freezer.state
          else
            mkdir job; echo $! > job/cgroup.procs; echo 1 > job/cgroup.freeze
          fi
          """)
        try test.lab.kill("node1")
        #expect(try test.lab.status()?.hosts.last?.isUp == false)
      }
    }

    @Test("a start that is repeated changes nothing; one with other nodes adds or removes some")
    func size() throws {
      try TestLab.run("size") { (test) throws in
        let first = try test.lab.state()
        try test.start()
        #expect(try test.lab.state() == first)
        try test.start(.plain(nodes: 3))
        #expect(try test.sh("node1", "ssh node3 hostname", user: "user1") == "node3")
        #expect(try test.lab.state()?.host("node1") == first?.host("node1"))
        try test.start(.plain(nodes: 2))
        #expect(
          try test.lab.status()?.hosts.map(\.name) == ["server", "frontend", "node1", "node2"])
        #expect(try test.sh("node1", "cat /etc/hosts").contains("node3") == false)
      }
    }

    @Test("stop ends whatever runs in the hosts, and is content when there is nothing")
    func stop() throws {
      try TestLab.run("stop") { (test) throws in
        for host in ["server", "frontend", "node1"] {
          _ = try test.sh(
            host,
            """
            trap '' TERM HUP INT
            for i in 1 2 3 4 5; do setsid sleep 1000 < /dev/null > /dev/null 2>&1 & done
            mkdir -p /sys/fs/cgroup/*/a/b/c 2>/dev/null || true
            """, user: "root")
        }
      }
      try TestLab("stop").lab.stop()
    }

    @Test("two labs side by side have the same names and addresses but not the same keys")
    func sideBySide() throws {
      try TestLab.run("left") { (left) throws in
        try TestLab.run("right") { (right) throws in
          _ = try left.sh("frontend", "echo left > note", user: "user1")
          #expect(try right.sh("frontend", "ls", user: "user1") == "")
          let credential = try left.sh("frontend", "munge -n")
          let refused = try right.sh("server", "echo '\(credential)' | unmunge 2>&1 || true")
          #expect(refused.contains("Invalid credential"))
        }
        #expect(try left.lab.status()?.allAnswer == true)
      }
    }

    @Test("labs of one name in two places do not touch each other")
    func sameName() throws {
      try TestLab.run("here") { (here) throws in
        let there = try TestLab(
          lab: Lab(name: here.lab.name, directory: "\(here.place)-there/lab"),
          place: "\(here.place)-there")
        defer { try? there.lab.stop() }
        try there.start()
        try there.lab.stop()
        #expect(!Files.exists(there.place))
        #expect(try here.lab.status()?.allAnswer == true)
      }
    }

    @Test("a service that fails is told with its host and the end of its log")
    func failingService() throws {
      let test = try TestLab("failing")
      defer { try? test.lab.stop() }
      var composition = Composition.plain(nodes: 1)
      composition.roles[0].services = [
        Service(
          "broken", ["/bin/sh", "-c", "echo no luck today; exit 3"], user: "user1",
          ready: .socket("/run/never"))
      ]
      let error = #expect(throws: LabError.self) { try test.start(composition) }
      #expect(error?.host == "server")
      #expect(error?.message == "broken ended with exit code 3")
      #expect(error?.logTail == ["no luck today"])
      // The next start begins anew.
      try test.start()
      #expect(try test.lab.status()?.allAnswer == true)
      try test.lab.stop()
      #expect(test.remains == [])
    }

    @Test("a service that never answers ends the start at its deadline")
    func silentService() throws {
      let test = try TestLab("silent")
      defer { try? test.lab.stop() }
      try test.start()
      var composition = Composition.plain(nodes: 2)
      composition.roles[2].services = [
        Service("mute", ["/bin/sleep", "1000"], ready: .port(99))
      ]
      let error = #expect(throws: LabError.self) {
        try test.lab.start(
          LabSettings(composition), program: try TestLab.program, timeout: 3)
      }
      #expect(error?.host == "node2")
      #expect(error?.message == "mute did not answer on port 99 in 3 s, which --timeout changes")
      try test.lab.stop()
      #expect(test.remains == [])
    }

    @Test("a start that is refused before it made anything leaves nothing")
    func refused() throws {
      let test = try TestLab("refused")
      var composition = Composition.plain(nodes: 1)
      composition.root = .directory("/no-such-directory")
      #expect(throws: LabError.self) { try test.start(composition) }
      #expect(test.remains == [])
    }

    @Test("a kept service is started again when it dies")
    func keptService() throws {
      var composition = Composition.plain(nodes: 1)
      composition.roles[0].services = [
        Service(
          "kept", ["/bin/sh", "-c", "echo $$ >> /tmp/lives; exec sleep 1000"], restarts: true)
      ]
      try TestLab.run("kept", composition) { (test) throws in
        let lives = try test.sh(
          "server",
          """
          until [ -s /tmp/lives ]; do sleep 0.01; done
          sleep 0.1
          kill -9 $(cat /tmp/lives)
          until [ $(wc -l < /tmp/lives) = 2 ]; do sleep 0.01; done
          wc -l < /tmp/lives
          """)
        #expect(lives == "2")
      }
    }

    @Test("a host that left and joins again begins anew; one that died keeps its disk")
    func joinsAgain() throws {
      try TestLab.run("joins", .plain(nodes: 2)) { (test) throws in
        for node in ["node1", "node2"] { _ = try test.sh(node, "echo old > /etc/mark") }
        try test.lab.kill("node1")
        try test.start(.plain(nodes: 1))
        try test.start(.plain(nodes: 2))
        #expect(try test.sh("node1", "cat /etc/mark") == "old")
        #expect(try test.sh("node2", "ls /etc/mark 2>&1 || true").contains("No such"))
      }
    }

    @Test("a step is taken once in the life of a lab, or again when its hosts change")
    func steps() throws {
      var composition = Composition.plain(nodes: 1)
      composition.steps = [
        Step("note", on: .first("server"), script: "echo done >> /etc/note"),
        Step(
          "count", on: .each("node"), repetition: .hosts, script: "echo $LAB_HOST >> /home/count"),
      ]
      try TestLab.run("steps", composition) { (test) throws in
        try test.lab.kill("server")
        try test.start(composition)
        #expect(try test.sh("server", "cat /etc/note /home/count") == "done\nnode1")
        composition.roles[2].scale(to: 2)
        try test.start(composition)
        #expect(try test.sh("server", "cat /etc/note /home/count") == "done\nnode1\nnode1\nnode2")
        composition.steps.append(Step("bad", on: .first("server"), script: "echo oh; exit 4"))
        let error = #expect(throws: LabError.self) { try test.start(composition) }
        #expect(error?.host == "server")
        #expect(error?.message == "bad: exit code 4")
        #expect(error?.logTail == ["oh"])
      }
    }

    @Test("a start anew ends what ran, and gives the same lab")
    func anew() throws {
      try TestLab.run("anew") { (test) throws in
        let first = try test.lab.state()
        _ = try test.sh("node1", "echo old > /etc/mark")
        try test.start(.plain(nodes: 1), .anew)
        #expect(try test.sh("node1", "ls /etc/mark 2>&1 || true").contains("No such"))
        let second = try test.lab.state()
        #expect(first?.hosts.map(\.name) == second?.hosts.map(\.name))
        #expect(first?.holder != second?.holder)
      }
    }

    @Test("scripts that prepare a host see its variables, and one that fails is told with its end")
    func prepare() throws {
      var composition = Composition.plain(nodes: 1)
      composition.variables = [Variable("GREETING", "it's a \"test\"")]
      composition.roles[2].prepare = ["echo $LAB_HOST $LAB_ROLE $LAB_ADDRESS: $GREETING > /run/me"]
      try TestLab.run("prepare", composition) { (test) throws in
        let text = "node1 node 10.77.0.3: it's a \"test\""
        #expect(try test.sh("node1", "cat /run/me") == text)
        #expect(try test.sh("node1", "echo $GREETING") == "it's a \"test\"")
        #expect(
          try test.sh("frontend", "ssh node1 bash -lc \\''echo $GREETING'\\'", user: "user1")
            == "it's a \"test\"")
        composition.roles[2].prepare.append("echo broken; exit 3")
        try test.lab.kill("node1")
        let error = #expect(throws: LabError.self) { try test.start(composition) }
        #expect(error?.host == "node1")
        #expect(error?.message.contains("exit code 3") == true)
        #expect(error?.logTail == ["broken"])
      }
    }

    @Test("hosts share what the composition says, and see volumes read-only, writable or as copies")
    func volumes() throws {
      let place = "/tmp/liburna-lab-volumes-\(getpid())"
      try Files.makeDirectories(place)
      defer { try? Files.removeTree(place) }
      try Files.write("machine\n", to: place + "/file")
      var composition = Composition.plain(nodes: 1)
      composition.shared = ["/srv/common"]
      composition.volumes = [
        Volume(source: place, target: "/mnt/ro", mode: .ro),
        Volume(source: place, target: "/mnt/rw"),
        Volume(source: place, target: "/mnt/cow", mode: .cow),
        Volume(source: place + "/file", target: "/etc/one-file", mode: .ro),
      ]
      try TestLab.run("volumes", composition) { (test) throws in
        _ = try test.sh("server", "echo all > /srv/common/note")
        #expect(try test.sh("node1", "cat /srv/common/note /etc/one-file") == "all\nmachine")
        let refused = try test.sh("node1", "touch /mnt/ro/x 2>&1 || true")
        #expect(refused.contains("Read-only file system"))
        _ = try test.sh("node1", "echo hosts > /mnt/rw/y; echo own > /mnt/cow/z")
        #expect(try Files.readText(place + "/y") == "hosts\n")
        #expect(!Files.exists(place + "/z"))
        #expect(try test.sh("server", "ls /mnt/cow") == "file\ny")
      }
    }

    @Test("a lab that can't be is refused before anything is made")
    func refusals() throws {
      for name in ["", "Big", "a b", "-x", "../x", String(repeating: "x", count: 33)] {
        #expect(throws: LabError.self) { try Lab(name: name, directory: "/tmp/x") }
      }
      for directory in [
        "relative", "/tmp/a:b", "/tmp/a,b", "/" + String(repeating: "d", count: 200),
      ] {
        #expect(throws: LabError.self) { try Lab(name: "x", directory: directory) }
      }
      let test = try TestLab("refused")
      #expect(throws: LabError.self) { try test.start(.plain(nodes: 10_000)) }
      #expect(throws: LabError.self) {
        try test.lab.start(
          LabSettings(.liburna(nodes: 1), programs: "/nowhere"), program: try TestLab.program)
      }
      #expect(throws: LabError.self) { try test.lab.kill("node1") }
      #expect(throws: LabError.self) { try test.lab.logs(of: "node1") }
      #expect(try test.lab.status() == nil)
      #expect(test.remains == [])
    }
  }
}
