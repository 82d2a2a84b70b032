// Jobs that have resources now: what they keep from others, and what they let others have.

import ClusterModel
import Kamelot

extension Pass {
  /// Makes the resources of jobs that have them busy until their walltime is over.
  mutating func holdResources(ofBesteffort: Bool) {
    if !ofBesteffort { holdDepartures() }
    let jobs = snapshot.holding.filter { $0.isBesteffort == ofBesteffort }
    var plain: [Hold] = []
    var special: [(job: HoldingJob, traits: JobTraits, spot: Spot)] = []
    for job in jobs {
      let until = job.end(security: snapshot.settings.jobSecurityTime, now: snapshot.now)
      count(job, until: until)
      let places = job.resources.compactMap(snapshot.platform.place)
      holders.append(
        .init(job: job.id, until: until, places: places, isBesteffort: job.isBesteffort))
      let traits = job.traits(snapshot.settings)
      if traits.sharing == .none, traits.container == nil, traits.inner == nil {
        plain.append(Hold(resources: places, until: until))
        continue
      }
      let set = ResourceSet(capacity: snapshot.platform.resources.count, places)
      special.append((job, traits, Spot(start: snapshot.now, end: until, resources: set)))
    }
    planner.hold(plain)
    hold(special)
    holdsBesteffort = ofBesteffort
  }

  /// Containers first, those within others after those around them.
  private mutating func hold(_ special: [(job: HoldingJob, traits: JobTraits, spot: Spot)]) {
    var left = special.sorted {
      ($0.traits.container == nil ? 1 : 0, $0.job.id)
        < ($1.traits.container == nil ? 1 : 0, $1.job.id)
    }
    while !left.isEmpty {
      let ready = left.filter { planner.hasSpace($0.traits.inner) }
      // What runs in a container that is not there holds what it has all the same.
      let next = ready.isEmpty ? left : ready
      for (job, traits, spot) in next {
        let space = planner.hasSpace(traits.inner) ? traits.inner : nil
        planner.take(
          spot, in: space, sharing: traits.sharing, isLate: job.isBesteffort)
        if let container = traits.container { open(container, with: spot) }
        left.removeAll { $0.job.id == job.id }
      }
    }
  }

  /// Jobs that have resources of a promise though its time has come: their time is over, or they share. For
  /// what runs in a container only its neighbours there count.
  func lateHolders(on resources: ResourceSet, _ traits: JobTraits) -> [JobID] {
    snapshot.holding.filter { job in
      guard !job.isBesteffort,
        job.resources.contains(where: {
          snapshot.platform.place(of: $0).map(resources.contains) ?? false
        })
      else { return false }
      let others = job.traits(snapshot.settings)
      if let container = traits.inner, others.inner != container { return false }
      return !traits.sharing.isWelcome(where: others.sharing)
    }
    .map(\.id).sorted()
  }

  /// Resources that will leave are busy from then on.
  private mutating func holdDepartures() {
    for (until, places) in snapshot.platform.departures {
      let set = ResourceSet(capacity: snapshot.platform.resources.count, places)
      planner.depart(set, from: until)
    }
  }
}

extension HoldingJob {
  /// What its types mean; those that can't be read mean nothing.
  func traits(_ settings: PlanningSettings) -> JobTraits {
    if types.isEmpty { return .none }
    let traits = try? JobTraits(
      types: types, job: id, user: user, name: name, utcOffset: settings.utcOffset)
    return traits ?? .none
  }

  /// The first instant at which its resources are free again, if it runs its walltime.
  func end(security: Seconds, now: Instant) -> Instant {
    let end = start.addingReportingOverflow(walltime)
    let free = end.partialValue.addingReportingOverflow(max(0, security))
    return end.overflow || free.overflow ? .max : max(free.partialValue, now + 1)
  }
}
