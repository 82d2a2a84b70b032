// How the reference planner places one job.

import ClusterModel
import Kamelot

/// Where and when a job fits.
struct ReferenceSpot {
  var moldable: Int
  var start: Instant
  /// The first instant after it.
  var end: Instant
  var resources: Set<ResourceID>
}

extension ReferencePlanner {
  /// Gives a job its place, or a reason why it has none.
  mutating func place(_ job: WaitingJob) {
    plan.order.append(job.id)
    guard let traits = try? ReferenceTraits(job) else {
      return refuse(job, Reason(.malformed, "A type can't be understood."))
    }
    if let refusal = refusal(of: job, traits) { return refuse(job, refusal) }
    guard let spot = laterSpot(than: earliest(job, traits), job, traits) else {
      return refuse(job, Reason(.impossible, "There is no time at which it could start."))
    }
    settle(job, traits, spot, mayDiffer: true)
  }

  private func refusal(of job: WaitingJob, _ traits: ReferenceTraits) -> Reason? {
    for dependency in job.dependencies {
      switch dependency {
      case .running(let other), .impossible(let other, _):
        return Reason(.dependency, "Job \(other) must end first.", blockers: [other])
      case .satisfied, .waiting, .ending: break
      }
    }
    if let expiry = traits.expiry, now > expiry {
      return Reason(.impossible, "It is given up since \(expiry).")
    }
    if spaces[traits.space] == nil {
      return Reason(.impossible, "There is no container \(traits.space).")
    }
    return nil
  }

  /// The first start of the moldable that ends first, the first of them if several do.
  private func earliest(_ job: WaitingJob, _ traits: ReferenceTraits) -> ReferenceSpot? {
    var best: ReferenceSpot?
    for (index, moldable) in job.moldables.enumerated() {
      guard let groups = requests.order(of: moldable, for: job, traits) else { continue }
      let duration = runTime(moldable, traits) + security
      for start in starts(job, traits) {
        if let best, best.end <= start + duration { break }
        if let deadline = traits.deadline, start + moldable.walltime > deadline { break }
        let free = free(for: traits, from: start, to: hole(from: start, to: start + duration))
        guard let picked = requests.pick(groups, for: job, traits, from: free) else { continue }
        let spot = ReferenceSpot(
          moldable: index, start: start, end: start + duration, resources: picked)
        if keepsQuotas(job, spot) {
          best = spot
          break
        }
      }
    }
    return best
  }

  /// The spot that the plan that is followed gave a job of which not more is asked, if it is no better
  /// than the first; else the first.
  private func laterSpot(
    than first: ReferenceSpot?, _ job: WaitingJob, _ traits: ReferenceTraits
  ) -> ReferenceSpot? {
    guard let guide, let first, isToleranceDue(to: job, traits) else { return first }
    guard let place = guide.placement(of: job.id) else {
      let isLimited = traits.deadline != nil || !traits.space.isEmpty || quotas != nil
      return isLimited || requests.resources.contains { $0.bound(at: now) != nil } ? nil : first
    }
    guard place.end + 1 >= first.end, job.moldables.indices ~= place.moldable,
      starts(job, traits).contains(place.start),
      let groups = requests.order(of: job.moldables[place.moldable], for: job, traits)
    else { return first }
    let end = place.start + runTime(job.moldables[place.moldable], traits) + security
    let free = free(for: traits, from: place.start, to: hole(from: place.start, to: end))
    let picked = requests.pick(groups, for: job, traits, from: free)
    let later = picked.map {
      ReferenceSpot(moldable: place.moldable, start: place.start, end: end, resources: $0)
    }
    return later.flatMap { keepsQuotas(job, $0) ? $0 : nil } ?? first
  }

  /// Whether the planner need not find the earliest start of a job.
  private func isToleranceDue(to job: WaitingJob, _ traits: ReferenceTraits) -> Bool {
    let competes = job.moldables.contains { $0.groups.count > 1 }
    let varies = quotas != nil && job.moldables.contains { requests.varies($0, traits) }
    return competes && missing.contains(.competingGroups)
      || varies && missing.contains(.varyingSizes)
  }

  private func runTime(_ moldable: Moldable, _ traits: ReferenceTraits) -> Seconds {
    let assumed =
      max(1, snapshot.settings.besteffortDuration) + snapshot.settings.besteffortKillAhead
    return traits.isBesteffort ? min(moldable.walltime, assumed) : moldable.walltime
  }

