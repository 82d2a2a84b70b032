// A plan that stays at hand, so that a job which comes last is planned alone: nobody before it would
// change its place.

import ClusterModel
import Kamelot

/// A pass that was made, and that jobs submitted since can join.
public struct StandingPlan {
  /// What was decided when the pass was made.
  public let plan: Plan
  private var pass: Pass
  private let priorities: [String: Int]
  /// The lowest priority of a queue of a job of the pass, besteffort jobs aside; `nil` without any.
  private var lowest: Int?
  /// The same for besteffort jobs.
  private var lowestOfBesteffort: Int?
  /// Whether some job may get another place as soon as one behind it has started, though that left its place
  /// free.
  private var hasWavering = false
  /// Whether what was decided depends on nothing that time could change.
  private var isSteady = true
  /// How many jobs the pass looked at.
  private var jobCount = 0

  /// Plans the whole cluster.
  public init(_ snapshot: Snapshot) {
    pass = Kao.pass(snapshot)
    plan = pass.takePlan()
    priorities = Dictionary(
      snapshot.queues.map { ($0.name, $0.priority) }, uniquingKeysWith: { $1 })
    note(snapshot.waiting)
    isSteady =
      snapshot.order.isFIFO && snapshot.energy == nil && staysTrue(plan, at: snapshot.now)
      && !snapshot.waiting.contains { Self.needsAttention($0, at: snapshot.now) }
      // The ends of suspended jobs move with the time; those that keep nothing are gone already.
      && !pass.snapshot.holding.contains { $0.isSuspended }
    pass.forgetJobs()
  }

  /// Plans jobs that came after all that were planned before, at `now` or later than those. Nothing else may
  /// have changed meanwhile, but that the jobs to be started were.
  ///
  /// - Returns: what was decided about them, which is what a pass over all jobs would say; `nil` if only such
  ///   a pass can tell, and the standing plan is of no more use.
  public mutating func add(_ jobs: [WaitingJob], at now: Instant) -> Plan? {
    guard isSteady, pass.canGoOn(at: now), jobs.allSatisfy(comesLast) else { return nil }
    let limit = pass.snapshot.settings.jobsPerPass
    guard limit <= 0 || jobCount + jobs.count <= limit else { return nil }
    pass.goOn(with: jobs, at: now)
    note(jobs)
    let added = pass.takePlan()
    isSteady =
      staysTrue(added, at: now) && !jobs.contains { Self.needsAttention($0, at: now) }
    return added
  }

  /// Takes jobs into account that have been planned.
  private mutating func note(_ jobs: [WaitingJob]) {
    jobCount += jobs.count
    var last: (queue: String, priority: Int?) = ("", nil)
    for index in jobs.indices {
      hasWavering = hasWavering || jobs[index].wavers
      if jobs[index].queue != last.queue {
        last = (jobs[index].queue, priorities[jobs[index].queue])
      }
      guard let priority = last.priority else { continue }
      if jobs[index].isBesteffort {
        lowestOfBesteffort = min(lowestOfBesteffort ?? priority, priority)
      } else {
        lowest = min(lowest ?? priority, priority)
      }
    }
  }

  /// Whether what was decided would be decided again as long as nothing changes but the time.
  private func staysTrue(_ plan: Plan, at now: Instant) -> Bool {
    plan.victims.isEmpty && plan.checkpoints.isEmpty && plan.nextLook == nil
      // They wait for something else, such as hosts that sleep.
      && plan.predictions.allSatisfy { $0.start > now }
      // Besteffort jobs run for longer than is planned for them; who starts counts for the quotas of those
      // before it.
      && (plan.starts.isEmpty || lowestOfBesteffort == nil && pass.quotas == nil && !hasWavering)
      // Who waits for a job has no place while it runs.
      && !plan.starts.contains { pass.awaited.contains($0.job) }
  }

  /// Whether what becomes of a job may change though nothing happens.
  private static func needsAttention(_ job: WaitingJob, at now: Instant) -> Bool {
    if let reservation = job.reservation {
      return reservation.promised == nil || reservation.start <= now
    }
    return job.types.contains { $0.hasPrefix("expire") }
  }

  /// Whether a job changes nothing for those before it.
  private func comesLast(_ job: WaitingJob) -> Bool {
    guard job.reservation == nil, !pass.awaited.contains(job.id),
      !job.types.contains(where: { $0.hasPrefix("container") }),
      let queue = pass.snapshot.queues.last(where: { $0.name == job.queue })
    else { return false }
    if job.isBesteffort { return queue.priority <= lowestOfBesteffort ?? .max }
    return pass.besteffort.isEmpty && lowestOfBesteffort == nil
      && queue.priority <= lowest ?? .max
  }
}

extension WaitingJob {
  /// Whether its place depends on what others do that come after it. BESTHALF is half of what is free, one of
  /// several groups may take what another one could, and whoever shares finds more where others share.
  fileprivate var wavers: Bool {
    let shares = types.contains { type in
      ["container", "inner", "placeholder", "allow", "timesharing"].contains { type.hasPrefix($0) }
    }
    return shares
      || moldables.contains { moldable in
        moldable.groups.count > 1
          || moldable.groups.contains { $0.levels.contains { $0.count == .bestHalf } }
      }
  }
}

// What a pass does when it goes on.
extension Pass {
  /// Whether what is free is the same at `now` as when the pass was made, and quotas are too.
  fileprivate func canGoOn(at now: Instant) -> Bool {
    now == snapshot.now || (now > snapshot.now && now < planner.firstTurn && quotas == nil)
  }

  /// Places jobs after all that have their places.
  fileprivate mutating func goOn(with jobs: [WaitingJob], at now: Instant) {
    snapshot.waiting = jobs
    snapshot.now = now
    planner.advance(to: now)
    let order = JobOrder(snapshot)
    prepare(order)
    for group in order.groups {
      for job in group.jobs { place(job) }
    }
    for job in order.besteffort { place(job) }
    refuseDependents()
    forgetJobs()
  }
}
