// The rules that concern one waiting job: its request, its times, its types.

import ClusterModel
import Kamelot

extension PlanRules {
  mutating func check(_ job: WaitingJob) {
    let starts = plan.starts.contains { $0.job == job.id }
    let count = (plan.starts + plan.predictions).count { $0.job == job.id }
    require(count <= 1, "job \(job.id) has \(count) places")
    require(
      starts != (plan.reasons[job.id] != nil),
      "job \(job.id) \(starts ? "starts and has a reason not to" : "has no reason")")
    guard let placement = plan.placement(of: job.id) else { return }
    guard let traits = try? ReferenceTraits(job), job.moldables.indices ~= placement.moldable else {
      return require(false, "job \(job.id) can't be understood, and has a place")
    }
    require(placement.resources == placement.resources.sorted(), "job \(job.id) is not sorted")
    require(!placement.resources.isEmpty, "job \(job.id) has no resources")
    checkQueue(job)
    checkTimes(job, traits, placement)
    checkDependencies(job, placement)
    checkResources(job, traits, placement)
    checkSpace(job, traits, placement)
    if starts { checkStart(job, traits, placement) }
  }

  private mutating func checkQueue(_ job: WaitingJob) {
    let isActive = snapshot.queues.contains { $0.name == job.queue && $0.isActive }
    require(isActive, "job \(job.id) has a place, and its queue starts nothing")
  }

  private mutating func checkTimes(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ placement: Placement
  ) {
    let moldable = job.moldables[placement.moldable]
    var runTime = moldable.walltime
    if traits.isBesteffort {
      let settings = snapshot.settings
      runTime = min(runTime, settings.besteffortDuration + settings.besteffortKillAhead)
    }
    var start = placement.start
    if let reservation = job.reservation {
      if reservation.promised != nil { start = min(start, reservation.start) }
      require(
        placement.start == max(now, reservation.start), "reservation \(job.id) is not in time")
    }
    require(
      placement.end + 1 - start == runTime + security, "job \(job.id) has another walltime")
    require(placement.start >= now, "job \(job.id) starts in the past")
    require(placement.start >= traits.notBefore ?? now, "job \(job.id) is to be postponed")
    require(
      placement.start + runTime <= traits.deadline ?? .max, "job \(job.id) passes its deadline")
    require(now <= traits.expiry ?? now, "job \(job.id) has expired")
  }

  private mutating func checkDependencies(_ job: WaitingJob, _ placement: Placement) {
    for dependency in job.dependencies {
      switch dependency {
      case .satisfied: break
      case .ending(_, let end):
        require(placement.start >= end, "job \(job.id) starts before a job that runs has ended")
      case .waiting(let other):
        require(
          end(of: other).map { $0 < placement.start } ?? false,
          "job \(job.id) starts before job \(other) has ended")
      case .running, .impossible: require(false, "job \(job.id) has a dependency that is open")
      }
    }
  }

  /// The last second of a job in the plan, or of what a reservation was promised.
  private func end(of job: JobID) -> Instant? {
    if let placement = plan.placement(of: job) { return placement.end }
    guard let waiting = snapshot.waiting.first(where: { $0.id == job }),
      let reservation = waiting.reservation, let promise = reservation.promised
    else { return nil }
    return reservation.start + waiting.moldables[promise.moldable].walltime + security - 1
  }

  private mutating func checkResources(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ placement: Placement
  ) {
    // A promise is kept as it is; its resources may be lost, or taken out of service.
    if job.reservation?.promised != nil { return }
    let taken = Set(placement.resources)
    let known = requests.resources.filter { taken.contains($0.id) }
    require(known.count == taken.count, "job \(job.id) has resources that there are not")
    for resource in known {
      require(
        resource.serves(traits, at: now), "job \(job.id) has \(resource.id), which is not up")
      require(
        placement.end < resource.bound(at: now) ?? .max,
        "job \(job.id) has \(resource.id) longer than that is up")
    }
    require(
      satisfies(taken, job, traits, job.moldables[placement.moldable]),
      "job \(job.id) has not what it asks for")
  }

  /// Whether a set is what first fit could have taken for a request.
  private func satisfies(
    _ taken: Set<ResourceID>, _ job: WaitingJob, _ traits: ReferenceTraits, _ moldable: Moldable
  ) -> Bool {
    // Half of what was free then can't be told from the set; all of it must serve.
    let groups = moldable.groups.map { group in
      let levels = group.levels.map {
        $0.count == .bestHalf ? RequestLevel($0.property, .best) : $0
      }
      return RequestGroup(properties: group.properties, levels: levels)
    }
    let isHalf = groups != moldable.groups
    let orders = groups.count < 2 ? [groups] : [groups, groups.reversed()]
    return orders.contains { order in
      guard let picked = requests.pick(order, for: job, traits, from: taken) else {
        return isHalf && groups.count > 1
      }
      return picked == taken || (isHalf && groups.count > 1)
    }
  }

  /// An inner job stays within what its containers offer.
  private mutating func checkSpace(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ placement: Placement
  ) {
    guard !traits.space.isEmpty else { return }
    let space = ReferenceSpace(claims: [], offers: offers(of: traits.space))
    for resource in placement.resources {
      require(
        space.offers(resource, from: placement.start, to: placement.end + 1),
        "job \(job.id) has \(resource) outside of container \(traits.space)")
    }
    if plan.starts.contains(where: { $0.job == job.id }) {
      require(
        space.isReady(Set(placement.resources), at: now),
        "job \(job.id) starts before its container")
    }
  }

  private func offers(of name: String) -> [ReferenceOffer] {
    stays.filter { $0.traits.container == name }.map {
      ReferenceOffer(
        start: $0.start, end: $0.end - security, resources: $0.resources, isReady: $0.runs)
    }
  }

  private mutating func checkStart(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ placement: Placement
  ) {
    require(placement.start == now, "job \(job.id) starts at another time than now")
    guard !traits.startsAsleep, !traits.isPermissive else { return }
    let sleeping = requests.resources.filter {
      placement.resources.contains($0.id) && $0.isStandby(at: now)
    }
    require(sleeping.isEmpty, "job \(job.id) starts on sleeping resources")
  }
}
