// The state of one pass, and its steps.

import ClusterModel
import Kamelot

/// One pass: what was decided so far.
struct Pass {
  let snapshot: Snapshot
  private(set) var plan = Plan()
  private var planner: Planner
  private var occupancy = Occupancy()
  private var besteffort: BesteffortHolders
  /// Whether besteffort jobs count as holders already.
  private var holdsBesteffort = false
  /// For each job that has a place, the first instant after it.
  private var ends: [JobID: Instant] = [:]
  /// Jobs that were reached before a job that they depend on, by that job.
  private var dependents: [JobID: [Int]] = [:]
  /// How many jobs were searched a place for.
  private var searched = 0
  /// The job before, since the jobs of an array are alike.
  private var previous: (job: WaitingJob, candidate: Candidate)?

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
    planner = Planner(platform: snapshot.platform, now: snapshot.now)
    besteffort = BesteffortHolders(snapshot)
  }

  /// Makes the resources of jobs that have them busy until their walltime is over.
  mutating func holdResources(ofBesteffort: Bool) {
    let platform = snapshot.platform
    var holds: [Hold] = []
    var holders: [(job: JobID, until: Instant, resources: ResourceSet)] = []
    for job in snapshot.holding where job.isBesteffort == ofBesteffort {
      let until = job.end(security: snapshot.settings.jobSecurityTime, now: snapshot.now)
      let places = job.resources.compactMap(platform.place)
      holds.append(Hold(resources: places, until: until))
      let resources = ResourceSet(capacity: platform.resources.count, places)
      holders.append((job.id, until, resources))
    }
    planner.hold(holds)
    occupancy.addHolders(holders)
    holdsBesteffort = ofBesteffort
  }

  /// The order of the waiting jobs; those that their queue keeps from starting get their reason.
  mutating func orderJobs() -> JobOrder {
    let order = JobOrder(snapshot)
    plan.reasons.reserveCapacity(snapshot.waiting.count)
    for (job, reason) in order.setAside { plan.reasons[snapshot.waiting[job].id] = reason }
    return order
  }
}

// The way of one job.
extension Pass {
  private static let beyondLimit = Reason(
    .order, "Too many jobs are ahead of it: the plan does not reach it yet.")

  /// Gives a waiting job its earliest place, or a reason why it has none; then the jobs that were
  /// reached before but depend on it.
  mutating func place(_ index: Int) {
    var reached = [index]
    var next = 0
    while next < reached.count {
      let id = placeAlone(reached[next])
      if !dependents.isEmpty, ends[id] != nil {
        reached += dependents.removeValue(forKey: id) ?? []
      }
      next += 1
    }
  }

  /// Tells the jobs whose dependency got no place why they have none.
  mutating func refuseDependents() {
    for (other, jobs) in dependents {
      let reason = Reason(
        .dependency, "Job \(other) must end first; it has no place in the plan.",
        blockers: [other])
      for job in jobs { plan.reasons[snapshot.waiting[job].id] = reason }
    }
  }

  /// Gives one job its place or a reason; its id.
  private mutating func placeAlone(_ index: Int) -> JobID {
    let limit = snapshot.settings.jobsPerPass
    guard limit <= 0 || searched < limit else {
      let id = snapshot.waiting[index].id
      plan.reasons[id] = Pass.beyondLimit
      return id
    }
    let job = snapshot.waiting[index]
    switch candidate(for: job) {
    case .refused(let reason): plan.reasons[job.id] = reason
    case .ready(let choices):
      switch DependencyBound(job.dependencies, now: snapshot.now, ends: ends) {
      case .refused(let reason): plan.reasons[job.id] = reason
      case .undecided(let other): dependents[other, default: []].append(index)
      case .from(let bound, let cause):
        place(job, choices, notBefore: bound, because: cause)
      }
    }
    return job.id
  }

