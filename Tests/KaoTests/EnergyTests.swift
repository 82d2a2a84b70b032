// Which hosts sleep and which are woken.

import ClusterModel
import Kamelot
import Kao
import Testing

private let now: Instant = 1_000_000

/// Five resources on three hosts, as two, two and one.
private func resources(
  _ state: ResourceState, availableUpto: Instant, edit: (inout Resource) -> Void = { _ in }
) -> [Resource] {
  (1...5).map { id in
    var resource = Resource(id: id)
    resource.networkAddress = "localhost\((id - 1) / 2)"
    resource.state = state
    resource.availableUpto = availableUpto
    edit(&resource)
    return resource
  }
}

private func hosts(
  _ resources: [Resource], holding: [HoldingJob] = [], starts: [Placement] = [],
  predictions: [Placement] = []
) -> [EnergyHost] {
  var plan = Plan()
  plan.starts = starts
  plan.predictions = predictions
  return EnergyHost.all(
    on: Platform(resources: resources), holding: holding, plan: plan, securityTime: 60)
}

/// A job planned from so many seconds after now.
private func placed(
  _ resources: [ResourceID], after delay: Seconds = 0, walltime: Seconds = 60
) -> Placement {
  Placement(
    job: 1, start: now + delay, end: now + delay + walltime + 60 - 1, moldable: 0,
    resources: resources, on: Platform(resources: (1...64).map { Resource(id: $0) }))
}

private func settings(_ text: String = "") throws -> EnergySettings {
  try EnergySettings(
    Configuration(
      parsing: "SCHEDULER_NODE_MANAGER_WAKE_UP_CMD=wake\nSCHEDULER_NODE_MANAGER_SLEEP_CMD=halt\n"
        + text))
}

private func moves(_ hosts: [EnergyHost], _ text: String = "") throws -> ([String], [String]) {
  let plan = Energy.plan(hosts, settings: try settings(text), now: now)
  #expect((plan.wake + plan.halt).allSatisfy { !$0.reason.isEmpty })
  return (plan.wake.map(\.host), plan.halt.map(\.host))
}

struct WakeTests {
  @Test("hosts that sleep are woken for the job that is planned there")
  func wakeForJob() throws {
    let asleep = hosts(
      resources(.absent, availableUpto: now + 50_000), predictions: [placed([1, 2, 3, 4])])
    let plan = Energy.plan(asleep, settings: try settings(), now: now)
    #expect(plan.wake.map(\.host) == ["localhost0", "localhost1"])
    #expect(plan.wake.first?.reason == "Job 1 starts there in 0 s.")
    #expect(plan.halt.isEmpty)
  }

  @Test("a host is woken as long before a job as it takes, not earlier")
  func wakeupTime() throws {
    let upto = now + 50_000
    let soon = hosts(
      resources(.absent, availableUpto: upto), predictions: [placed([5], after: 600)])
    #expect(try moves(soon) == (["localhost2"], []))
    let later = hosts(
      resources(.absent, availableUpto: upto), predictions: [placed([5], after: 601)])
    #expect(try moves(later) == ([], []))
    #expect(try moves(later, "SCHEDULER_NODE_MANAGER_WAKEUP_TIME=700") == (["localhost2"], []))
  }

  @Test(
    "available_upto says whether a host may be woken",
    arguments: [
      (0, false), (1, false), (2_147_483_646, true), (2_147_483_647, true), (now + 100, true),
      (now + 99, false), (now - 1, false),
    ])
  func availableUpto(value: Instant, wakes: Bool) throws {
    let asleep = hosts(
      resources(.absent, availableUpto: value), predictions: [placed([5], walltime: 100)])
    #expect(try moves(asleep) == (wakes ? ["localhost2"] : [], []))
  }

  @Test("hosts that are down, up or waking already are not woken")
  func notAsleep() throws {
    for state in [ResourceState.suspected, .dead, .alive] {
      let input = hosts(
        resources(state, availableUpto: endOfTime), predictions: [placed([5])])
      #expect(try moves(input) == ([], []))
    }
    var waking = hosts(resources(.absent, availableUpto: endOfTime), predictions: [placed([5])])
    waking[2].change = .waking
    #expect(try moves(waking) == ([], []))
  }

  @Test("a resource in maintenance does not keep its host from being woken for the others")
  func partMaintenance() throws {
    let asleep = hosts(
      resources(.absent, availableUpto: endOfTime) { if $0.id == 1 { $0.availableUpto = 0 } },
      predictions: [placed([2])])
    #expect(try moves(asleep) == (["localhost0"], []))
    let maintenance = hosts(
      resources(.absent, availableUpto: endOfTime) { if $0.id == 1 { $0.availableUpto = 0 } },
      predictions: [placed([1])])
    #expect(try moves(maintenance) == ([], []))
  }
}

struct HaltTests {
  @Test("hosts that nobody needs go to sleep")
  func idleHosts() throws {
    let idle = hosts(resources(.alive, availableUpto: now + 50_000), starts: [placed([1])])
    #expect(try moves(idle) == ([], ["localhost1", "localhost2"]))
  }

