// Advance reservations: those that were accepted keep what they were promised; new ones are accepted if
// just that is left.

import ClusterModel
import Kamelot
import RequestLanguage

extension Pass {
  // MARK: Accepted

  /// Keeps for a reservation the resources that it was promised; when its time has come it starts on
  /// those that are there.
  mutating func keepPromise(_ index: Int) {
    let job = snapshot.waiting[index]
    guard let reservation = job.reservation, let promise = reservation.promised,
      let (ready, choice) = choice(promise.moldable, of: index)
    else { return }
    let now = snapshot.now
    let security = max(0, snapshot.settings.jobSecurityTime)
    guard now < reservation.start.addingCapped(choice.duration - security) else {
      plan.refused.append(job.id)
      plan.reasons[job.id] = Reason(.reservation, "The time of this reservation is over.")
      return
    }
    let all = snapshot.platform.places(of: promise.resources)
    // A late start does not move the end.
    var spot = Spot(
      start: max(now, reservation.start), end: reservation.start.addingCapped(choice.duration),
      resources: all)
    plan.order.append(job.id)
    let obstacle = obstacle(to: &spot, reservation, ready, choice)
    add(index, choice, spot, ready.traits, isStart: obstacle == nil)
    if let obstacle { plan.reasons[job.id] = obstacle }
  }

  /// Why a reservation does not start now; it is left those of its resources that it will start on.
  private mutating func obstacle(
    to spot: inout Spot, _ reservation: Reservation, _ job: ReadyJob, _ choice: Choice
  ) -> Reason? {
    if spot.start > snapshot.now {
      return Reason(.reservation, "It is a reservation: it starts at its time.")
    }
    let there = spot.resources.intersection(plannable)
    let patience = max(0, snapshot.settings.reservationPatience)
    if there.isEmpty {
      return Reason(.reservation, "None of its resources is there.")
    }
    if there != spot.resources {
      guard snapshot.now >= reservation.start.addingCapped(patience) else {
        return Reason(
          .reservation, "It waits for resources that were lost, at most \(patience) s.")
      }
      spot.resources = there
    }
    let late = lateHolders(on: spot.resources, sharing: job.traits.sharing)
    if !late.isEmpty {
      return Reason(
        .resources, "It starts as soon as those have ended that still are on its resources.",
        blockers: late)
    }
    return clear(&spot, for: job, choice, mayMove: false)
  }

  // MARK: New

  /// Accepts a reservation if it fits just at its time, else tells when it would.
  mutating func decide(_ index: Int) {
    let job = snapshot.waiting[index]
    guard let reservation = job.reservation, let (ready, choice) = choice(0, of: index) else {
      plan.refused.append(job.id)
      return
    }
    let security = max(0, snapshot.settings.jobSecurityTime)
    if snapshot.now >= reservation.start.addingCapped(choice.duration - security) {
      return refuse(job.id, "Its time is over already.")
    }
    if ready.traits.inner != nil {
      return refuse(job.id, "A reservation can't be made in a container.")
    }
    var query = SpotQuery(
      choice.request, duration: choice.duration, notBefore: max(snapshot.now, reservation.start))
    query.sharing = ready.traits.sharing
    plan.order.append(job.id)
    guard var spot = planner.spot(query) else {
      let next = planner.findSpot(query)?.start
      return refuse(
        job.id,
        "Its resources are not free then" + (next.map { "; they are from \(text($0)) on." } ?? "."))
    }
    if !ready.traits.isWithoutQuotas, let account = account(of: job),
      let excess = refusal(of: spot, account)
    {
      return refuse(job.id, excess.text)
    }
    plan.accepted.append(job.id)
    var obstacle: Reason?
    if spot.start > snapshot.now {
      obstacle = Reason(.reservation, "It is a reservation: it starts at its time.")
    } else {
      obstacle = clear(&spot, for: ready, choice)
    }
    add(index, choice, spot, ready.traits, isStart: obstacle == nil)
    if let obstacle { plan.reasons[job.id] = obstacle }
  }

  /// The moldable of a reservation; without it, the job gets its reason.
  private mutating func choice(
    _ moldable: Int, of index: Int
  ) -> (ReadyJob, Choice)? {
    let id = snapshot.waiting[index].id
    switch candidate(index) {
    case .refused(let reason): plan.reasons[id] = reason
    case .ready(let job):
      if let choice = job.choices.first(where: { $0.moldable == moldable }) {
        return (job, choice)
      }
      plan.reasons[id] = Reason(
        .impossible, "Its moldable \(moldable), which a reservation needs, can't be placed.")
    }
    return nil
  }

  private func text(_ instant: Instant) -> String {
    CivilDate(instant, utcOffset: snapshot.settings.utcOffset)?.text ?? "\(instant)"
  }

  private mutating func refuse(_ job: JobID, _ text: String) {
    plan.refused.append(job)
    plan.reasons[job] = Reason(.reservation, text)
  }
}
