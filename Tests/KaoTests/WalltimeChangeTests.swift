// What is granted of a request to change a walltime, and what is said about it.

import ClusterModel
import Kao
import Testing

private func policy(_ text: String = "") throws -> WalltimePolicy {
  try WalltimePolicy(Configuration(parsing: "WALLTIME_CHANGE_ENABLED=yes\n" + text))
}

/// A job that began at 1000, at 1010 unless told otherwise.
private func decide(
  _ change: WalltimeChange, walltime: Seconds = 60, conf: String = "", next: [NextJob] = [],
  security: Seconds = 60, now: Instant = 1010, job edit: (inout RunningWalltime) -> Void = { _ in }
) throws -> WalltimeDecision {
  var job = RunningWalltime(start: 1000, walltime: walltime)
  edit(&job)
  return change.decide(
    for: job, policy: try policy(conf), nextJobs: next, securityTime: security, now: now)
}

struct WalltimeChangeTests {
  @Test("without a request nothing happens")
  func noRequest() throws {
    let decision = try decide(WalltimeChange())
    #expect(decision.granted == 0)
    #expect(decision.event == nil)
    #expect(decision.obstacle == nil)
    #expect(decision.change == WalltimeChange())
  }

  @Test("a job that does not run is granted nothing, nor is any where changes are off")
  func notRunning() throws {
    let change = WalltimeChange(pending: 3663)
    let decision = try decide(change, job: { $0.isRunning = false })
    #expect(decision.granted == 0)
    #expect(decision.change == change)
    #expect(decision.obstacle == "The job is not running.")
    let off = change.decide(
      for: RunningWalltime(start: 1000, walltime: 60), policy: WalltimePolicy(), nextJobs: [],
      securityTime: 60, now: 1010)
    #expect(off.granted == 0)
  }

  @Test("an increase with nothing in its way is granted whole, at once")
  func wholeIncrease() throws {
    let decision = try decide(WalltimeChange(pending: 3663))
    #expect(decision.granted == 3663)
    #expect(decision.walltime == 3723)
    #expect(decision.change.pending == 0)
    #expect(decision.change.granted == 3663)
    #expect(decision.event == "walltime changed: 1:2:3 (granted: +1:1:3/pending: 0:0:0)")
    #expect(decision.obstacle == nil)
  }

  @Test("a job inside a container can't outlast it")
  func insideContainer() throws {
    let decision = try decide(
      WalltimeChange(pending: 3663), walltime: 25, job: { $0.containerEnd = 1060 })
    #expect(decision.granted == 35)
    #expect(decision.change.pending == 3628)
    #expect(decision.event == "walltime changed: 0:1:0 (granted: +0:0:35/pending: +1:0:28)")
    #expect(decision.obstacle == "The job can't outlast its container.")
    let over = try decide(WalltimeChange(pending: 5), job: { $0.containerEnd = 1030 })
    #expect(over.granted == 0)
  }

  @Test("a second request does not forget what was granted before")
  func secondRequest() throws {
    let first = try decide(WalltimeChange(pending: 300), walltime: 600)
    #expect(first.event == "walltime changed: 0:15:0 (granted: +0:5:0/pending: 0:0:0)")
    let second = try decide(first.change.asking(for: -60), walltime: first.walltime)
    #expect(second.event == "walltime changed: 0:14:0 (granted: -0:1:0/pending: 0:0:0)")
    #expect(second.change.granted == 240)
    let third = try decide(second.change.asking(for: 360), walltime: second.walltime)
    #expect(third.event == "walltime changed: 0:20:0 (granted: +0:6:0/pending: 0:0:0)")
    #expect(third.change.granted == 600)
    #expect(third.walltime == 1200)
  }

