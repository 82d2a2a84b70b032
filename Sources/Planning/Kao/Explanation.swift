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
      /// When it is planned to start; `nil` if it has started.
      public var start: Instant?
      /// When it is expected to end: the first instant after its walltime.
      public var end: Instant

      public init(job: JobID, start: Instant? = nil, end: Instant) {
        self.job = job
        self.start = start
        self.end = end
      }
    }

    /// What there is of the resources that it asks for.
    public struct Shortage: Hashable, Sendable {
      /// The request as users write it, and the condition of the whole job.
      public var request: String
      public var properties: String
      /// At least so many resources are needed.
      public var needed: Int
      /// So many match in the whole cluster, and so many of these are free now.
      public var matching: Int
      public var free: Int
    }

    /// A job that was submitted later and yet goes before it.
    public struct Passer: Hashable, Sendable {
      public var job: JobID
      /// Half a sentence, such as `its queue "admin" has priority 10, "default" has 2`.
      public var why: String

      public init(job: JobID, why: String) {
        self.job = job
        self.why = why
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
    /// What there is of its resources; `nil` if it does not wait for resources.
    public var shortage: Shortage?
    /// How it stands with the quota that it waits for; `nil` if it does not.
    public var quota: QuotaStanding?
    /// Of those that it waits for, the jobs that came later.
    public var passers: [Passer] = []
    /// Each of these alone would start it now, given all that is planned before it, its quotas and its
    /// types: it would have its resources from now on, as soon as besteffort jobs have given way and
    /// hosts have been woken. Smallest first, at most ``changeLimit``.
    ///
    /// The smallest is the one that leaves most of what was asked for:
    ///
    /// 1. one of the job's own requests alone leaves all of it;
    /// 2. a shorter walltime, a smaller count or a group less leaves a share, which is the new number
    ///    through the old one, or the resources that are left through those asked for. The number is
    ///    the greatest that helps. If none of these and of the next help alone, a walltime goes with
    ///    a count, and the share is the lesser of both;
    /// 3. to drop a condition comes after all numbers, as nobody knows how much it is worth;
    /// 4. to become a besteffort job, which anybody may end, comes last.
    ///
    /// No other queue is proposed: which ones a user may use is not for the plan to say, and a queue that
    /// would start it sooner is one that passes others by.
    public var changes: [Change] = []
    /// A sentence for each change; without changes, what must happen instead.
    public var sentences: [String] = []

    /// At most so many changes are named.
    public static let changeLimit = 16

    init(
      job: JobID, placement: Placement?, reason: Reason, priority: JobPriority?, holders: [Holder]
    ) {
      self.job = job
      self.placement = placement
      self.reason = reason
      self.priority = priority
      self.holders = holders
    }
  }

  /// Explains why a job of the snapshot does not start now. Pure. `nil` if the job does not wait, or
  /// starts now, or the plan says nothing of it.
  ///
  /// - Parameters:
  ///   - plugins: those that the plan was made with.
  ///   - rest: what is left of a condition when the user takes back his part of it, since a site's
  ///     rules may have added to it.
  ///   - besteffort: what the site's rules make of the job if it is submitted as a besteffort job; `nil`
  ///     if they refuse it.
  public static func explain(
    _ job: JobID, in snapshot: Snapshot, plan: Plan, plugins: PlannerPlugins = .none,
    rest: (String) -> String = { _ in "" },
    besteffort: (WaitingJob) -> WaitingJob? = { $0.asBesteffort }
  ) -> Explanation? {
    let snapshot = snapshot.withWhatJobsKeep()
    guard let reason = plan.reasons[job],
      let index = snapshot.waiting.indices.first(where: { snapshot.waiting[$0].id == job })
    else { return nil }
    let inquiry = Inquiry(index, in: snapshot, plan, reason, plugins)
    return inquiry.answer(rest: rest, besteffort: besteffort)
  }
}