  /// Until when resources must be free so that a job is placed on them.
  func hole(from start: Instant, to end: Instant) -> Instant {
    max(end, start + snapshot.settings.holeMinimum)
  }

  /// The job's lower bound and all later instants at which anything changes.
  private func starts(_ job: WaitingJob, _ traits: ReferenceTraits) -> [Instant] {
    var bound = max(now, traits.notBefore ?? now)
    for case .waiting(let other) in job.dependencies { bound = max(bound, ends[other] ?? bound) }
    let changes =
      (spaces[traits.space]?.instants ?? [])
      + requests.resources.compactMap { $0.bound(at: now) } + (quotas?.instants ?? [])
    return Set([bound] + changes.filter { $0 > bound }).sorted()
  }

  /// Whether quotas allow a job a spot.
  func keepsQuotas(_ job: WaitingJob, _ spot: ReferenceSpot) -> Bool {
    quotas?.breach(by: use(of: job, spot)) == nil
  }

  private func use(of job: WaitingJob, _ spot: ReferenceSpot) -> ReferenceUse {
    ReferenceUse(job, resources: spot.resources.count, start: spot.start, end: spot.end)
  }

  /// The resources that a job may have all the time from `start` to before `end`.
  func free(
    for traits: ReferenceTraits, from start: Instant, to end: Instant
  ) -> Set<ResourceID> {
    guard let space = spaces[traits.space] else { return [] }
    var free: Set<ResourceID> = []
    for resource in requests.resources where resource.serves(traits, at: now) {
      if let bound = resource.bound(at: now), end > bound { continue }
      if space.offers(resource.id, from: start, to: end) { free.insert(resource.id) }
    }
    for claim in space.obstacles(to: traits, on: free, from: start, to: end) {
      free.subtract(claim.resources)
    }
    return free
  }
}

// What follows from a place.
extension ReferencePlanner {
  /// Gives a job the spot that it should have, or the one that the plan that is followed gave it if
  /// that is as good.
  mutating func settle(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ best: ReferenceSpot, mayDiffer: Bool
  ) {
    var spot = best
    if mayDiffer, isInTheWay(of: traits, best) {
      spot.resources = sparing(job, traits, best)
      if !keepsQuotas(job, spot) { spot = best }
    }
    guard agree(job, spot) else { return }
    let victims = victims(of: traits, spot)
    let isReady = spaces[traits.space]?.isReady(spot.resources, at: now) ?? false
    let sleeps = sleeps(spot.resources, for: traits)
    let starts = spot.start == now && victims.isEmpty && !sleeps && isReady
    let placement = placement(of: job, spot)
    if starts {
      plan.starts.append(placement)
    } else {
      plan.predictions.append(placement)
      plan.reasons[job.id] = reason(spot, victims, sleeps: sleeps)
    }
    compareStart(job, isStart: starts, waitsForWaking: sleeps && victims.isEmpty && isReady)
    take(spot, for: job, traits, isRunning: starts)
    dismiss(victims)
  }

  mutating func take(
    _ spot: ReferenceSpot, for job: WaitingJob, _ traits: ReferenceTraits, isRunning: Bool
  ) {
    let claim = ReferenceClaim(
      job: job.id, traits: traits, start: spot.start, end: spot.end, resources: spot.resources)
    add(claim, isRunning: isRunning)
    let use = use(of: job, spot)
    quotas?.add(use)
    ends[job.id] = spot.end
  }

  func placement(of job: WaitingJob, _ spot: ReferenceSpot) -> Placement {
    Placement(
      job: job.id, start: spot.start, end: spot.end - 1, moldable: spot.moldable,
      resources: spot.resources.sorted(), on: snapshot.platform)
  }

  /// Whether a job that would start now has to wait until some of its resources are woken.
  func sleeps(_ resources: Set<ResourceID>, for traits: ReferenceTraits) -> Bool {
    if traits.startsAsleep || traits.isPermissive { return false }
    return requests.resources.contains {
      resources.contains($0.id) && $0.isStandby(at: now)
    }
  }

  private func reason(
    _ spot: ReferenceSpot, _ victims: [HoldingJob], sleeps: Bool
  ) -> Reason {
    if spot.start > now { return Reason(.resources, "Its resources are busy.") }
    if !victims.isEmpty {
      return Reason(.resources, "Besteffort jobs end first.", blockers: victims.map(\.id))
    }
    return Reason(.resources, sleeps ? "Its resources are woken." : "Its container must start.")
  }
}
