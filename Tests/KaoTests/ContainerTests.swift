// Containers and the jobs inside.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

private func running(_ id: JobID, _ resources: [ResourceID], _ types: [String], until end: Instant)
  -> HoldingJob
{
  var job = holding(id, resources, start: 900, walltime: end - 900)
  job.types = types
  return job
}

struct ContainerTests {
  @Test("inner jobs get the container's resources in its time, one after the other")
  func inside() {
    let jobs = [
      waiting(1, ("/host=1", 100), types: ["container"], properties: "host='h2'"),
      waiting(2, ("/core=2", 40), types: ["inner=1"]),
      waiting(3, ("/core=1", 60), types: ["inner=1"]),
      waiting(4, ("/core=1", 61), types: ["inner=1"]), waiting(5, ("/host=2", 10)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.containers])
    {
      #expect(plan.started == [1, 2], "\(planner)")
      #expect(plan.resources(of: 2) == [3, 4], "\(planner)")
      #expect(plan.start(of: 3) == 1040 && plan.resources(of: 3) == [3], "\(planner)")
      #expect(plan.placement(of: 4) == nil && plan.reasons[4] != nil, "\(planner)")
      #expect(plan.start(of: 5) == 1100, "\(planner)")
    }
  }

  @Test("an inner job ends, security time included, before its container's security time")
  func securityInside() {
    var input = snapshot(
      twoHosts,
      waiting: [
        waiting(1, ("/host=1", 100), types: ["container=c"]),
        waiting(2, ("/core=1", 91), types: ["inner=c"]),
        waiting(3, ("/core=1", 90), types: ["inner=c"]),
      ])
    input.settings.jobSecurityTime = 10
    for (planner, plan) in plans(of: input, needing: [.containers]) {
      #expect(plan.placement(of: 2) == nil, "\(planner)")
      #expect(plan.placement(of: 3)?.end == 1099, "\(planner)")
    }
  }

  @Test("an inner job that comes before its container in order has no place")
  func innerFirst() {
    let jobs = [
      waiting(1, ("/core=1", 10), types: ["inner=c"]),
      waiting(2, ("/host=1", 100), types: ["container=c"]),
      waiting(3, ("/core=1", 10), queue: "admin", types: ["inner=c"]),
      waiting(4, ("/host=9", 100), types: ["container=d"]),
      waiting(5, ("/core=1", 10), types: ["inner=d"]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.containers])
    {
      #expect(plan.started == [2] && plan.predictions.isEmpty, "\(planner)")
      #expect([1, 3, 4, 5].allSatisfy { plan.reasons[$0] != nil }, "\(planner)")
    }
  }

  @Test("several jobs feed one container, side by side and one after the other")
  func severalFeeders() {
    let jobs = [
      waiting(1, ("/host=1", 50), types: ["container=c"]),
      waiting(2, ("/host=1", 100), types: ["container=c"]),
      waiting(3, ("/host=1", 50), types: ["container=c"]),
      waiting(4, ("/host=2", 100), types: ["inner=c"]),
      waiting(5, ("/host=2", 10), types: ["inner=c"]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.containers])
    {
      #expect(plan.started == [1, 2, 4], "\(planner)")
      #expect(plan.start(of: 3) == 1050, "\(planner)")
      #expect(plan.placement(of: 5) == nil, "\(planner)")
    }
  }

  @Test("containers nest")
  func nested() {
    let jobs = [
      waiting(1, ("/host=2", 100), types: ["container=c"]),
      waiting(2, ("/host=1", 80), types: ["inner=c", "container=d"]),
      waiting(3, ("/core=2", 50), types: ["inner=d"]),
      waiting(4, ("/core=2", 50), types: ["inner=d"]),
      waiting(5, ("/host=1", 50), types: ["inner=c"]),
      waiting(6, ("/core=1", 10), types: ["inner=d"]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.containers])
    {
      #expect(plan.started == [1, 2, 3, 5], "\(planner)")
      #expect(plan.placement(of: 4) == nil, "\(planner)")
      #expect(plan.start(of: 6) == 1050, "\(planner)")
    }
  }

  @Test("a container that runs has room for the rest of its time, less what runs inside")
  func runningContainer() {
    let holders = [
      running(9, [1, 2], ["container"], until: 1100),
      running(10, [1], ["inner=9"], until: 1030),
    ]
    let jobs = [
      waiting(1, ("/core=2", 70), types: ["inner=9"]),
      waiting(2, ("/core=1", 30), types: ["inner=9"]),
      waiting(3, ("/core=1", 31), types: ["inner=9"]), waiting(4, ("/core=3", 10)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, holding: holders, waiting: jobs), needing: [.containers])
    {
      #expect(plan.start(of: 1) == 1030, "\(planner)")
      #expect(plan.started == [2] && plan.resources(of: 2) == [2], "\(planner)")
      #expect(plan.placement(of: 3) == nil, "\(planner)")
      #expect(plan.start(of: 4) == 1100, "\(planner)")
    }
  }

  @Test("an inner job does not start while its container waits for besteffort jobs to end")
  func containerWaitsForVictims() {
    let guest = holding(9, [1], start: 900, walltime: 500, besteffort: true)
    let jobs = [
      waiting(1, ("/host=2", 100), types: ["container=c"]),
      waiting(2, ("/core=1", 10), types: ["inner=c"], properties: "host='h2'"),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, holding: [guest], waiting: jobs), needing: [.containers])
    {
      #expect(plan.victims == [9] && plan.starts.isEmpty, "\(planner)")
      #expect(plan.start(of: 1) == 1000 && plan.start(of: 2) == 1000, "\(planner)")
      #expect(plan.reasons[1] != nil && plan.reasons[2] != nil, "\(planner)")
    }
  }

  @Test("a job inside may end a besteffort job inside, and none outside")
  func besteffortInside() {
    var guest = holding(10, [1, 2], start: 950, walltime: 50_000, besteffort: true)
    guest.types = ["besteffort", "inner=9"]
    let outside = holding(11, [3, 4], start: 950, walltime: 50_000, besteffort: true)
    let holders = [running(9, [1, 2], ["container"], until: 1100), guest, outside]
    let jobs = [waiting(1, ("/core=1", 10), types: ["inner=9"])]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, holding: holders, waiting: jobs), needing: [.containers])
    {
      #expect(plan.victims == [10] && plan.starts.isEmpty, "\(planner)")
      #expect(plan.start(of: 1) == 1000, "\(planner)")
    }
  }
}
