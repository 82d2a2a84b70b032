// Resources that go out of service, that sleep, that are broken; and the dates of jobs.

import ClusterModel
import Kamelot
import Kao
import Testing

/// Two hosts of two cores, some of which are changed.
private func platform(_ changes: (ResourceID, ResourceState, Instant)...) -> Platform {
  var resources = testPlatform(hosts: 2, coresPerHost: 2).resources
  for (id, state, availableUpto) in changes {
    resources[id - 1].state = state
    resources[id - 1].availableUpto = availableUpto
  }
  return Platform(resources: resources)
}

struct AvailabilityTests {
  @Test("a job ends, security time included, before its resources go out of service")
  func availableUpto() {
    var input = snapshot(
      platform((1, .alive, 1100)),
      waiting: [
        waiting(1, ("/core=1", 90)), waiting(2, ("/core=1", 91)), waiting(3, ("/host=2", 91)),
      ])
    input.settings.jobSecurityTime = 10
    for (planner, plan) in plans(of: input, needing: [.availableUpto]) {
      #expect(plan.started == [1, 2], "\(planner)")
      #expect(plan.resources(of: 1) == [1] && plan.resources(of: 2) == [2], "\(planner)")
      #expect(plan.placement(of: 3) == nil && plan.reasons[3] != nil, "\(planner)")
    }
  }

  @Test("0, 1 and the last two instants are no end of service")
  func noBound() {
    let changed = platform(
      (1, .alive, 0), (2, .alive, 1), (3, .alive, endOfTime - 1), (4, .alive, endOfTime))
    let job = waiting(1, ("/host=2", endOfTime))
    for (planner, plan) in plans(
      of: snapshot(changed, waiting: [job]), needing: [.availableUpto])
    {
      #expect(plan.started == [1], "\(planner)")
    }
  }

  @Test("a resource whose time is over is given to nobody")
  func serviceIsOver() {
    let input = snapshot(
      platform((1, .alive, 1000), (3, .alive, 900)), waiting: [waiting(1, ("/core=2", 1))])
    for (planner, plan) in plans(of: input, needing: [.availableUpto]) {
      #expect(plan.resources(of: 1) == [2, 4], "\(planner)")
    }
  }

  @Test("sleeping resources are planned on, and woken before a job starts there")
  func sleepingResources() {
    let input = snapshot(
      platform((1, .absent, endOfTime), (2, .absent, endOfTime), (4, .absent, 0)),
      waiting: [
        waiting(1, ("/host=1", 10)), waiting(2, ("/core=1", 10)), waiting(3, ("/core=4", 9)),
      ]
    )
    for (planner, plan) in plans(of: input, needing: [.standby]) {
      #expect(plan.started == [2] && plan.resources(of: 2) == [3], "\(planner)")
      #expect(plan.start(of: 1) == 1000 && plan.resources(of: 1) == [1, 2], "\(planner)")
      #expect(plan.reasons[1]?.kind == .resources, "\(planner)")
      let text = plan.reasons[1]?.text ?? ""
      #expect(["wake", "woken", "waking"].contains(where: text.contains), "\(planner): \(text)")
      #expect(plan.placement(of: 3) == nil, "\(planner)")
    }
  }

  @Test("jobs that care for their hosts themselves start on sleeping ones")
  func startAsleep() {
    for type in ["deploy=standby", "cosystem=standby", "noop=standby"] {
      let input = snapshot(
        platform((1, .absent, endOfTime), (2, .absent, endOfTime)),
        waiting: [waiting(1, ("/host=1", 10), types: [type])])
      for (planner, plan) in plans(of: input, needing: [.standby]) {
        #expect(plan.started == [1] && plan.resources(of: 1) == [1, 2], "\(planner)")
      }
    }
  }

  @Test("a permissive job takes resources in any state but Dead")
  func permissive() {
    let broken = platform(
      (1, .suspected, endOfTime), (2, .absent, 0), (3, .dead, endOfTime))
    for type in ["noop", "cosystem"] {
      let jobs = [
        waiting(1, ("/core=3", 10), types: [type, "state=permissive"]),
        waiting(2, ("/core=2", 10)),
        waiting(3, ("/core=4", 10), types: [type, "state=permissive"]),
      ]
      for (planner, plan) in plans(
        of: snapshot(broken, waiting: jobs), needing: [.permissive])
      {
        #expect(plan.started == [1] && plan.resources(of: 1) == [1, 2, 4], "\(planner)")
        #expect(plan.placement(of: 2) == nil && plan.placement(of: 3) == nil, "\(planner)")
      }
    }
  }
}

struct DateTests {
  private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

  private func plansForJob(_ type: String, security: Seconds = 0, busyUntil end: Instant = 1050)
    -> [(planner: String, plan: Plan)]
  {
    var input = snapshot(
      twoHosts, holding: [holding(9, [1, 2], start: 900, walltime: end - 900 - security)],
      waiting: [waiting(1, ("/host=2", 100), ("/host=2", 40), types: [type])])
    input.settings.jobSecurityTime = security
    return plans(of: input, needing: [.dates])
  }

  @Test("a job that is postponed takes nothing before its date")
  func postponed() {
    for (planner, plan) in plansForJob("postpone=\(dateText(1075))") {
      #expect(plan.start(of: 1) == 1075, "\(planner)")
    }
    for (planner, plan) in plansForJob("postpone=\(dateText(900))") {
      #expect(plan.start(of: 1) == 1050, "\(planner)")
    }
  }

  @Test("a job ends by its deadline, not counting the security time, or has no place")
  func deadline() {
    for (planner, plan) in plansForJob("deadline=\(dateText(1090))", security: 30) {
      #expect(plan.start(of: 1) == 1050 && plan.placement(of: 1)?.moldable == 1, "\(planner)")
    }
    for (planner, plan) in plansForJob("deadline=\(dateText(1089))") {
      #expect(plan.placement(of: 1) == nil && plan.reasons[1] != nil, "\(planner)")
    }
  }

  @Test("a job that has not started by the date of its expiry is given up")
  func expiry() {
    for (planner, plan) in plansForJob("expire=\(dateText(999))") {
      #expect(plan.placement(of: 1) == nil && plan.reasons[1] != nil, "\(planner)")
    }
    for (planner, plan) in plansForJob("expire=\(dateText(1000))") {
      #expect(plan.start(of: 1) == 1050, "\(planner)")
    }
  }
}
