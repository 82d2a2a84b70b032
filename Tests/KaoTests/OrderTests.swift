// Who comes first, and what holding jobs and settings do to the plan.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

struct OrderTests {
  @Test("queues come by priority, and within a queue the job that was submitted first")
  func queuesByPriority() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        waiting: [
          waiting(1, ("/host=2", 10)), waiting(2, ("/host=2", 10)),
          waiting(3, ("/host=2", 10), queue: "admin"),
        ]))
    #expect(plan.started == [3])
    #expect(plan.placement(of: 1)?.start == 1010)
    #expect(plan.placement(of: 2)?.start == 1020)
  }

  @Test("a short job fills a hole without moving the jobs before it")
  func backfilling() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(9, [1, 2], start: 900, walltime: 200)],
        waiting: [
          waiting(1, ("/host=2", 50)), waiting(2, ("/host=1", 101)), waiting(3, ("/host=1", 100)),
        ]))
    #expect(plan.placement(of: 1)?.start == 1100)
    #expect(plan.placement(of: 2)?.start == 1150)
    #expect(plan.started == [3])
    #expect(plan.placement(of: 3)?.resources == [3, 4])
  }

  @Test("the moldable that ends first is taken, the first of them if they end together")
  func moldableByFinish() {
    let wide = ("/host=2", 40)
    let narrow = ("/host=1", 60)
    let busy = [holding(9, [1], start: 1000, walltime: 30)]
    let plan = Kao.plan(
      snapshot(twoHosts, holding: busy, waiting: [waiting(1, wide, narrow)]))
    #expect(plan.placement(of: 1)?.moldable == 1)
    #expect(plan.placement(of: 1)?.start == 1000)
    let tie = Kao.plan(
      snapshot(twoHosts, holding: busy, waiting: [waiting(1, ("/host=2", 30), narrow)]))
    #expect(tie.placement(of: 1)?.moldable == 0)
    #expect(tie.placement(of: 1)?.start == 1030)
  }

  @Test("security time follows every job, holding ones included")
  func securityTime() {
    var input = snapshot(
      twoHosts, holding: [holding(9, [1, 2, 3, 4], start: 990, walltime: 20)],
      waiting: [waiting(1, ("/host=2", 10)), waiting(2, ("/host=2", 10))])
    input.settings.jobSecurityTime = 60
    let plan = Kao.plan(input)
    #expect(plan.placement(of: 1)?.start == 1070)
    #expect(plan.placement(of: 1)?.end == 1139)
    #expect(plan.placement(of: 2)?.start == 1140)
  }

  @Test("a holding job that is overdue keeps its resources for another second at least")
  func overdueHolder() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(9, [1, 2, 3, 4], start: 0, walltime: 10)],
        waiting: [waiting(1, ("/host=1", 10))]))
    #expect(plan.starts.isEmpty)
    #expect(plan.placement(of: 1)?.start == 1001)
  }

  @Test("resources that are not Alive are given to nobody")
  func resourcesThatAreDown() {
    let platform = testPlatform(hosts: 2, coresPerHost: 2, down: [1, 2])
    let plan = Kao.plan(
      snapshot(platform, waiting: [waiting(1, ("/core=2", 10)), waiting(2, ("/core=1", 10))]))
    #expect(plan.placement(of: 1)?.resources == [3, 4])
    #expect(plan.placement(of: 2)?.start == 1010)
  }

  @Test("only so many jobs of each priority are planned in a pass, those that come first")
  func jobsPerPass() {
    var input = snapshot(
      twoHosts,
      waiting: [
        waiting(1, ("/core=1", 10)), waiting(2, ("/host=7", 10)), waiting(3, ("/core=1", 10)),
        waiting(4, ("/core=1", 10), queue: "admin"), waiting(5, ("/core=1", 10)),
      ])
    input.settings.jobsPerPass = 2
    let plan = Kao.plan(input)
    #expect(plan.started == [4, 1, 3])
    #expect(plan.reasons[2]?.kind == .impossible)
    #expect(plan.reasons[5]?.kind == .order)
    input.settings.jobsPerPass = 0
    #expect(Kao.plan(input).started == [4, 1, 3, 5])
  }

  @Test("container, time-sharing, noop, cosystem and deploy jobs take places of their own")
  func typesThatArePlacedAsUsual() {
    let types = ["container=c1", "timesharing=*,*", "noop", "cosystem=standby", "deploy"]
    let jobs = types.enumerated().map { waiting($0 + 1, ("/host=2", 10), types: [$1]) }
    let plan = Kao.plan(snapshot(twoHosts, waiting: jobs))
    #expect(jobs.compactMap { plan.placement(of: $0.id)?.start } == [1000, 1010, 1020, 1030, 1040])
  }

  @Test("what jobs hold of resources that are gone is of no concern")
  func holdersOfUnknownResources() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(9, [1, 77], walltime: 5000), holding(8, [], walltime: 5000)],
        waiting: [waiting(1, ("/core=3", 10))]))
    #expect(plan.placement(of: 1)?.resources == [2, 3, 4])
  }
}
