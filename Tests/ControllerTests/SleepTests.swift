// Hosts that sleep: told to, and woken, for what is planned; what becomes of those that fail to.

import ClusterModel
import Glibc
import Kao
import Testing
import Wire

@testable import Controller

private let saving = """
  SCHEDULER_JOB_SECURITY_TIME=0
  SCHEDULER_NODE_MANAGER_WAKE_UP_CMD=/bin/true
  SCHEDULER_NODE_MANAGER_SLEEP_CMD=/bin/true
  ENERGY_SAVING_NODE_MANAGER_WAKEUP_TIMEOUT=100
  """

/// Two hosts that may sleep and be woken, up and long idle.
private func idleCluster() -> ClusterState {
  var state = smallCluster()
  for id in 1...4 { state.resources[id]?.availableUpto = endOfTime - 1 }
  return state
}

extension ClusterState {
  fileprivate mutating func plan(at now: Instant, _ configuration: String = saving) throws {
    _ = try pass(at: now, depth: .whole, as: settings(configuration))
  }

  fileprivate mutating func save(
    at now: Instant, _ configuration: String = saving
  ) throws -> Outcome {
    var outcome = Outcome()
    _ = try decideSleep(settings: settings(configuration), at: now, &outcome)
    return outcome
  }

  fileprivate mutating func follow(at now: Instant, connected: Set<String>) -> Outcome {
    var outcome = Outcome()
    followTransitions(at: now, isConnected: connected.contains, &outcome)
    return outcome
  }

  fileprivate func states(of host: String) -> Set<ResourceState> {
    Set(resources.values.filter { $0.networkAddress == host }.map(\.state))
  }
}

extension Outcome {
  fileprivate var told: [String] {
    effects.compactMap {
      switch $0 {
      case .wakeHosts(let hosts): "wake \(hosts.joined(separator: " "))"
      case .haltHosts(let hosts): "sleep \(hosts.joined(separator: " "))"
      default: nil
      }
    }
  }

  fileprivate var events: [String] {
    changes.compactMap { if case .event(let event) = $0 { event.type } else { nil } }
  }
}

@Suite("Hosts that sleep") struct SleepTests {
  @Test("idle hosts become Absent and are told to sleep; busy ones and those in use soon are not")
  func halt() throws {
    var state = idleCluster()
    _ = try state.accept(submission("host=1,walltime=1"))
    try state.plan(at: 10_000)
    let outcome = try state.save(at: 10_000)
    #expect(outcome.told == ["sleep node2"] && outcome.events == ["HALT_NODE"])
    #expect(state.states(of: "node2") == [.absent] && state.states(of: "node1") == [.alive])
    #expect(state.needsPlan)
    #expect(try state.save(at: 10_001).told == [], "it was told before")
    var reserved = idleCluster()
    var wanted = submission("host=2,walltime=1")
    wanted.reservationStart = 10_600
    _ = try reserved.accept(wanted)
    try reserved.plan(at: 10_000)
    #expect(try reserved.save(at: 10_000).told == [])
  }

  @Test(
    "a host is not told to sleep soon after a job ended there, nor while one is suspended there")
  func recent() throws {
    var state = idleCluster()
    _ = try state.accept(submission("host=2,walltime=1"))
    try state.plan(at: 10_000)
    var outcome = Outcome()
    state.move(1, to: .running, at: 10_000, &outcome)
    state.move(1, to: .suspended, at: 10_001, &outcome)
    #expect(try state.save(at: 20_000).told == [])
    state.end(1, as: .terminated, status: 0, at: 20_000, &outcome)
    #expect(try state.save(at: 20_600).told == [])
    #expect(try state.save(at: 20_601).told == ["sleep node1 node2"])
  }

  @Test("a job is planned on hosts that sleep, which are woken for it; it starts when they answer")
  func wake() throws {
    var state = idleCluster()
    _ = try state.save(at: 10_000)
    #expect(state.follow(at: 10_001, connected: ["node1"]).changes.isEmpty)
    #expect(state.transitions.keys.sorted() == ["node1"], "node2 sleeps, node1 still answers")
    _ = state.follow(at: 10_002, connected: [])
    _ = try state.accept(submission("host=2,walltime=1"))
    try state.plan(at: 10_010)
    #expect(state.holding.isEmpty)
    let outcome = try state.save(at: 10_010)
    #expect(outcome.told == ["wake node1 node2"] && outcome.events.count == 2)
    #expect(try state.save(at: 10_011).told == [], "they were told before")
    _ = state.follow(at: 10_050, connected: ["node1"])
    #expect(state.states(of: "node1") == [.alive] && state.states(of: "node2") == [.absent])
    try state.plan(at: 10_050)
    #expect(state.holding.isEmpty)
    _ = state.follow(at: 10_060, connected: ["node1", "node2"])
    try state.plan(at: 10_060)
    #expect(state.holding == [1])
  }