/// One explanation in the making.
struct Inquiry {
  let snapshot: Snapshot
  let plan: Plan
  /// The job's place in the snapshot.
  let index: Int
  let job: WaitingJob
  let placement: Placement?
  /// As the pass found it.
  let found: Reason
  let order: PlannedOrder
  /// Whether besteffort jobs keep what they hold before it.
  let countsBesteffort: Bool
  let plugins: PlannerPlugins

  fileprivate init(
    _ index: Int, in snapshot: Snapshot, _ plan: Plan, _ reason: Reason, _ plugins: PlannerPlugins
  ) {
    self.snapshot = snapshot
    self.plugins = plugins
    self.plan = plan
    self.index = index
    job = snapshot.waiting[index]
    found = reason
    let id = job.id
    placement = plan.predictions.first { $0.job == id }
    let order = PlannedOrder(plan, around: id)
    self.order = order
    // Besteffort jobs come last; from the first of them on, those that run keep what they have.
    let isBesteffort = job.isBesteffort && job.reservation == nil
    countsBesteffort =
      isBesteffort
      || snapshot.holding.contains(where: \.isBesteffort)
        && snapshot.waiting.indices.contains {
          snapshot.waiting[$0].isBesteffort && snapshot.waiting[$0].reservation == nil
            && order.rank(snapshot.waiting[$0].id) >= 0 && order.isAhead(snapshot.waiting[$0].id)
        }
  }

  fileprivate func answer(
    rest: (String) -> String, besteffort: (WaitingJob) -> WaitingJob?
  ) -> Kao.Explanation {
    var explanation = Kao.Explanation(
      job: job.id, placement: placement, reason: found, priority: plan.priorities?[job.id],
      holders: [])
    let obstacle = Obstacle(to: self)
    if obstacle == .request {
      // 1. What is open to it, given those before it.
      var search = ChangeSearch(self)
      // 2. What binds, exactly.
      search.explainReason(&explanation)
      // 3. What would start it now.
      if search.startsAsItIs {
        explanation.sentences = [Obstacle.pass.sentence(self)]
      } else {
        explanation.changes = search.changes(rest: rest, besteffort: besteffort)
        explanation.sentences = explanation.changes.map { $0.sentence(for: job) }
      }
    } else {
      explanation.reason = told(found)
    }
    if explanation.sentences.isEmpty, let quota = explanation.quota, quota.allowedFrom == nil {
      explanation.sentences = ["It never starts as it is, even when nobody else uses the quota."]
    }
    if explanation.sentences.isEmpty { explanation.sentences = [obstacle.sentence(self)] }
    explanation.holders = holders(explanation.reason.blockers, givingWay: obstacle == .victims)
    explanation.passers = passers(among: explanation.reason.blockers)
    return explanation
  }

  /// When jobs that hold something or are planned are expected to end; others are left out.
  ///
  /// - Parameter givingWay: whether they are ended as soon as they had time to save their work.
  func holders(_ jobs: [JobID], givingWay: Bool = false) -> [Kao.Explanation.Holder] {
    guard !jobs.isEmpty else { return [] }
    let wanted = Set(jobs)
    var found: [JobID: Kao.Explanation.Holder] = [:]
    let security = max(0, snapshot.settings.jobSecurityTime)
    for placements in [plan.starts, plan.predictions] {
      for index in placements.indices where wanted.contains(placements[index].job) {
        let placement = placements[index]
        found[placement.job] = .init(
          job: placement.job, start: placement.start, end: placement.end.addingCapped(1) - security)
      }
    }
    for holder in snapshot.holding where wanted.contains(holder.id) {
      var end = holder.start.addingCapped(holder.walltime)
      if givingWay, case .saves(let until) = holder.farewell(at: snapshot.now) {
        end = min(end, until)
      }
      found[holder.id] = .init(job: holder.id, end: end)
    }
    return jobs.compactMap { found[$0] }
  }

  /// An instant as the site's clocks show it.
  func date(_ instant: Instant) -> String { snapshot.date(instant) }
}