  @Test(
    "available_upto says whether a host may be put to sleep",
    arguments: [
      (0, false), (1, true), (2_147_483_646, true), (2_147_483_647, false), (now + 100, true),
      (now - 1, true),
    ])
  func availableUpto(value: Instant, halts: Bool) throws {
    let all = ["localhost0", "localhost1", "localhost2"]
    #expect(try moves(hosts(resources(.alive, availableUpto: value))) == ([], halts ? all : []))
  }

  @Test("a host with one resource that may not sleep stays up")
  func mixedRights() throws {
    let mixed = resources(.alive, availableUpto: 1) {
      if $0.id == 4 { $0.availableUpto = endOfTime }
    }
    #expect(try moves(hosts(mixed)) == ([], ["localhost0", "localhost2"]))
  }

  @Test("a job that holds any resource of a host keeps it up")
  func busyHost() throws {
    let holding = [
      HoldingJob(
        id: 9, resources: [2, 3], start: 0, walltime: 60, isBesteffort: true, isEnding: false)
    ]
    #expect(
      try moves(hosts(resources(.alive, availableUpto: 1), holding: holding)) == (
        [], ["localhost2"]
      ))
  }

  @Test("a host sleeps when its last job is longer ago than the idle time")
  func idleTime() throws {
    let recent = resources(.alive, availableUpto: 1) {
      $0.lastJobDate = now - ($0.id == 5 ? 600 : 601)
    }
    #expect(try moves(hosts(recent)) == ([], ["localhost0", "localhost1"]))
    #expect(
      try moves(hosts(recent), "SCHEDULER_NODE_MANAGER_IDLE_TIME=599").1.contains("localhost2"))
  }

  @Test("a host sleeps if the next job there is farther off than the sleep time")
  func sleepTime() throws {
    let input = hosts(
      resources(.alive, availableUpto: 1),
      predictions: [placed([1], after: 600), placed([3], after: 601)])
    #expect(try moves(input) == ([], ["localhost1", "localhost2"]))
  }

  @Test("a host that was woken within the idle time, or is being halted, is left alone")
  func recentChanges() throws {
    var input = hosts(resources(.alive, availableUpto: 1))
    input[0].lastWake = now - 600
    input[1].change = .halting
    #expect(try moves(input) == ([], ["localhost2"]))
  }

  @Test("hosts that are not up, or only in part, are not put to sleep")
  func notAlive() throws {
    let states: [ResourceState] = [.alive, .suspected, .absent, .absent, .dead]
    #expect(
      try moves(hosts(resources(.alive, availableUpto: 1) { $0.state = states[$0.id - 1] }))
        == ([], []))
    let partDead = resources(.alive, availableUpto: 1) { if $0.id == 1 { $0.state = .dead } }
    #expect(try moves(hosts(partDead)).1.contains("localhost0"))
  }

  @Test("resources without a host are left out")
  func noHost() throws {
    var licence = Resource(id: 9)
    licence.availableUpto = 1
    #expect(hosts([licence]).isEmpty)
  }
}

struct KeepAliveTests {
  @Test("so many hosts stay awake, those that planning prefers")
  func minimum() throws {
    let idle = hosts(resources(.alive, availableUpto: 1))
    let keep = "ENERGY_SAVING_NODES_KEEPALIVE=\"type='default':2\""
    #expect(try moves(idle, keep) == ([], ["localhost2"]))
    #expect(try moves(idle, "ENERGY_SAVING_NODES_KEEPALIVE=\"type='default':0\"").1.count == 3)
  }

  @Test("hosts are woken if fewer are awake than must be")
  func wakeToMinimum() throws {
    let states: [ResourceState] = [.alive, .alive, .suspected, .suspected, .absent]
    let input = hosts(resources(.alive, availableUpto: endOfTime) { $0.state = states[$0.id - 1] })
    let keep = "ENERGY_SAVING_NODES_KEEPALIVE=\"type='default':"
    #expect(try moves(input, keep + "1\"") == ([], []))
    #expect(try moves(input, keep + "2\"") == (["localhost2"], []))
    #expect(try moves(input, keep + "3\"") == (["localhost2"], []))
    let noWake = hosts(resources(.absent, availableUpto: 1))
    #expect(try moves(noWake, keep + "3\"") == ([], []))
  }

  @Test("a host that is being woken counts as awake, one that is being halted does not")
  func changesCount() throws {
    var input = hosts(resources(.absent, availableUpto: 2_147_483_646))
    input[0].change = .waking
    let keep = "ENERGY_SAVING_NODES_KEEPALIVE=\"type='default':1\""
    #expect(try moves(input, keep) == ([], []))
    input[0].change = .halting
    #expect(try moves(input, keep) == (["localhost1"], []))
  }

