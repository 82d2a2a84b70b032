// What OAR 3's planner gets wrong, and what ours did, one test each: none of it may come back.
//
// Where the tests of the rest are (suite: test):
//   walltime changes: never applied                      WalltimePolicyTests: enabled
//   … a second request forgets the first                 WalltimeChangeTests: secondRequest
//   … `{ name => value }` and fractions not read         WalltimePolicyTests: plainFraction and before
//   a checkpoint delay ends the pass                     here: checkpointDelay
//   new reservations never looked at                     ReservationTests: accepted
//   a late reservation: end, waiting, lost resources     ReservationTests: onTime, lostResources
//   quotas end kamelot                                   VectorTests: plansWithQuotas
//   `ALL` in rules of the calendar                       QuotaGrammarTests
//   the next period's rules hold; so after a one-shot    QuotaCalendarTests: insidePeriods, oneShotInside
//   only a job's first type is looked at                 QuotaRuleTests
//   sample files that are no JSON                        QuotaGrammarTests
//   quotas go through each slot again and again          QuotaLedgerTests
//   resource-hours add up slot by slot                   QuotaLedgerTests
//   a container that is gone; `+`; other conditions      here: containerGone, disjointGroups,
//                                                        startOfAnotherJob
//   a level that is not known                            PoisonTests
//   dependencies without a place, inside of a slot       here: dependencyWithoutPlace, boundWithinASlot
//   targets of users divided twice                       FairShareTests: targets
//   age, work and size of multifactor                    MultifactorTests: age, work, size
//   time-sharing, besteffort with it, placeholders       KnownSharingBugsTests
//   `allow` and `allowed` are not the same               JobTypeTests: allowed

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)
private let fiveCores = testPlatform(hosts: 1, coresPerHost: 5)

struct KnownBugsTests {
  @Test("a job is not launched before a job that it depends on and that has no place")
  func dependencyWithoutPlace() {
    let jobs = [
      waiting(1, ("/core=6", 60)), waiting(2, ("/core=1", 60), after: [.waiting(1)]),
    ]
    for (planner, plan) in plans(of: snapshot(fiveCores, waiting: jobs)) {
      #expect(plan.starts.isEmpty && plan.predictions.isEmpty, "\(planner)")
      #expect(plan.reasons[2]?.kind == .dependency, "\(planner)")
    }
  }

