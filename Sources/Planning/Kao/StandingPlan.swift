// A plan that stays at hand, so that a job which comes last is planned alone: nobody before it would
// change its place.

import ClusterModel
import Kamelot

/// A pass that was made, and that jobs submitted since can join.
public struct StandingPlan {
  /// What was decided when the pass was made.
  public let plan: Plan
  private var pass: Pass
  /// No job of the pass is of a queue of lower priority, besteffort jobs aside; `nil` if there is none.
  private let lowestPriority: Int?
  private let lowestBesteffortPriority: Int?
  /// Whether what was decided depends on nothing that time or a job more could change.
  private let isSteady: Bool
  /// How many jobs the pass looked at.
  private var jobCount: Int

  /// Plans the whole cluster.
  public init(_ snapshot: Snapshot) {
    pass = Kao.pass(snapshot, plugins: .none)
    plan = pass.takePlan()
    let waiting = snapshot.waiting
    let priorities = Dictionary(
      snapshot.queues.map { ($0.name, $0.priority) }, uniquingKeysWith: { $1 })
    func lowest(_ isBesteffort: Bool) -> Int? {
      Set(waiting.indices.lazy.filter { waiting[$0].isBesteffort == isBesteffort }
        .map { waiting[$0].queue })
        .compactMap { priorities[$0] }.min()
    }
    lowestPriority = lowest(false)
    lowestBesteffortPriority = lowest(true)
    jobCount = waiting.count
    isSteady =
      snapshot.order.isFIFO && snapshot.energy == nil && plan.victims.isEmpty
      && plan.checkpoints.isEmpty && plan.nextLook == nil
      // They run for longer than is planned for them.
      && (lowestBesteffortPriority == nil || plan.starts.isEmpty)
      // Who waits for a job has no place while it runs.
      && !plan.starts.contains { [pass] in pass.awaited.contains($0.job) }
      && plan.predictions.allSatisfy { $0.start > snapshot.now }
      && !waiting.contains { Self.needsAttention($0, at: snapshot.now) }
    pass.forgetJobs()
  }

  /// Whether what becomes of a job may change though nothing happens.
  private static func needsAttention(_ job: WaitingJob, at now: Instant) -> Bool {
    if let reservation = job.reservation {
      return reservation.promised == nil || reservation.start <= now
    }
    return job.types.contains { $0.hasPrefix("expire") }
  }

  /// Plans jobs that came after all that were planned before, at `now` or later than those. Gives what was
  /// decided about them, which is what a pass over all jobs would; `nil` if only such a pass can tell. The
  /// standing plan is then of no more use.
  ///
  /// Nothing else may have changed meanwhile, but that the jobs to be started were.
  public mutating func add(_ jobs: [WaitingJob], at now: Instant) -> Plan? {
    guard isSteady, pass.canGoOn(at: now), jobs.allSatisfy(comesLast) else { return nil }
    let limit = pass.snapshot.settings.jobsPerPass
    jobCount += jobs.count
    guard limit <= 0 || jobCount <= limit else { return nil }
    pass.goOn(with: jobs, at: now)
    return pass.takePlan()
  }

  /// Whether a job changes nothing for those before it.
  private func comesLast(_ job: WaitingJob) -> Bool {
    guard job.reservation == nil, !pass.awaited.contains(job.id),
      !job.types.contains(where: { $0.hasPrefix("container") }),
      let queue = pass.snapshot.queues.last(where: { $0.name == job.queue })
    else { return false }
    if job.isBesteffort { return queue.priority <= lowestBesteffortPriority ?? .max }
    return pass.besteffort.isEmpty && lowestBesteffortPriority == nil
      && queue.priority <= lowestPriority ?? .max
  }
}

// What a pass does when it goes on.
extension Pass {
  /// Lets the jobs go that have their place; their places stay.
  fileprivate mutating func forgetJobs() { snapshot.waiting = [] }

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
