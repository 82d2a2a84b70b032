// Jobs that wait for other jobs.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

struct DependencyTests {
  @Test("a job starts when the one that it depends on has ended, to the second")
  func plannedDependency() throws {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        waiting: [
          waiting(1, ("/core=1", 70)), waiting(2, ("/core=1", 10), after: [.waiting(1)]),
          waiting(3, ("/core=1", 10), after: [.satisfied, .waiting(2), .waiting(1)]),
        ]))
    #expect(plan.started == [1])
    #expect(plan.placement(of: 2)?.start == 1070)
    #expect(plan.placement(of: 3)?.start == 1080)
    #expect(plan.reasons[2]?.kind == .dependency)
    #expect(plan.reasons[2]?.blockers == [1])
    #expect(plan.reasons[3]?.blockers == [2])
  }

  @Test("a job whose dependency has no place has none either, and takes nothing from others")
  func unplacedDependency() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        waiting: [
          waiting(1, ("/host=6", 10)), waiting(2, ("/host=2", 10), after: [.waiting(1)]),
          waiting(3, ("/host=2", 10)),
        ]))
    #expect(plan.placement(of: 2) == nil)
    #expect(plan.reasons[2]?.kind == .dependency)
    #expect(plan.reasons[2]?.blockers == [1])
    #expect(plan.started == [3])
  }

  @Test("a job that depends on a running job is not planned, one whose dependency ended well is")
  func runningAndSatisfied() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(9, [1], walltime: 1100)],
        waiting: [
          waiting(1, ("/core=1", 10), after: [.running(9)]),
          waiting(2, ("/core=1", 10), after: [.satisfied]),
        ]))
    #expect(plan.started == [2])
    #expect(plan.placement(of: 1) == nil)
    #expect(plan.reasons[1] == Reason(.dependency, plan.reasons[1]?.text ?? "", blockers: [9]))
  }

  @Test("a dependency that is planned later, such as one of a lower queue, is waited for")
  func dependencyPlannedLater() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        waiting: [
          waiting(1, ("/core=1", 30)),
          waiting(2, ("/host=1", 10), queue: "admin", after: [.waiting(1)]),
          waiting(3, ("/host=1", 10), queue: "admin", after: [.waiting(4)]),
          waiting(4, ("/core=1", 200), types: ["besteffort"]),
        ]))
    #expect(plan.placement(of: 2)?.start == 1030)
    #expect(plan.placement(of: 3)?.start == 1200)
  }
}
