// Besteffort jobs that have time to save their work, and those that give way ahead of time.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

/// A besteffort job that saves its work for some time.
private func saver(
  _ id: JobID, _ resources: [ResourceID], start: Instant = 900, saves: Seconds,
  toldAt: Instant? = nil
) -> HoldingJob {
  var job = holding(id, resources, start: start, walltime: 5000, besteffort: true)
  job.checkpoint = saves
  job.checkpointedAt = toldAt
  return job
}

struct SavingTests {
  @Test("the waiting job is told until when work may be saved, and the next pass is due then")
  func reason() {
    let holders = [
      saver(8, [1, 2], saves: 30), saver(9, [3, 4], saves: 50, toldAt: 990),
    ]
    let plan = Kao.plan(
      snapshot(twoHosts, holding: holders, waiting: [waiting(1, ("/host=2", 10))]))
    #expect(plan.checkpoints == [8] && plan.victims.isEmpty)
    #expect(plan.nextLook == 1030)
    let reason = plan.reasons[1]
    #expect(reason?.kind == .resources && reason?.blockers == [8, 9])
    #expect(reason?.text.contains("until 1970-01-01 00:17:20") == true, "the last of them")
  }

  @Test("of several in the way, those that can't save anything end at once")
  func mixed() {
    var ending = holding(7, [4], walltime: 5000, besteffort: true, ending: true)
    ending.checkpoint = 30
    let holders = [
      saver(8, [1], saves: 30), holding(9, [2, 3], walltime: 5000, besteffort: true), ending,
    ]
    let plan = Kao.plan(
      snapshot(twoHosts, holding: holders, waiting: [waiting(1, ("/host=2", 10))]))
    #expect(plan.checkpoints == [8])
    #expect(plan.victims == [9])
  }

  @Test("nobody is told twice in a pass, and what was told to one frees others as well")
  func once() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        holding: [
          saver(8, [1, 2], saves: 30), saver(9, [3, 4], start: 100, saves: 30),
        ],
        waiting: [waiting(1, ("/core=1", 10)), waiting(2, ("/core=1", 10))], now: 0 + 1000))
    #expect(plan.checkpoints == [8])
    #expect(plan.placement(of: 1)?.resources == [1])
    #expect(plan.placement(of: 2)?.resources == [2])
  }

  @Test("a job that was told is not dropped for one that would lose less work by now")
  func stableChoice() {
    let job = waiting(1, ("/host=1", 10))
    for now in [1000, 1010, 1020, 1029] as [Instant] {
      var holders = [
        saver(8, [1, 2], start: 900, saves: 30, toldAt: 990),
        holding(9, [3, 4], start: now, walltime: 5000, besteffort: true),
      ]
      let plan = Kao.plan(snapshot(twoHosts, holding: holders, waiting: [job], now: now))
      #expect(plan.victims == (now < 1020 ? [] : [8]) && plan.checkpoints.isEmpty)
      #expect(plan.placement(of: 1)?.resources == [1, 2])
      holders[0].checkpointedAt = nil
      let other = Kao.plan(snapshot(twoHosts, holding: holders, waiting: [job], now: now))
      #expect(other.victims == [9] && other.checkpoints.isEmpty)
    }
  }

  @Test("a job that was told goes on if its resources are no longer needed")
  func needIsGone() {
    let holders = [saver(8, [1, 2], saves: 30, toldAt: 900)]
    let plan = Kao.plan(
      snapshot(twoHosts, holding: holders, waiting: [waiting(1, ("/host=1", 10))]))
    #expect(plan.started == [1])
    #expect(plan.victims.isEmpty && plan.checkpoints.isEmpty && plan.nextLook == nil)
  }

  @Test("a job that was told long ago and went on is told anew")
  func toldAnew() {
    let job = waiting(1, ("/host=2", 10))
    let needed = saver(8, [1, 2], start: 500, saves: 30, toldAt: 700)
    #expect(Kao.plan(snapshot(twoHosts, holding: [needed], waiting: [job])).victims == [8])
    let forgotten = saver(8, [1, 2], start: 500, saves: 30, toldAt: 660)
    let plan = Kao.plan(snapshot(twoHosts, holding: [forgotten], waiting: [job]))
    #expect(plan.checkpoints == [8] && plan.victims.isEmpty && plan.nextLook == 1030)
  }

  @Test("a besteffort job that waits has nobody save anything")
  func besteffortAmongThemselves() {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [saver(8, [1, 2, 3, 4], saves: 30)],
        waiting: [waiting(1, ("/core=1", 10), queue: "besteffort")]))
    #expect(plan.checkpoints.isEmpty && plan.victims.isEmpty)
  }
}