  @Test("the next job on the same resources bounds an increase, security time before its start")
  func nextJob() throws {
    let next = [NextJob(id: 8, start: 9000), NextJob(id: 7, start: 1300)]
    let decision = try decide(WalltimeChange(pending: 600), next: next)
    #expect(decision.granted == 180)
    #expect(decision.change.pending == 420)
    #expect(decision.obstacle == "Job 7 needs its resources next.")
    #expect(try decide(WalltimeChange(pending: 600), next: next, security: 0).granted == 240)
    #expect(
      try decide(WalltimeChange(pending: 60), next: [NextJob(id: 7, start: 1100)]).granted == 0)
  }

  @Test("only reservations bound an increase that may delay other jobs")
  func delayNextJobs() throws {
    let next = [
      NextJob(id: 7, start: 1200), NextJob(id: 8, start: 1500, isReservation: true),
    ]
    let decision = try decide(WalltimeChange(pending: 600, delayNextJobs: true), next: next)
    #expect(decision.granted == 380)
    #expect(decision.change.grantedWithDelayNextJobs == 380)
    #expect(decision.obstacle == "Job 8 needs its resources next.")
    #expect(
      decision.event
        == "walltime changed: 0:7:20 (granted: +0:6:20/pending: +0:3:40/delay next jobs)")
  }

  @Test("jobs that may share the resources in time bound nothing")
  func timeSharing() throws {
    let next = [NextJob(id: 7, start: 1001, isReservation: true, sharesTime: true)]
    #expect(try decide(WalltimeChange(pending: 600), next: next).granted == 600)
  }

  @Test("an increase waits for the apply time, in seconds or as a share of the walltime")
  func applyTime() throws {
    for value in ["20", "{default => 20}", "0.34"] {
      let conf = "WALLTIME_CHANGE_APPLY_TIME=\"\(value)\""
      let early = try decide(WalltimeChange(pending: 30), conf: conf, now: 1039)
      #expect(early.granted == 0)
      #expect(early.obstacle == "It is granted from 20 s before the job's end on.")
      #expect(try decide(WalltimeChange(pending: 30), conf: conf, now: 1040).granted == 30)
    }
  }

  @Test("an increase comes in steps, whose share does not grow with what was granted")
  func increments() throws {
    var change = WalltimeChange(pending: 70)
    var walltime: Seconds = 60
    var steps: [Seconds] = []
    while change.pending != 0, steps.count < 9 {
      let decision = try decide(change, walltime: walltime, conf: "WALLTIME_INCREMENT=0.5")
      steps.append(decision.granted)
      (change, walltime) = (decision.change, decision.walltime)
    }
    #expect(steps == [30, 30, 10])
    #expect(change.granted == 70)
    #expect(walltime == 130)
  }

  @Test("a forced increase neither waits nor comes in steps, but others keep their places")
  func force() throws {
    let conf = "WALLTIME_CHANGE_APPLY_TIME=5\nWALLTIME_INCREMENT=10"
    let change = WalltimeChange(pending: 300, force: true)
    let decision = try decide(change, conf: conf)
    #expect(decision.granted == 300)
    #expect(decision.change.grantedWithForce == 300)
    #expect(decision.event == "walltime changed: 0:6:0 (granted: +0:5:0/pending: 0:0:0/force)")
    let bounded = try decide(change, conf: conf, next: [NextJob(id: 7, start: 1140)])
    #expect(bounded.granted == 20)
    let both = try decide(WalltimeChange(pending: 1, force: true, delayNextJobs: true), conf: conf)
    #expect(both.event?.hasSuffix("/force/delay next jobs)") == true)
  }

  @Test("a decrease ends the job now at the earliest, whatever the apply time")
  func decrease() throws {
    let conf = "WALLTIME_CHANGE_APPLY_TIME=5\nWALLTIME_INCREMENT=10"
    let decision = try decide(WalltimeChange(pending: -3600), conf: conf, now: 1040)
    #expect(decision.granted == -20)
    #expect(decision.walltime == 40)
    #expect(decision.change.pending == -3580)
    #expect(decision.event == "walltime changed: 0:0:40 (granted: -0:0:20/pending: -0:59:40)")
    #expect(try decide(WalltimeChange(pending: -10), conf: conf).granted == -10)
    #expect(try decide(WalltimeChange(pending: -10), now: 2000).granted == 0)
    #expect(try decide(WalltimeChange(pending: -100), now: 1000).walltime == 1)
  }

  @Test("time spent suspended moves the end")
  func suspended() throws {
    let next = [NextJob(id: 7, start: 1300)]
    let decision = try decide(
      WalltimeChange(pending: 600), next: next, job: { $0.suspended = 100 })
    #expect(decision.granted == 80)
  }

  @Test("rows with absurd numbers end no pass")
  func absurdRows() throws {
    for pending in [Int.min, .max] {
      var change = WalltimeChange(pending: pending, force: true, delayNextJobs: true)
      change.granted = .min
      change.grantedWithForce = .max
      let next = [NextJob(id: 7, start: .min), NextJob(id: 8, start: .max)]
      let decision = try decide(
        change, walltime: .max, next: next, security: .max, now: .min,
        job: {
          $0.containerEnd = .min; $0.suspended = .max
        })
      #expect(decision.granted <= 0)
    }
    let longest = try decide(WalltimeChange(pending: .max))
    #expect(longest.walltime == endOfTime)
  }
}
