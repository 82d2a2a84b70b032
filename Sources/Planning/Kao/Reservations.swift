// Advance reservations: those that were accepted keep what they were promised; new ones are accepted if
// just that is left.

import ClusterModel
import Kamelot

extension Pass {
  // MARK: Accepted

  /// Keeps for a reservation the resources that it was promised; when its time has come it starts on
  /// those that are there.
  mutating func keepPromise(_ index: Int) {
    let job = snapshot.waiting[index]
    guard let reservation = job.reservation, let promise = reservation.promised else { return }
    plan.order.append(job.id)
    guard let traits = traits(of: job) else { return }
    guard job.moldables.indices.contains(promise.moldable),
      (1...Candidate.longestWalltime).contains(job.moldables[promise.moldable].walltime)
    else {
      plan.reasons[job.id] = Reason(
        .malformed, "Its moldable \(promise.moldable), for which it was accepted, makes no sense.")
      return
    }
    let end = reservation.start.addingCapped(job.moldables[promise.moldable].walltime)
    guard snapshot.now < end else {
      return refuse(job.id, "Reservation expired and couldn't be started.")
    }
    // A late start does not move the end.
    let spot = Spot(
      start: max(snapshot.now, reservation.start),
      end: end.addingCapped(max(0, snapshot.settings.jobSecurityTime)),
      resources: snapshot.platform.places(of: promise.resources))
    keep(spot, for: index, reservation, promise.moldable, traits)
  }

  private mutating func keep(
    _ spot: Spot, for index: Int, _ reservation: Reservation, _ moldable: Int,
    _ traits: JobTraits
  ) {
    let id = snapshot.waiting[index].id
    if spot.start > snapshot.now {
      clearAhead(spot, traits)
      add(index, moldable, spot, traits, isStart: false)
      plan.reasons[id] = Reason(.reservation, "It is a reservation: it starts at its time.")
      return
    }
    var rest = spot
    rest.resources = spot.resources.intersection(
      traits.sharing.isPermissive ? snapshot.platform.notDead : plannable)
    let patience = max(0, snapshot.settings.reservationPatience)
    let isPatient = snapshot.now < reservation.start.addingCapped(patience)
    if rest.resources.isEmpty || (isPatient && rest.resources != spot.resources) {
      // What it was promised is its own, and counts.
      noteEnd(of: id, spot.end)
      count(snapshot.waiting[index], spot)
      keepBusy(spot, traits)
      plan.reasons[id] = Reason(
        .reservation,
        rest.resources.isEmpty
          ? "None of its resources is there."
          : "It waits for resources that were lost, at most \(patience) s.")
      return
    }
    let obstacle = obstacle(to: rest, traits)
    add(index, moldable, rest, traits, isStart: obstacle == nil)
    if let obstacle { plan.reasons[id] = obstacle }
  }

  /// Why a reservation whose time has come can't start yet.
  private mutating func obstacle(to spot: Spot, _ traits: JobTraits) -> Reason? {
    let late = lateHolders(on: spot.resources, traits)
    if late.isEmpty { return clear(spot, traits) }
    return Reason(
      .resources, "It starts as soon as those have ended that still are on its resources.",
      blockers: late)
  }

  private mutating func traits(of job: WaitingJob) -> JobTraits? {
    do {
      return try job.traits(snapshot.settings)
    } catch {
      plan.reasons[job.id] = Reason(.malformed, "\(error)")
      return nil
    }
  }

  // MARK: New

  /// Accepts a reservation if it fits just at its time, else tells when it would.
  mutating func decide(_ index: Int) {
    decideAlone(index)
    placeDependents(of: index)
  }

  private mutating func decideAlone(_ index: Int) {
    let job = snapshot.waiting[index]
    plan.order.append(job.id)
    guard let reservation = job.reservation, let (ready, choice) = firstChoice(of: index) else {
      plan.refused.append(job.id)
      return
    }
    let security = max(0, snapshot.settings.jobSecurityTime)
    if snapshot.now >= reservation.start.addingCapped(choice.duration - security) {
      return refuse(job.id, "Reservation too old")
    }
    if ready.traits.inner != nil {
      return refuse(job.id, "A reservation can't be made in a container.")
    }
    if let call = ready.traits.plugin {
      return refuse(
        job.id, "A reservation can't be made by a plug-in (\(call.role.rawValue)=\(call.name)).")
    }
    var query = SpotQuery(
      choice.request, duration: choice.duration, notBefore: max(snapshot.now, reservation.start))
    query.sharing = ready.traits.sharing
    guard var spot = preferredSpot(query, for: job, ready.traits) else {
      let next = planner.findSpot(query)?.start
      return refuse(
        job.id,
        // OAR's sentence, without its end: tools look for the date there.
        next.map { "This reservation could run at \(snapshot.date($0))" }
          ?? "This reservation could run at no date: its resources are never free together.")
    }
    if !ready.traits.isWithoutQuotas, let account = account(of: job),
      let excess = refusal(of: spot, account)
    {
      return refuse(job.id, excess.text)
    }
    plan.accepted.append(job.id)
    var obstacle: Reason?
    if spot.start > snapshot.now {
      clearAhead(&spot, for: ready, choice, of: index)
      obstacle = Reason(.reservation, "It is a reservation: it starts at its time.")
    } else {
      obstacle = clear(&spot, for: ready, choice, of: index)
    }
    add(index, choice.moldable, spot, ready.traits, isStart: obstacle == nil)
    if let obstacle { plan.reasons[job.id] = obstacle }
  }

  /// The spot at the time of a new reservation, in the order in which these prefer resources.
  private mutating func preferredSpot(
    _ query: SpotQuery, for job: WaitingJob, _ traits: JobTraits
  ) -> Spot? {
    guard var spot = planner.spot(query) else { return nil }
    let threshold = max(0, snapshot.settings.reservationOrderThreshold)
    guard let other = snapshot.reservationPlatform, let moldable = job.moldables.first,
      query.notBefore >= snapshot.now.addingCapped(threshold)
    else { return spot }
    let free = other.places(of: snapshot.platform.ids(of: planner.free(query)))
    // First fit in another order may fail where groups compete; then the usual order does.
    guard
      case .possible(let request) = other.resolve(
        moldable.groups, properties: job.properties, scope: traits.scope(snapshot.settings)),
      let picked = request.pick(from: free)
    else { return spot }
    spot.resources = snapshot.platform.places(of: other.ids(of: picked))
    return spot
  }

  /// The first moldable, the only one for a reservation; without it, the job gets its reason.
  private mutating func firstChoice(of index: Int) -> (ReadyJob, Choice)? {
    let id = snapshot.waiting[index].id
    switch candidate(index) {
    case .refused(let reason): plan.reasons[id] = reason
    case .ready(let job):
      if let choice = job.choices.first, choice.moldable == 0 { return (job, choice) }
      plan.reasons[id] = Reason(
        .impossible, "Its first moldable, the only one for a reservation, can't be placed.")
    }
    return nil
  }

  private mutating func refuse(_ job: JobID, _ text: String) {
    plan.refused.append(job)
    plan.reasons[job] = Reason(.reservation, text)
  }
}
