// Why a waiting job does not start now, and the smallest changes of its request that would start
// it: worked out on demand, for one job, from a snapshot and its plan.

import ClusterModel
import Kamelot

extension Kao {
  /// Why a job waits, for whom, and what would start it now.
  public struct Explanation: Hashable, Sendable {
    /// A job that holds, or is promised, what another one waits for.
    public struct Holder: Hashable, Codable, Sendable {
      public var job: JobID
      /// When it is expected to end: the first instant after its walltime.
      public var end: Instant

      public init(job: JobID, end: Instant) {
        self.job = job
        self.end = end
      }
    }

    public var job: JobID
    /// When and where it is planned; `nil` if the plan has no place for it.
    public var placement: Placement?
    /// The constraint that binds.
    public var reason: Reason
    /// Where it stands among the waiting jobs; `nil` if jobs are taken as they came.
    public var priority: JobPriority?
    /// The jobs that hold what it waits for, in the order of the reason.
    public var holders: [Holder]
    /// Each of these alone would start it now, given all that is planned before it; smallest first,
    /// at most ``changeLimit``.
    public var changes: [Change]
    /// A sentence for each change; without changes, what must happen instead.
    public var sentences: [String]

    /// At most so many changes are named.
    public static let changeLimit = 16
  }

  /// Explains why a job of the snapshot does not start now. Pure. `nil` if the job does not wait, or
  /// starts now, or the plan says nothing of it.
  ///
  /// - Parameter rest: what is left of a condition when the user takes back his part of it, since a
  ///   site's rules may have added to it.
  public static func explain(
    _ job: JobID, in snapshot: Snapshot, plan: Plan, rest: (String) -> String = { _ in "" }
  ) -> Explanation? {
    let snapshot = snapshot.withWhatJobsKeep()
    guard let reason = plan.reasons[job],
      let index = snapshot.waiting.indices.first(where: { snapshot.waiting[$0].id == job })
    else { return nil }
    let waiting = snapshot.waiting[index]
    let placement = plan.predictions.first { $0.job == job }
    let holders = ends(of: reason.blockers, in: snapshot, plan)
    var explanation = Explanation(
      job: job, placement: placement, reason: reason, priority: plan.priorities?[job],
      holders: holders, changes: [], sentences: [])
    let obstacle = Obstacle(to: waiting, placement, reason, in: snapshot)
    guard obstacle == .resources else {
      explanation.sentences = [obstacle.sentence]
      return explanation
    }
    var search = ChangeSearch(for: waiting, placement, in: snapshot, plan)
    guard !search.startsAsItIs else {
      explanation.sentences = [Obstacle.pass.sentence]
      return explanation
    }
    explanation.changes = search.changes(rest: rest)
    explanation.sentences = explanation.changes.map { $0.sentence(for: waiting) }
    if explanation.changes.isEmpty { explanation.sentences = [obstacle.sentence] }
    return explanation
  }

  /// When jobs that hold something or are planned are expected to end; others are left out.
  private static func ends(
    of jobs: [JobID], in snapshot: Snapshot, _ plan: Plan
  ) -> [Explanation.Holder] {
    guard !jobs.isEmpty else { return [] }
    let wanted = Set(jobs)
    var ends: [JobID: Instant] = [:]
    let security = max(0, snapshot.settings.jobSecurityTime)
    for placement in plan.starts + plan.predictions where wanted.contains(placement.job) {
      ends[placement.job] = placement.end + 1 - security
    }
    for holder in snapshot.holding where wanted.contains(holder.id) {
      let (end, overflow) = holder.start.addingReportingOverflow(holder.walltime)
      ends[holder.id] = overflow ? .max : end
    }
    return jobs.compactMap { job in ends[job].map { Explanation.Holder(job: job, end: $0) } }
  }
}
