// The lender on a real API server: nodes change hands as they should, whatever pods, people and networks do.

import Encoding
import Glibc
import KubernetesClient
import KubernetesFixture
import Testing
import Wire

@testable import Bebida

/// Delays are bounded far above what they are, and far below the 30 seconds that stubborn pods would take: how long they
/// are is measured elsewhere.
@Suite("Lending on a real API server", .serialized)
struct LenderTests {
  private func withSite(
    _ name: String, hosts: Int = 1, policy: LendingPolicy = LendingPolicy(grace: .seconds(3)),
    daemonSets: Set<String> = [], relay: Relay? = nil, _ body: (Site) async throws -> Void
  ) async throws {
    let site = try await Site(
      name, hosts: hosts, policy: policy, daemonSets: daemonSets, relay: relay)
    do {
      try await site.startLender()
      try await body(site)
    } catch {
      await site.stop()
      throw error
    }
    #expect(await site.violations == [])
    await site.stop()
  }

  /// Waits for a pod's process.
  private func running(_ site: Site, _ host: String) async {
    await eventually { await site.isRunning(on: host) }
  }

  private func eventually(_ condition: () async -> Bool) async {
    for _ in 0..<1000 {
      if await condition() { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("what was waited for did not come")
  }

  @Test(
    "a node that nothing is planned on is lent; for a job it is closed, and given back after it")
  func wayAndBack() async throws {
    try await withSite("way") { site in
      let host = "way-n1"
      await site.lent([host])
      let lent = try await site.node(host)
      #expect(!lent.isUnschedulable && !lent.taints.contains { $0.key == NodeWords.taint })
      try await site.place("quick-way", on: host)
      await running(site, host)
      let delay = await site.begin("7", [host])
      #expect(delay < 15)
      // The node's own proof is what jobs wait for; Kubernetes shows it a moment later.
      await eventually {
        guard let closed = try? await site.node(host), closed.isUnschedulable else { return false }
        let effects = closed.taints.filter { $0.key == NodeWords.taint }.map(\.effect)
        return Set(effects) == ["NoSchedule", "NoExecute"]
      }
      let closed = try await site.node(host)
      #expect(closed.metadata.annotations[NodeWords.reason] == "job 7 holds it")
      await site.end("7", [host])
      #expect(await site.lent([host]) < 15)
      await eventually {
        guard let node = try? await site.node(host) else { return false }
        return !node.isUnschedulable && node.metadata.labels[NodeWords.freeUntil] != nil
      }
      let back = try await site.node(host)
      #expect(back.taints.filter { $0.key == NodeWords.taint }.isEmpty)
      #expect(back.metadata.annotations[NodeWords.cordoned] == nil)
    }
  }

  @Test(
    "all nodes of a job are taken at once, whatever their number, within the grace of stubborn pods"
  )
  func inParallel() async throws {
    try await withSite("wide", hosts: 16) { site in
      let hosts = (1...16).map { "wide-n\($0)" }
      await site.lent(hosts)
      for host in hosts { try await site.place("stubborn-\(host)", on: host) }
      await eventually {
        for host in hosts where await !site.isRunning(on: host) { return false }
        return true
      }
      let delay = await site.begin("1", hosts)
      #expect(delay < 15)
      await site.end("1", hosts)
      #expect(await site.lent(hosts) < 15)
    }
  }

  @Test("a node that a job is planned on is empty before the job comes, which waits for nothing")
  func planned() async throws {
    let policy = LendingPolicy(
      grace: .seconds(1), margin: .seconds(5), notice: .milliseconds(500),
      shortestHole: .seconds(1))
    try await withSite("plan", policy: policy) { site in
      let host = "plan-n1"
      await site.lent([host])
      try await site.place("stubborn-plan", on: host)
      await running(site, host)
      let start = Lender.now + .seconds(7)
      await site.lender?.plan([host: start])
      await eventually { await site.lender?.hosts[host]?.record.phase == .batch }
      #expect(Lender.now < start)
      #expect(await site.begin("1", [host]) < 1)
      await site.lender?.plan([:])
      await site.end("1", [host])
      await site.lent([host])
    }
  }

  @Test(
    "a pod that one budget keeps, or two that get in each other's way, is told to go when the grace is nearly over",
    arguments: 1...2)
  func budgets(count: Int) async throws {
    let name = "budget\(count)"
    try await withSite(name) { site in
      let host = "\(name)-n1"
      for number in 1...count {
        try await site.client.create(
          PodDisruptionBudget.self,
          .fields([
            "metadata": .fields(["name": .string("\(name)-\(number)")]),
            "spec": .fields([
              "minAvailable": .number("1"),
              "selector": .fields(["matchLabels": .fields(["app": .string(name)])]),
            ]),
          ]))
      }
      await site.lent([host])
      try await site.place("quick-\(name)", on: host)
      await running(site, host)
      await site.begin("1", [host])
      let counts = try #require(await site.lender?.counts)
      #expect(counts.refused >= 1 && counts.deleted >= 1)
      await site.end("1", [host])
      for number in 1...count {
        try await site.client.delete(PodDisruptionBudget.self, "\(name)-\(number)")
      }
    }
  }

  @Test(
    "a pod whose object stays because of a finalizer keeps no job waiting, and its node is lent again after it"
  )
  func finalizer() async throws {
    try await withSite("final") { site in
      let host = "final-n1"
      await site.lent([host])
      try await site.place("quick-final", on: host, finalizer: "example.org/kept")
      await running(site, host)
      await site.begin("1", [host])
      #expect(try await site.client.get(Pod.self, "quick-final").isTerminating)
      await site.end("1", [host])
      await site.lent([host])
      _ = try await site.client.patch(
        Pod.self, "quick-final",
        .merge(.fields(["metadata": .fields(["finalizers": .null])])))
    }
  }

  @Test(
    "with Kubernetes away a job starts all the same, and its node is marked when that is back",
    arguments: [Relay.Way.cut, .silent])
  func away(way: Relay.Way) async throws {
    let relay = try Relay(to: try await ApiServer.running().port)
    defer { relay.stop() }
    let name = "away-\(way)"
    try await withSite(name, relay: relay) { site in
      let host = "\(name)-n1"
      await site.lent([host])
      try await site.place("stubborn-\(name)", on: host)
      await running(site, host)
      relay.way = way
      #expect(await site.begin("1", [host]) < 15)
      relay.way = .open
      await eventually { (try? await site.node(host))?.isUnschedulable == true }
      await site.end("1", [host])
      await site.lent([host])
      await eventually { (try? await site.node(host))?.isUnschedulable == false }
    }
  }

  @Test("what an administrator cordoned and tainted stays so when the node is given back")
  func foreignMarks() async throws {
    try await withSite("foreign") { site in
      let host = "foreign-n1"
      await site.lent([host])
      let taint = JSONValue.fields([
        "key": .string("example.org/broken"), "effect": .string("NoSchedule"),
      ])
      try await site.client.patch(
        Node.self, host,
        .merge(
          .fields(["spec": .fields(["unschedulable": .bool(true), "taints": .array([taint])])])))
      await site.begin("1", [host])
      await site.end("1", [host])
      await site.lent([host])
      let node = try await site.node(host)
      #expect(node.isUnschedulable)
      #expect(node.taints.map(\.key) == ["example.org/broken"])
    }
  }

  @Test("check finds what may not be done, hosts without nodes, agents that are away")
  func check() async throws {
    try await withSite("check") { site in
      await site.lent(["check-n1"])
      let findings = try #require(await site.lender?.check())
      // The tests' account may do all there is.
      #expect(findings.filter { $0.verdict == .bad } == [])
      #expect(findings.contains { $0.text == "we may delete nodes there, which lending needs not" })
      #expect(findings.contains { $0.text == "1 of 1 hosts are nodes of Kubernetes" })
      await site.lender?.setHosts(["check-n1", "elsewhere"])
      let more = try #require(await site.lender?.check())
      #expect(more.contains { $0.verdict == .doubtful && $0.text.hasSuffix(": elsewhere") })
      #expect(more.contains { $0.verdict == .bad && $0.text.hasSuffix(": elsewhere") })
    }
  }

  @Test("a file of intents that can't be read is set aside, and its nodes prove themselves anew")
  func brokenIntents() async throws {
    try await withSite("broken") { site in
      let host = "broken-n1"
      await site.lent([host])
      await site.killLender()
      try await site.breakIntents()
      try await site.startLender()
      await site.begin("1", [host])
      await site.end("1", [host])
      await site.lent([host])
      #expect(await site.said.contains { $0.contains("can't be read") })
    }
  }

  @Test("a host whose agent is away is a fault, after a time, and none when it is back")
  func agentAway() async throws {
    let policy = LendingPolicy(grace: .seconds(1), patience: .milliseconds(300))
    try await withSite("agent", policy: policy) { site in
      let host = "agent-n1"
      await site.lent([host])
      await site.setAgent(false, on: host)
      await site.lender?.hold("1", [host])
      await eventually { await site.lender?.fault(of: host) == "its agent can't be reached" }
      await site.setAgent(true, on: host)
      await site.begin("1", [host])
      #expect(await site.lender?.fault(of: host) == nil)
      await site.end("1", [host])
      await site.lent([host])
    }
  }

  @Test("a DaemonSet's pod that may stay and is made anew beside a job may stay as well")
  func daemonSets() async throws {
    try await withSite("daemon", daemonSets: ["default/net"]) { site in
      let host = "daemon-n1"
      await site.lent([host])
      try await site.place("net-1", on: host, of: "net")
      try await site.place("quick-1", on: host)
      await eventually { await site.hosts[host]?.running.count == 2 }
      await site.begin("1", [host])
      #expect(await site.hosts[host]?.running.count == 1)
      try await site.place("net-2", on: host, of: "net")
      await eventually { await site.hosts[host]?.order?.keeping.spared.count == 2 }
      #expect(await site.lender?.mayStart(on: host) == true)
      #expect(await site.lender?.counts.violations == 0)
      await site.end("1", [host])
      await site.lent([host])
    }
  }

  @Test("what pods did until a job took their host is lost, what they ended with is not")
  func podTime() async throws {
    try await withSite("time") { site in
      let host = "time-n1"
      await site.lent([host])
      try await site.place("quick-1", on: host)
      await eventually { await site.lender?.podsSince.count == 1 }
      try await site.succeed("quick-1")
      await eventually { await site.lender?.counts.podTime ?? 0 > 0 }
      #expect(await site.lender?.counts.lostPodTime == 0)
      try await site.place("quick-2", on: host)
      await eventually { await site.lender?.podsSince.count == 1 }
      await site.begin("1", [host])
      #expect(await site.lender?.counts.lostPodTime ?? 0 > 0)
      let figures = try #require(await site.lender?.status(of: []).counts)
      #expect(figures["start_delay_seconds_count"] == 1)
      #expect(figures["violations_total"] == 0)
      let share = try #require(figures["effectiveness_ratio"])
      #expect(share > 0 && share < 1)
      await site.end("1", [host])
    }
  }

  @Test(
    "a node that an administrator reclaims stays with the batch system, also under another lender")
  func wishes() async throws {
    try await withSite("wish") { site in
      let host = "wish-n1"
      await site.lent([host])
      await site.wish(.reclaim, host)
      // What was kept survives the lender's end at once.
      await site.killLender()
      try await site.startLender()
      await eventually { await site.lender?.hosts[host]?.record.phase == .batch }
      let status = try #require(await site.lender?.status(of: [host]).hosts.first)
      #expect(status.wish == .reclaim && status.reason == "reclaimed by hand")
      await site.wish(nil, host)
      await site.lent([host])
    }
  }

  @Test(
    "a lender that is killed at any moment leaves no pod beside a job, and the next one goes on")
  func killed() async throws {
    try await withSite("kill", hosts: 4) { site in
      let hosts = (1...4).map { "kill-n\($0)" }
      await site.lent(hosts)
      var chance = Chance(seed: 11)
      for round in 0..<25 {
        for host in hosts { try await site.place("quick-\(host)-\(round)", on: host) }
        let beginning = Task { await site.begin("\(round)", hosts) }
        for _ in 0...chance.below(3) {
          try await Task.sleep(for: .milliseconds(chance.below(60)))
          await site.killLender()
          try await site.startLender()
          await site.lender?.hold("\(round)", hosts)
        }
        _ = await beginning.value
        await site.end("\(round)", hosts)
        if chance.below(2) == 0 {
          await site.killLender()
          try await site.startLender()
        }
        await site.lent(hosts)
      }
    }
  }

  @Test("nodes change hands a thousand times, and no process of a pod is ever beside a job")
  func handOvers() async throws {
    try await withSite("many", hosts: 8) { site in
      let hosts = (1...8).map { "many-n\($0)" }
      await site.lent(hosts)
      await withTaskGroup(of: Void.self) { group in
        for (number, host) in hosts.enumerated() {
          group.addTask { await handOver(site, host, seed: UInt64(number)) }
        }
      }
      let counts = try #require(await site.lender?.counts)
      #expect(counts.reclaimed >= 8 * Self.rounds && counts.faults == 0)
      #expect(counts.evicted > Self.rounds, "there were hardly any pods")
      #expect(counts.violations == 0 && counts.intruders == 0)
      #expect(counts.quickDelays.last == counts.delays)
      // The phases that hosts went through make up what jobs waited for them.
      #expect(abs(counts.phaseDelay.values.reduce(0, +) - counts.delay) < 0.01 * counts.delay)
      #expect(0 < counts.harvested && counts.harvested <= counts.idle)
      #expect(counts.lostPodTime > 0)
      let mean = Int(counts.delay / Double(counts.delays) * 1000)
      print(
        "hand-overs: \(counts.reclaimed), \(counts.evicted) pods evicted, \(counts.deleted) told; "
          + "nodes are clean after \(mean) ms in the mean, \(Int(counts.longestDelay * 1000)) ms at most"
      )
    }
  }

  /// How often each of eight hosts changes hands; `make bebida-torture` has more.
  private static let rounds =
    (getenv("LIBURNA_HAND_OVERS").flatMap { Int(String(cString: $0)) } ?? 1000) / 8

  private func handOver(_ site: Site, _ host: String, seed: UInt64) async {
    var chance = Chance(seed: seed)
    for round in 0..<Self.rounds {
      // Some pods are bound while the node is being taken, past the scheduler.
      let kind = chance.below(20) == 0 ? "stubborn" : "quick"
      let placing = Task { try? await site.place("\(kind)-\(host)-\(round)", on: host, grace: 1) }
      if chance.below(2) == 0 { await placing.value }
      await site.begin("\(host)-\(round)", [host])
      await placing.value
      await site.end("\(host)-\(round)", [host])
      await site.lent([host])
    }
  }
}