  @Test(
    "each kind of host has a number of its own, joined as in OAR 2 or OAR 3", arguments: ["&", ","])
  func kinds(separator: String) throws {
    let idle = hosts(
      resources(.alive, availableUpto: 1) {
        $0.properties["cluster"] = .text($0.id == 5 ? "b" : "a")
      })
    let keep =
      "ENERGY_SAVING_NODES_KEEPALIVE=\"cluster in ('a','c'):1 \(separator) cluster = 'b':1\""
    #expect(try moves(idle, keep) == ([], ["localhost1"]))
  }

  @Test("a kind by a property that does not exist puts no host to sleep and is told")
  func unknownProperty() throws {
    let idle = hosts(resources(.alive, availableUpto: 1))
    let plan = Energy.plan(
      idle, settings: try settings("ENERGY_SAVING_NODES_KEEPALIVE=\"clutser='a':1\""), now: now)
    #expect(plan.halt.isEmpty)
    #expect(plan.problems.count == 1)
    #expect(plan.problems[0].contains("\"clutser\""))
  }
}

struct EnergySettingsTests {
  @Test("without commands, hosts are neither woken nor put to sleep")
  func off() throws {
    for text in ["", "ENERGY_SAVING_INTERNAL=yes\nSCHEDULER_NODE_MANAGER_SLEEP_CMD=halt"] {
      let settings = try EnergySettings(Configuration(parsing: text))
      #expect(!settings.wakesHosts && !settings.haltsHosts)
      let idle = hosts(resources(.alive, availableUpto: 1))
      #expect(Energy.plan(idle, settings: settings, now: now) == EnergyPlan())
      let asleep = hosts(resources(.absent, availableUpto: endOfTime), predictions: [placed([1])])
      #expect(Energy.plan(asleep, settings: settings, now: now) == EnergyPlan())
    }
    #expect(try !settings("ENERGY_SAVING_MODE=\"\"").haltsHosts)
    #expect(try settings("ENERGY_SAVING_MODE=metascheduler_decision_making").haltsHosts)
  }

  @Test("the variables are read, with OAR's defaults")
  func variables() throws {
    let plain = try settings()
    #expect((plain.idleTime, plain.sleepTime, plain.wakeupTime) == (600, 600, 600))
    let full = try settings(
      """
      SCHEDULER_NODE_MANAGER_IDLE_TIME=1
      SCHEDULER_NODE_MANAGER_SLEEP_TIME=2
      SCHEDULER_NODE_MANAGER_WAKEUP_TIME=3
      ENERGY_SAVING_NODES_KEEPALIVE="type='default':4"
      """)
    #expect((full.idleTime, full.sleepTime, full.wakeupTime) == (1, 2, 3))
    #expect(full.keepAlive.map(\.text) == ["type='default'"])
    #expect(full.keepAlive.map(\.count) == [4])
    let internally = try EnergySettings(
      Configuration(
        parsing: "ENERGY_SAVING_INTERNAL=yes\nENERGY_SAVING_NODE_MANAGER_SLEEP_CMD=halt"))
    #expect(internally.haltsHosts && !internally.wakesHosts)
  }

  @Test(
    "a value that can't be used is refused by name",
    arguments: [
      ("ENERGY_SAVING_MODE=sometimes", "ENERGY_SAVING_MODE"),
      ("SCHEDULER_NODE_MANAGER_IDLE_TIME=-1", "SCHEDULER_NODE_MANAGER_IDLE_TIME"),
      ("ENERGY_SAVING_NODES_KEEPALIVE=3", "ENERGY_SAVING_NODES_KEEPALIVE"),
      ("ENERGY_SAVING_NODES_KEEPALIVE=\"type='default'\"", "ENERGY_SAVING_NODES_KEEPALIVE"),
      ("ENERGY_SAVING_NODES_KEEPALIVE=\"type='default':-1\"", "ENERGY_SAVING_NODES_KEEPALIVE"),
      ("ENERGY_SAVING_NODES_KEEPALIVE=\":1\"", "ENERGY_SAVING_NODES_KEEPALIVE"),
      ("ENERGY_SAVING_NODES_KEEPALIVE=\"type >< 1:1\"", "ENERGY_SAVING_NODES_KEEPALIVE"),
    ])
  func refused(text: String, name: String) {
    let error = #expect(throws: ConfigurationError.self) { try settings(text) }
    #expect(error?.name == name)
  }
}

struct EnergyOfPassTests {
  @Test("a pass that is asked to decides about hosts by its own placements; others do not")
  func passes() throws {
    var input = Snapshot(now: now, platform: Platform(resources: []))
    input.settings.usesSleepingHosts = true
    input.platform = Platform(
      resources: resources(.absent, availableUpto: endOfTime) {
        $0.properties["core"] = .integer($0.id)
      })
    input.waiting = [waiting(1, ("/core=4", 100))]
    #expect(Kao.plan(input).energy == nil)
    input.energy = try settings()
    let energy = try #require(Kao.plan(input).energy)
    #expect(energy.wake.map(\.host) == ["localhost0", "localhost1"])
    #expect(energy.halt.isEmpty)
  }
}