  @Test("a job is not launched while what it depends on runs, or after that can't end well")
  func openDependencies() {
    let jobs = [
      waiting(1, ("/core=1", 60), after: [.running(9)]),
      waiting(2, ("/core=1", 60), after: [.impossible(8, "Job 8 failed.")]),
      waiting(3, ("/core=1", 60), after: [.satisfied]),
    ]
    let input = snapshot(
      fiveCores, holding: [holding(9, [1], start: 990, walltime: 60)], waiting: jobs)
    for (planner, plan) in plans(of: input) { #expect(plan.started == [3], "\(planner)") }
  }

  @Test("an inner job starts after its dependency outside, though nothing begins then inside")
  func boundWithinASlot() {
    let jobs = [
      waiting(1, ("/host=1", 1000), types: ["container=c"]), waiting(2, ("/host=1", 70)),
      waiting(3, ("/core=1", 10), types: ["inner=c"], after: [.waiting(2)]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.containers])
    {
      #expect(plan.started == [1, 2], "\(planner)")
      #expect(plan.start(of: 3) == 1070, "\(planner)")
    }
  }

  @Test("a job starts exactly at its bound, though nothing else changes then")
  func boundWithinASlotOutside() {
    let job = waiting(1, ("/core=1", 10), types: ["postpone=\(dateText(1033))"])
    for (planner, plan) in plans(of: snapshot(twoHosts, waiting: [job]), needing: [.dates]) {
      #expect(plan.start(of: 1) == 1033, "\(planner)")
    }
  }

  @Test("a dependent job waits for the security time once, not twice")
  func securityTimeOnce() {
    var input = snapshot(
      twoHosts,
      waiting: [waiting(1, ("/core=1", 70)), waiting(2, ("/core=1", 10), after: [.waiting(1)])])
    input.settings.jobSecurityTime = 60
    for (planner, plan) in plans(of: input) { #expect(plan.start(of: 2) == 1130, "\(planner)") }
  }

  @Test("groups that are joined by + do not get the same resources")
  func disjointGroups() {
    let jobs = [
      waiting(1, ("/host=1+/host=1", 60)), waiting(2, ("/core=2+/core=2", 60)),
      waiting(3, ("/core=2+/core=1", 60)), waiting(4, ("/host=2+/core=1", 60)),
    ]
    for (planner, plan) in plans(of: snapshot(twoHosts, waiting: jobs)) {
      #expect(plan.resources(of: 1) == [1, 2, 3, 4], "\(planner)")
      #expect(plan.resources(of: 2) == [1, 2, 3, 4], "\(planner)")
      #expect(plan.resources(of: 3)?.count == 3, "\(planner)")
      #expect(plan.placement(of: 4) == nil, "\(planner)")
    }
  }

  @Test("a start that suits groups joined by + is not passed over because a later one does not")
  func competingGroups() {
    let platform = testPlatform(hosts: 2, coresPerHost: 4)
    let holders = [
      holding(7, [4], start: 900, walltime: 110), holding(8, [3], start: 900, walltime: 121),
      holding(9, [1, 2, 8], start: 900, walltime: 600),
    ]
    let job = waiting(1, ("/host=1/core=2+{core<=4}/core=1", 60))
    // From 1021 on the first group would take both cores that the second one could have.
    for (planner, plan) in plans(
      of: snapshot(platform, holding: holders, waiting: [job]), needing: [.competingGroups])
    {
      #expect(plan.start(of: 1) == 1010 && plan.resources(of: 1) == [4, 5, 6], "\(planner)")
    }
  }

  @Test("jobs with the same request text and other conditions do not share where they start")
  func startOfAnotherJob() {
    let jobs = [
      waiting(1, ("/core=2", 60), properties: "host='h1'"),
      waiting(2, ("/core=2", 60), properties: "host='h1'"),
      waiting(3, ("/core=2", 60), properties: "host='h2'"),
    ]
    for (planner, plan) in plans(of: snapshot(twoHosts, waiting: jobs)) {
      #expect(plan.started == [1, 3], "\(planner)")
      #expect(plan.start(of: 2) == 1060, "\(planner)")
    }
  }

  @Test("jobs of one second, and holes of one second, are as good as longer ones")
  func oneSecond() {
    let jobs = [
      waiting(1, ("/host=2", 1)), waiting(2, ("/core=3", 1), types: []),
      waiting(3, ("/core=1", 1)), waiting(4, ("/core=1", 2)),
    ]
    let input = snapshot(
      twoHosts, holding: [holding(9, [1], start: 990, walltime: 11)], waiting: jobs)
    for (planner, plan) in plans(of: input) {
      #expect(plan.start(of: 1) == 1001, "\(planner)")
      #expect(plan.start(of: 2) == 1000 && plan.resources(of: 2) == [2, 3, 4], "\(planner)")
      #expect(plan.start(of: 3) == 1002 && plan.start(of: 4) == 1002, "\(planner)")
    }
  }

  @Test("a request for the best that there is waits while there is nothing")
  func bestOfNothing() {
    let input = snapshot(
      twoHosts, holding: [holding(9, [1, 2, 3, 4], start: 990, walltime: 60)],
      waiting: [waiting(1, ("/core=BEST", 10)), waiting(2, ("/host=BESTHALF", 10))])
    for (planner, plan) in plans(of: input) {
      #expect(plan.start(of: 1) == 1050, "\(planner)")
      #expect(plan.resources(of: 1) == [1, 2, 3, 4], "\(planner)")
      #expect(plan.resources(of: 2) == [1, 2], "\(planner)")
    }
  }

  @Test("an inner job whose container is gone keeps no other job from its place")
  func containerGone() {
    let jobs = [
      waiting(1, ("/host=1", 60)), waiting(2, ("/core=1", 60), types: ["inner=77"]),
      waiting(3, ("/host=1", 60)), waiting(4, ("/host=1", 60)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.containers])
    {
      #expect(plan.started == [1, 3], "\(planner)")
      #expect(plan.start(of: 4) == 1060, "\(planner)")
      #expect(plan.placement(of: 2) == nil && plan.reasons[2] != nil, "\(planner)")
    }
  }

  @Test("a besteffort job that can save its work is told to, then has the time for it, then ends")
  func checkpointDelay() {
    var victim = holding(9, [1, 2], start: 900, walltime: 500, besteffort: true)
    victim.checkpoint = 30
    let jobs = [
      waiting(1, ("/host=1", 60), properties: "host='h1'"), waiting(2, ("/host=1", 60)),
    ]
    var input = snapshot(twoHosts, holding: [victim], waiting: jobs)
    for (planner, plan) in plans(of: input, needing: [.checkpoints]) {
      #expect(plan.checkpoints == [9] && plan.victims.isEmpty, "\(planner)")
      #expect(plan.started == [2], "\(planner)")
      #expect(plan.start(of: 1) == 1000 && plan.reasons[1]?.blockers == [9], "\(planner)")
    }
    input.holding[0].checkpointedAt = 1000
    for (now, victims) in [(1001, []), (1029, []), (1030, [9]), (1300, [9])] as [(Instant, [JobID])]
    {
      input.now = now
      for (planner, plan) in plans(of: input, needing: [.checkpoints]) {
        #expect(plan.checkpoints.isEmpty && plan.victims == victims, "\(planner) at \(now)")
        #expect(plan.started == [2] && plan.start(of: 1) == now, "\(planner) at \(now)")
      }
    }
    input.holding[0].isEnding = true
    for (planner, plan) in plans(of: input, needing: [.checkpoints]) {
      #expect(plan.checkpoints.isEmpty && plan.victims.isEmpty, "\(planner)")
    }
  }
}