  private mutating func candidate(for job: WaitingJob) -> Candidate {
    if let previous, previous.job.isLike(job) { return previous.candidate }
    let candidate = Candidate(job, on: snapshot.platform, settings: snapshot.settings)
    previous = (job, candidate)
    return candidate
  }

  private mutating func place(
    _ job: WaitingJob, _ choices: [Choice], notBefore: Instant, because cause: JobID?
  ) {
    searched += 1
    guard let best = earliestFinish(of: choices, notBefore: notBefore) else {
      plan.reasons[job.id] = Reason(.impossible, "There is no time at which it could start.")
      return
    }
    let choice = best.choice
    var spot = best.spot
    var inTheWay: [HoldingJob] = []
    if spot.start == snapshot.now, !holdsBesteffort, !besteffort.isEmpty {
      spot = sparingBesteffort(spot, choice)
      inTheWay = besteffort.overlapping(spot.resources)
    }
    let placement = Placement(
      job: job.id, start: spot.start, end: spot.end - 1, moldable: choice.moldable,
      resources: snapshot.platform.ids(of: spot.resources))
    if spot.start > snapshot.now {
      plan.predictions.append(placement)
      plan.reasons[job.id] = reason(choice, waitsFor: cause)
    } else if !inTheWay.isEmpty {
      plan.predictions.append(placement)
      plan.reasons[job.id] = end(inTheWay)
    } else {
      plan.starts.append(placement)
    }
    planner.take(spot)
    occupancy.add(job.id, spot, now: snapshot.now)
    ends[job.id] = spot.end
  }

  /// The moldable that would end first, and its spot; the first of those that end together.
  private mutating func earliestFinish(
    of choices: [Choice], notBefore: Instant
  ) -> (choice: Choice, spot: Spot)? {
    var best: (choice: Choice, spot: Spot)?
    for choice in choices {
      let limit = best.map { $0.spot.end - choice.duration } ?? .max
      let spot = planner.findSpot(
        for: choice.request, duration: choice.duration, notBefore: notBefore, before: limit)
      if let spot { best = (choice, spot) }
    }
    return best
  }

  /// The spot on other resources if those waste less besteffort work.
  private mutating func sparingBesteffort(_ spot: Spot, _ choice: Choice) -> Spot {
    guard !besteffort.overlapping(spot.resources).isEmpty else { return spot }
    let free = planner.freeFromNow(for: choice.duration, in: choice.request)
    guard let resources = besteffort.sparingPick(for: choice.request, from: free) else {
      return spot
    }
    var sparing = spot
    sparing.resources = resources
    return sparing
  }

  /// Ends besteffort jobs that stand in the way of a job that could start now; its reason.
  private mutating func end(_ jobs: [HoldingJob]) -> Reason {
    for job in jobs where !job.isEnding {
      plan.victims.append(job.id)
      besteffort.markEnding(job.id)
    }
    let ids = jobs.map(\.id).sorted().prefix(Occupancy.blockerLimit)
    return Reason(
      .resources, "It starts as soon as the besteffort jobs on its resources have ended.",
      blockers: Array(ids))
  }

  private mutating func reason(_ choice: Choice, waitsFor cause: JobID?) -> Reason {
    if let cause {
      return Reason(.dependency, "Job \(cause) must end first; it is planned.", blockers: [cause])
    }
    return occupancy.reason(for: choice.request, duration: choice.duration, planner: &planner)
  }
}

extension HoldingJob {
  /// The first instant at which its resources are free again, if it runs its walltime.
  fileprivate func end(security: Seconds, now: Instant) -> Instant {
    let end = start.addingReportingOverflow(walltime)
    let free = end.partialValue.addingReportingOverflow(max(0, security))
    return end.overflow || free.overflow ? .max : max(free.partialValue, now + 1)
  }
}

extension WaitingJob {
  /// Whether it asks for the same as another.
  fileprivate func isLike(_ other: WaitingJob) -> Bool {
    moldables == other.moldables && properties == other.properties && types == other.types
      && isBesteffort == other.isBesteffort && reservation == other.reservation
  }
}