struct KillAheadTests {
  private func input(
    _ holders: [HoldingJob], _ jobs: [WaitingJob], now: Instant, ahead: Seconds
  ) -> Snapshot {
    var input = snapshot(twoHosts, holding: holders, waiting: jobs, now: now)
    input.settings.besteffortKillAhead = ahead
    return input
  }

  @Test("besteffort jobs end so long before a reservation that needs their resources starts")
  func reservation() {
    let holders = [holding(9, [1, 2], start: 900, walltime: 5000, besteffort: true)]
    let job = reserved(1, "/host=1", from: 2000, for: 60, on: [1, 2])
    let early = Kao.plan(input(holders, [job], now: 1000, ahead: 120))
    #expect(early.victims.isEmpty && early.nextLook == 1880)
    for (planner, plan) in plans(of: input(holders, [job], now: 1880, ahead: 120)) {
      #expect(plan.victims == [9], "\(planner)")
      #expect(plan.start(of: 1) == 2000, "\(planner)")
    }
    let never = Kao.plan(input(holders, [job], now: 1999, ahead: 0))
    #expect(never.victims.isEmpty && never.nextLook == nil)
  }

  @Test("so do those that can save their work: they are told, and have ended when it starts")
  func savers() {
    let job = reserved(1, "/host=1", from: 2000, for: 60, on: [1, 2])
    let first = Kao.plan(input([saver(9, [1, 2], saves: 60)], [job], now: 1880, ahead: 120))
    #expect(first.checkpoints == [9] && first.victims.isEmpty && first.nextLook == 1940)
    let told = [saver(9, [1, 2], saves: 60, toldAt: 1880)]
    #expect(Kao.plan(input(told, [job], now: 1939, ahead: 120)).victims.isEmpty)
    #expect(Kao.plan(input(told, [job], now: 1940, ahead: 120)).victims == [9])
  }

  @Test("a reservation that is accepted just now has them end as well")
  func newReservation() {
    let holders = [holding(9, [1, 2, 3, 4], start: 900, walltime: 5000, besteffort: true)]
    let plan = Kao.plan(
      input(holders, [reserved(1, "/host=1", from: 1060, for: 60)], now: 1000, ahead: 60))
    #expect(plan.accepted == [1] && plan.victims == [9])
  }

  @Test(
    "a job that will start soon has them end where least work is lost; those who end before stay")
  func plannedJob() {
    let platform = testPlatform(hosts: 3, coresPerHost: 1)
    let holders = [
      holding(7, [1], start: 900, walltime: 200, besteffort: true),
      holding(8, [2], start: 400, walltime: 5000, besteffort: true),
      holding(9, [3], start: 900, walltime: 200),
    ]
    var input = snapshot(platform, holding: holders, waiting: [waiting(1, ("/host=2", 60))])
    input.settings.besteffortKillAhead = 100
    let near = Kao.plan(input)
    #expect(near.start(of: 1) == 1000, "both besteffort jobs give way now")
    input.waiting[0].properties = "core<>2"
    let later = Kao.plan(input)
    #expect(later.start(of: 1) == 1100 && later.victims.isEmpty, "job 7 has ended by then")
    input.holding[0].walltime = 201
    #expect(Kao.plan(input).victims == [7])
    input.settings.besteffortKillAhead = 99
    #expect(Kao.plan(input).victims.isEmpty)
  }

  @Test("a waiting besteffort job starts only if it would not have to give way too soon")
  func noThrashing() {
    let job = waiting(2, ("/core=1", 9000), queue: "besteffort")
    let reservation = reserved(1, "/host=2", from: 1500, for: 60, on: [1, 2, 3, 4])
    #expect(Kao.plan(input([], [reservation, job], now: 1000, ahead: 200)).started == [2])
    #expect(Kao.plan(input([], [reservation, job], now: 1000, ahead: 201)).started == [])
    let short = waiting(2, ("/core=1", 400), queue: "besteffort")
    #expect(Kao.plan(input([], [reservation, short], now: 1000, ahead: 201)).started == [2])
  }
}
