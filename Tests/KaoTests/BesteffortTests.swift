// Besteffort jobs take what is left and give way.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

private func besteffort(_ id: JobID, _ requests: (String, Seconds)...) -> WaitingJob {
  var job = waiting(id, requests[0], queue: "besteffort", types: ["besteffort"])
  job.moldables = requests.flatMap { waiting(id, $0).moldables }
  return job
}

struct BesteffortTests {
  @Test("besteffort jobs are planned last, whatever their queue and order")
  func plannedLast() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        waiting: [
          besteffort(1, ("/host=1", 10)),
          waiting(2, ("/host=1", 10), queue: "admin", types: ["besteffort"]),
          waiting(3, ("/host=1", 100)), waiting(4, ("/host=1", 100)),
        ]))
    #expect(plan.started == [3, 4])
    #expect(plan.placement(of: 2)?.start == 1100)
    #expect(plan.placement(of: 1)?.start == 1100)
  }

  @Test("a waiting besteffort job is assumed to run five minutes at most")
  func assumedDuration() {
    let jobs = [
      waiting(1, ("/host=2", 10), after: [.waiting(2)]), waiting(2, ("/host=1", 300)),
      besteffort(3, ("/host=1", 9000)), besteffort(4, ("/host=2", 40)),
    ]
    let plan = Kao.plan(snapshot(twoHosts, waiting: jobs))
    #expect(plan.started == [2, 3])
    #expect(plan.placement(of: 3)?.end == 1299)
    #expect(plan.placement(of: 4)?.start == 1310)
    #expect(plan.placement(of: 4)?.end == 1349)
  }

  @Test("a job that can start beside besteffort jobs does so and ends none")
  func freeResourcesFirst() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(9, [1, 2], walltime: 5000, besteffort: true)],
        waiting: [waiting(1, ("/core=2", 10)), waiting(2, ("/core=1", 10), queue: "besteffort")]))
    #expect(plan.started == [1])
    #expect(plan.placement(of: 1)?.resources == [3, 4])
    #expect(plan.victims.isEmpty)
    #expect(plan.placement(of: 2)?.start == 1010)
  }

  @Test("besteffort jobs in the way end at once, and the job starts when they have ended")
  func victims() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        holding: [
          holding(8, [1, 2], walltime: 5000, besteffort: true),
          holding(9, [3], start: 900, walltime: 5000, besteffort: true),
        ],
        waiting: [waiting(1, ("/host=2", 10)), waiting(2, ("/core=1", 10))]))
    #expect(plan.victims.sorted() == [8, 9])
    #expect(plan.starts.isEmpty)
    #expect(plan.placement(of: 1)?.start == 1000)
    #expect(plan.reasons[1]?.blockers == [8, 9])
    #expect(plan.placement(of: 2)?.start == 1010)
  }

  @Test("a victim that is ending already is not chosen again, and the job still waits for it")
  func endingVictim() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        holding: [holding(8, [1, 2, 3, 4], walltime: 5000, besteffort: true, ending: true)],
        waiting: [waiting(1, ("/host=1", 10))]))
    #expect(plan.victims.isEmpty)
    #expect(plan.starts.isEmpty)
    #expect(plan.predictions.map(\.start) == [1000])
    #expect(plan.reasons[1]?.blockers == [8])
  }

  @Test("the besteffort jobs that lose least work are the ones that end")
  func leastWorkLost() {
    let platform = testPlatform(hosts: 3, coresPerHost: 2)
    let holders = [
      holding(11, [1, 2], start: 100, walltime: 5000, besteffort: true),
      holding(12, [3, 4], start: 990, walltime: 5000, besteffort: true),
      holding(13, [5, 6], start: 500, walltime: 5000, besteffort: true),
    ]
    let one = Kao.plan(
      snapshot(platform, holding: holders, waiting: [waiting(1, ("/host=1", 10))]))
    #expect(one.victims == [12])
    let two = Kao.plan(
      snapshot(platform, holding: holders, waiting: [waiting(1, ("/core=3", 10))]))
    #expect(two.victims.sorted() == [12, 13])
    let ending = [holding(11, [1, 2], walltime: 5000, besteffort: true, ending: true)]
    let none = Kao.plan(
      snapshot(
        platform, holding: ending + holders.dropFirst(), waiting: [waiting(1, ("/host=1", 10))]))
    #expect(none.victims.isEmpty)
    #expect(none.placement(of: 1)?.resources == [1, 2])
  }

  @Test("a job that starts later ends no besteffort job now")
  func noVictimsForLaterStarts() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        holding: [
          holding(8, [1, 2], walltime: 5000, besteffort: true), holding(9, [3, 4], walltime: 1200),
        ],
        waiting: [waiting(1, ("/host=2", 10))]))
    #expect(plan.victims.isEmpty)
    #expect(plan.placement(of: 1)?.start == 1200)
  }

  @Test("a besteffort job ends no besteffort job")
  func besteffortAmongThemselves() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(8, [1, 2, 3, 4], walltime: 1100, besteffort: true)],
        waiting: [besteffort(1, ("/host=1", 10))]))
    #expect(plan.victims.isEmpty)
    #expect(plan.placement(of: 1)?.start == 1100)
    #expect(plan.reasons[1]?.blockers == [8])
  }
}
