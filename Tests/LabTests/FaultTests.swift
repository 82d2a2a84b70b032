// What people try on a lab: hosts that stand still, links that are cut or slow, hosts that come and go,
// and the way back to a known state.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("faults and known states")
  struct FaultTests {
    /// Fails quickly where the other side is silent.
    private static let login = "ssh -o ConnectTimeout=1 -o BatchMode=yes"

    @Test("a paused host stands still, and goes on where it was")
    func pause() throws {
      try TestLab.run("pause") { (test) throws in
        try test.lab.pause("node1", true)
        let refused = try test.sh("server", "timeout 1 \(Self.login) node1 true || echo silent")
        #expect(refused.hasSuffix("silent"))
        #expect(try test.lab.status()?.hosts[2].isPaused == true)
        #expect(try test.lab.status()?.allAnswer == false)
        // A command there would stand still as well.
        let fault = #expect(throws: LabError.self) { try test.sh("node1", "true") }
        #expect(fault?.message.contains("`liburna lab resume node1`") == true)
        try test.lab.pause("node1", false)
        #expect(try test.sh("server", "\(Self.login) node1 hostname") == "node1")
        #expect(try test.lab.status()?.hosts[2].isPaused == false)
      }
    }

    @Test("a cut link lets nothing through, and a mended one everything")
    func cut() throws {
      try TestLab.run("cut", .plain(nodes: 2)) { (test) throws in
        try test.lab.link("node1", .cut)
        let refused = try test.sh("server", "\(Self.login) node1 true 2>&1 || true")
        #expect(refused.contains("No route to host") || refused.contains("timed out"))
        #expect(try test.sh("server", "\(Self.login) node2 hostname") == "node2")
        try test.lab.link("node1", .whole)
        #expect(try test.sh("server", "\(Self.login) node1 hostname") == "node1")
      }
    }

    @Test("a slow link takes its time")
    func slow() throws {
      try TestLab.run("slow") { (test) throws in
        let copy = "head -c 200000 /dev/zero | ssh node1 'cat > /dev/null'"
        try test.lab.link("node1", .slow(LinkSlowness(rate: 1000)))
        let before = Deadline.now
        _ = try test.sh("server", copy)
        // 200 kB at 1 Mbit/s take 1.6 s, less what the limiter lets through at once.
        #expect(Deadline.now - before > 1000)
        try test.lab.link("node1", .whole)
        #expect(try test.lab.status()?.hosts[2].link == .whole)
      }
    }

    @Test("a snapshot's name leads nowhere else, and what runs is left alone then")
    func snapshotElsewhere() throws {
      try TestLab.run("elsewhere", .plain(nodes: 1)) { (test) throws in
        let fault = #expect(throws: LabError.self) {
          try test.lab.reset(to: "../state", program: try TestLab.program)
        }
        #expect(fault?.message.contains("../state can't name a snapshot") == true)
        #expect(try test.lab.status()?.allAnswer == true)
      }
    }

    @Test("a lab goes back to a snapshot any number of times, with the hosts that it had")
    func snapshot() throws {
      try TestLab.run("snapshot", .plain(nodes: 2)) { (test) throws in
        _ = try test.sh("node1", "echo kept > /etc/mark; rm /etc/hostname")
        _ = try test.sh("frontend", "echo kept > note", user: "user1")
        try test.lab.save("first")
        for _ in 1...2 {
          _ = try test.sh("node1", "echo lost > /etc/mark; echo lost > /etc/other")
          _ = try test.sh("frontend", "echo lost > note; touch other", user: "user1")
          try test.start(.plain(nodes: 1))
          try test.lab.reset(to: "first", program: try TestLab.program)
          #expect(try test.lab.status()?.allAnswer == true)
          #expect(try test.lab.status()?.hosts.count == 4)
          #expect(
            try test.sh("node1", "cat /etc/mark; ls /etc/other /etc/hostname 2>&1 || true")
              .split(separator: "\n").count == 3)
          #expect(try test.sh("node1", "cat /etc/mark") == "kept")
          #expect(try test.sh("frontend", "cat note; ls", user: "user1") == "kept\nnote")
          #expect(try test.sh("server", "\(Self.login) node2 hostname") == "node2")
        }
        #expect(try test.lab.snapshots() == ["first"])
        let error = #expect(throws: LabError.self) {
          try test.lab.reset(to: "second", program: try TestLab.program)
        }
        #expect(error?.message.contains("it has first") == true)
        #expect(throws: LabError.self) { try test.lab.save("../x") }
      }
    }

    @Test("hosts join a running lab under the lowest free numbers, and leave it")
    func size() throws {
      let settings = LabSettings(.plain(nodes: 3))
      let fewer = try settings.removing(["node2"])
      #expect(fewer.composition.hosts == ["server", "frontend", "node1", "node3"])
      let more = try fewer.adding(2, to: "node")
      #expect(
        more.composition.hosts == ["server", "frontend", "node1", "node3", "node2", "node4"])
      #expect(throws: LabError.self) { try settings.removing(["server"]) }
      #expect(throws: LabError.self) { try settings.removing(["node9"]) }
      #expect(throws: LabError.self) { try settings.adding(1, to: "server") }
      #expect(throws: LabError.self) { try settings.adding(1, to: "nodes") }
    }

    @Test("faults of hosts that are down or unknown are refused")
    func refusals() throws {
      try TestLab.run("faultless") { (test) throws in
        try test.lab.kill("node1")
        #expect(throws: LabError.self) { try test.lab.pause("node1", true) }
        #expect(throws: LabError.self) { try test.lab.link("node1", .cut) }
        #expect(throws: LabError.self) { try test.lab.link("node9", .cut) }
      }
    }
  }
}