  @Test("a host that does not wake in time is suspected, and healed once it answers")
  func wakeFails() throws {
    var state = idleCluster()
    _ = try state.save(at: 10_000)
    _ = state.follow(at: 10_001, connected: [])
    _ = try state.accept(submission("host=1,walltime=1"))
    try state.plan(at: 10_010)
    #expect(try state.save(at: 10_010).told == ["wake node1"])
    #expect(state.follow(at: 10_109, connected: []).changes.isEmpty)
    #expect(state.follow(at: 10_110, connected: []).events == ["LOG_SUSPECTED"])
    #expect(state.states(of: "node1") == [.suspected])
    try state.plan(at: 10_110)
    #expect(try state.save(at: 10_110).told == ["wake node2"], "another one is asked")
    var outcome = Outcome()
    state.healHost("node1", at: 10_200, &outcome)
    #expect(state.states(of: "node1") == [.alive])
  }

  @Test("a host that was told to sleep and goes on answering is in use again")
  func haltFails() throws {
    var state = idleCluster()
    _ = try state.save(at: 10_000)
    _ = state.follow(at: 10_299, connected: ["node1", "node2"])
    #expect(state.states(of: "node1") == [.absent])
    _ = state.follow(at: 10_300, connected: ["node1", "node2"])
    #expect(state.states(of: "node1") == [.alive])
    #expect(try state.save(at: 10_301).told == [], "not at once again")
  }

  @Test("hosts that an admin took away are neither woken nor put into use")
  func maintenance() throws {
    var state = idleCluster()
    _ = try state.save(at: 10_000)
    var setting = ResourceSetting()
    setting.maintenance = true
    var outcome = Outcome()
    let selected = [1, 2].compactMap { state.resources[$0] }
    _ = try state.set(setting, on: selected, at: 10_001, &outcome)
    _ = state.follow(at: 10_300, connected: ["node1"])
    #expect(state.states(of: "node1") == [.absent])
    _ = try state.accept(submission("host=1,walltime=1"))
    try state.plan(at: 10_310)
    #expect(try state.save(at: 10_310).told == ["wake node2"])
  }

  @Test("so many hosts of a kind stay awake as the site wants, and a mistake there lets none sleep")
  func keepAlive() throws {
    var state = idleCluster()
    let one = saving + "\nENERGY_SAVING_NODES_KEEPALIVE=\"type='default':1\"\n"
    #expect(try state.save(at: 10_000, one).told == ["sleep node2"])
    var other = idleCluster()
    var outcome = Outcome()
    let wrong = saving + "\nENERGY_SAVING_NODES_KEEPALIVE=\"nosuch='a':1\"\n"
    let problems = try other.decideSleep(settings: settings(wrong), at: 10_000, &outcome)
    #expect(problems.count == 1 && outcome.told == [])
  }

  @Test("without commands nobody sleeps and nobody is planned on hosts that are gone")
  func off() throws {
    #expect(try settings().sleep == nil)
    #expect(try settings().planning.usesSleepingHosts == false)
    #expect(try settings(saving).planning.usesSleepingHosts)
    var state = idleCluster()
    #expect(try state.save(at: 10_000, "").told == [])
  }

  @Test("time to wake depends on how many are woken together")
  func timeouts() throws {
    let steps = saving + "\nENERGY_SAVING_NODE_MANAGER_WAKEUP_TIMEOUT=\"1:500 11:1000 21:2000\"\n"
    let sleep = try #require(try settings(steps).sleep)
    #expect(
      [1, 10, 11, 15, 21, 99].map { sleep.wakeTimeout(of: $0) } == [
        500, 500, 1000, 1000, 2000, 2000,
      ])
    for wrong in ["x", "0", "1:2:3", "0:5", "5:"] {
      #expect(throws: (any Error).self) {
        try settings("ENERGY_SAVING_NODE_MANAGER_WAKEUP_TIMEOUT=\"\(wrong)\"")
      }
    }
  }

  @Test("the site's command gets the hosts on its standard input, without a shell in between")
  func command() async throws {
    let path = "/tmp/liburna-sleep-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    defer { unlink(path) }
    let stage = try await Stage(
      configuration:
        "SCHEDULER_JOB_SECURITY_TIME=0\nSCHEDULER_NODE_MANAGER_SLEEP_CMD=\"tee \(path)\"")
    await stage.act { controller in
      for id in 1...4 { controller.state.resources[id]?.availableUpto = endOfTime - 1 }
      controller.manageSleep(at: Controller.now)
    }
    #expect(await stage.act { $0.state.states(of: "node1") } == [.absent])
    var text = ""
    while !text.hasSuffix("\n") {
      text = (try? SiteFile(variable: "", path: path).text()) ?? ""
      await Task.yield()
    }
    #expect(text == "node1 node2\n")
    await stage.end()
  }
}
