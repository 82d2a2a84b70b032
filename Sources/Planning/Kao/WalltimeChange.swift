// Changes of a running job's walltime, granted as far as the jobs after it allow (`oarwalltime`).

import ClusterModel
import Kamelot

/// What matters about the job whose walltime changes.
public struct RunningWalltime: Hashable, Sendable {
  public var queue: String
  public var start: Instant
  /// With what was granted so far.
  public var walltime: Seconds
  /// Seconds that it was suspended; they move its end.
  public var suspended: Seconds = 0
  /// Only running jobs are granted anything.
  public var isRunning = true
  /// The end of the container that it runs in; `nil` if it runs in none.
  public var containerEnd: Instant?

  public init(queue: String = "default", start: Instant, walltime: Seconds) {
    self.queue = queue
    self.start = start
    self.walltime = walltime
  }

  /// When its walltime is over.
  public var end: Instant { start.sane + walltime.sane + suspended.sane }
}

/// Another job that is planned, accepted or running on some of the same resources, after the job.
public struct NextJob: Hashable, Sendable {
  public var id: JobID
  public var start: Instant
  /// Whether its start was promised; then it is never delayed.
  public var isReservation: Bool
  /// Whether both may have the resources at the same time.
  public var sharesTime: Bool

  public init(id: JobID, start: Instant, isReservation: Bool = false, sharesTime: Bool = false) {
    self.id = id
    self.start = start
    self.isReservation = isReservation
    self.sharesTime = sharesTime
  }
}

/// What becomes of a request in a pass.
public struct WalltimeDecision: Hashable, Sendable {
  /// Seconds granted now; negative for a job that ends earlier, 0 if nothing changes.
  public var granted: Seconds
  /// The job's walltime from now on.
  public var walltime: Seconds
  /// The request from now on.
  public var change: WalltimeChange
  /// The text of the event WALLTIME; `nil` if nothing changes.
  public var event: String?
  /// A sentence about what keeps the rest from being granted; `nil` if nothing is pending.
  public var obstacle: String?
}

extension WalltimeChange {
  /// Decides about the request of a job.
  ///
  /// - Parameters:
  ///   - nextJobs: in any order.
  ///   - securityTime: seconds kept free after each job.
  public func decide(
    for job: RunningWalltime, policy: WalltimePolicy, nextJobs: [NextJob], securityTime: Seconds,
    now: Instant
  ) -> WalltimeDecision {
    var (job, change) = (job, self)
    job.walltime = job.walltime.sane
    change.pending = pending.sane
    change.granted = granted.sane
    return change.decideSanely(
      for: job, policy: policy, nextJobs: nextJobs, securityTime: max(0, securityTime.sane),
      now: now.sane)
  }

  private func decideSanely(
    for job: RunningWalltime, policy: WalltimePolicy, nextJobs: [NextJob], securityTime: Seconds,
    now: Instant
  ) -> WalltimeDecision {
    guard policy.isEnabled, job.isRunning, pending != 0 else {
      let obstacle =
        pending == 0
        ? nil : policy.isEnabled ? "The job is not running." : "Walltimes can't change here."
      return decision(0, for: job, obstacle: obstacle)
    }
    if pending < 0 {
      // It can't end before now, nor have a walltime of no time at all.
      let fit = min(0, max(pending, max(now - job.end, 1 - job.walltime)))
      return decision(fit, for: job, obstacle: "The job can't end before now.")
    }
    return increase(job, policy, nextJobs, securityTime, now)
  }

  private func increase(
    _ job: RunningWalltime, _ policy: WalltimePolicy, _ nextJobs: [NextJob],
    _ securityTime: Seconds, _ now: Instant
  ) -> WalltimeDecision {
    var fit = min(pending, max(0, endOfTime - job.walltime))
    var obstacle = "The walltime can't be longer than \(endOfTime) s."
    if !force {
      let submitted = job.walltime - granted
      let applyTime = policy.applyTime[job.queue].seconds(of: submitted)
      if applyTime > 0, now < job.end - applyTime {
        return decision(
          0, for: job, obstacle: "It is granted from \(applyTime) s before the job's end on.")
      }
      let step = policy.increment[job.queue].seconds(of: submitted)
      if step > 0, step < fit {
        fit = step
        obstacle = "It is granted in steps of \(step) s."
      }
    }
    if let end = job.containerEnd?.sane, end - job.end < fit {
      fit = end - job.end
      obstacle = "The job can't outlast its container."
    }
    for next in nextJobs where !next.sharesTime && (next.isReservation || !delayNextJobs) {
      let room = next.start.sane - securityTime - job.end
      if room < fit {
        fit = room
        obstacle = "Job \(next.id) needs its resources next."
      }
    }
    return decision(max(0, fit), for: job, obstacle: obstacle)
  }

  private func decision(
    _ fit: Seconds, for job: RunningWalltime, obstacle: String?
  ) -> WalltimeDecision {
    var change = self
    change.pending -= fit
    change.granted += fit
    if force { change.grantedWithForce = grantedWithForce.sane + fit }
    if delayNextJobs { change.grantedWithDelayNextJobs = grantedWithDelayNextJobs.sane + fit }
    let walltime = job.walltime + fit
    return WalltimeDecision(
      granted: fit, walltime: walltime, change: change,
      event: fit == 0 ? nil : change.event(granting: fit, walltime: walltime),
      obstacle: change.pending == 0 ? nil : obstacle)
  }

  /// The event's text, word for word as OAR's tools know it.
  private func event(granting fit: Seconds, walltime: Seconds) -> String {
    let flags = (force ? "/force" : "") + (delayNextJobs ? "/delay next jobs" : "")
    return "walltime changed: \(walltime.hoursMinutesSeconds) "
      + "(granted: \(fit.signedDuration)/pending: \(pending.signedDuration)\(flags))"
  }
}

extension Int {
  /// The number, or the nearest that leaves room for sums: no row of a database may end the pass.
  fileprivate var sane: Int { Swift.min(Swift.max(self, -(1 << 48)), 1 << 48) }
}
