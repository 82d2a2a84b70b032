// Rules that every plan keeps, whatever planner made it: checked on the plan alone, without planning.

import ClusterModel
import Kamelot

/// Looks at a plan job by job and pair by pair.
struct PlanRules {
  /// A job's resources in the plan, or those that it has already.
  struct Stay {
    var job: JobID
    var traits: ReferenceTraits
    var start: Instant
    var end: Instant
    var resources: Set<ResourceID>
    /// The besteffort job that it is, if it runs.
    var besteffort: HoldingJob?
    var runs: Bool
  }

  let snapshot: Snapshot
  let plan: Plan
  let requests: ReferenceRequests
  private(set) var stays: [Stay] = []
  private(set) var problems: [String] = []

  var now: Instant { snapshot.now }
  var security: Seconds { snapshot.settings.jobSecurityTime }

  /// What is wrong with a plan, all of it.
  static func breaches(in plan: Plan, for snapshot: Snapshot) -> [String] {
    var rules = PlanRules(snapshot, plan)
    for job in snapshot.waiting { rules.check(job) }
    rules.checkPairs()
    rules.checkVictims()
    rules.checkQuotas()
    rules.checkOrder()
    return rules.problems
  }

  private init(_ snapshot: Snapshot, _ plan: Plan) {
    self.snapshot = snapshot
    self.plan = plan
    requests = ReferenceRequests(snapshot)
    for job in snapshot.holding {
      let end = max(job.start + job.walltime + security, now + 1)
      stays.append(
        Stay(
          job: job.id, traits: ReferenceTraits(job), start: now, end: end,
          resources: Set(job.resources), besteffort: job.isBesteffort ? job : nil, runs: true))
    }
    for job in snapshot.waiting {
      guard let placement = plan.placement(of: job.id), let traits = try? ReferenceTraits(job)
      else { continue }
      stays.append(
        Stay(
          job: job.id, traits: traits, start: placement.start, end: placement.end + 1,
          resources: Set(placement.resources), besteffort: nil,
          runs: plan.starts.contains { $0.job == job.id }))
    }
  }

  mutating func require(_ isKept: Bool, _ problem: @autoclosure () -> String) {
    if !isKept { problems.append(problem()) }
  }

  /// Two jobs have a resource at one time only if one may join the other.
  private mutating func checkPairs() {
    for (index, one) in stays.enumerated() {
      for other in stays[..<index]
      where one.traits.space == other.traits.space && one.start < other.end
        && other.start < one.end && !one.resources.isDisjoint(with: other.resources)
        && !one.traits.mayJoin(other.traits) && !other.traits.mayJoin(one.traits)
      {
        let isAllowed = isPassing(one, other) || isPassing(other, one) || areHolders(one, other)
        require(isAllowed, "jobs \(other.job) and \(one.job) have the same resources at one time")
      }
    }
  }

  private func areHolders(_ one: Stay, _ other: Stay) -> Bool {
    let holders = Set(snapshot.holding.map(\.id))
    return holders.contains(one.job) && holders.contains(other.job)
  }

  /// Whether `holder` is a running besteffort job that gives way to a waiting job.
  private func isPassing(_ job: Stay, _ holder: Stay) -> Bool {
    guard let besteffort = holder.besteffort, !job.traits.isBesteffort, !job.runs else {
      return false
    }
    let isSaving = !besteffort.mustBeTold(at: now) && !besteffort.mustEnd(at: now)
    return job.start > now || isSaving || plan.victims.contains(holder.job)
      || plan.checkpoints.contains(holder.job) || isUndecided(job)
  }

  /// A reservation that is accepted for now may start in the next pass, and end its victims then.
  private func isUndecided(_ stay: Stay) -> Bool {
    let job = snapshot.waiting.first { $0.id == stay.job }
    return job?.reservation.map { $0.promised == nil } ?? false
  }

  /// Only running besteffort jobs end, and only for a job that could start now or soon; who can save its
  /// work is told once, and ends once its time is over.
  private mutating func checkVictims() {
    let last = now + snapshot.settings.besteffortKillAhead
    for victim in plan.victims + plan.checkpoints {
      let stay = stays.first { $0.job == victim }
      let job = stay?.besteffort
      require(
        plan.victims.contains(victim)
          ? job?.mustEnd(at: now) == true && !plan.checkpoints.contains(victim)
          : job?.mustBeTold(at: now) == true, "job \(victim) is no victim")
      let isNeeded = stays.contains {
        $0.besteffort == nil && !$0.runs && $0.start <= last
          && $0.traits.space == stay?.traits.space
          && !$0.resources.isDisjoint(with: stay?.resources ?? [])
      }
      require(isNeeded, "job \(victim) ends for nobody")
    }
  }
}
