// What may still stand in the way of a job whose time is now: besteffort jobs on its resources, and hosts
// that sleep.

import ClusterModel
import Kamelot
import RequestLanguage

extension Pass {
  /// Clears the way for a job that has a spot now, or moves it to resources where that wastes less work;
  /// why it can't start yet.
  mutating func clear(
    _ spot: inout Spot, for job: ReadyJob, _ choice: Choice, of index: Int
  ) -> Reason? {
    if !holdsBesteffort, !besteffort.isEmpty {
      spot = sparingBesteffort(spot, job, choice, of: index)
    }
    return clear(spot, job.traits)
  }

  /// Clears the way for a job that has a spot now; why it can't start yet.
  mutating func clear(_ spot: Spot, _ traits: JobTraits) -> Reason? {
    if !holdsBesteffort, !besteffort.isEmpty {
      let inTheWay = besteffort.inTheWay(of: traits, in: spot)
      if !inTheWay.isEmpty { return dismiss(inTheWay) }
    }
    if traits.acceptsSleeping || traits.sharing.isPermissive { return nil }
    guard !spot.resources.isSubset(of: snapshot.platform.usable) else { return nil }
    return Reason(.resources, "It starts as soon as the hosts that sleep have been woken.")
  }

  /// Clears the way ahead of time for a job that starts soon, or moves it to resources where that wastes
  /// less work.
  mutating func clearAhead(
    _ spot: inout Spot, for job: ReadyJob, _ choice: Choice, of index: Int
  ) {
    guard isNear(spot) else { return }
    // What a plug-in chose stays as it is.
    if job.traits.plugin == nil { spot = sparingBesteffort(spot, job, choice, of: index) }
    clearAhead(spot, job.traits)
  }

  /// Clears the way ahead of time for a job that starts soon.
  mutating func clearAhead(_ spot: Spot, _ traits: JobTraits) {
    guard isNear(spot) else { return }
    let inTheWay = besteffort.inTheWay(of: traits, in: spot)
    if !inTheWay.isEmpty { _ = dismiss(inTheWay) }
  }

  /// Whether besteffort jobs have to make room for a spot already. If not yet, the pass at which they
  /// have to is noted.
  private mutating func isNear(_ spot: Spot) -> Bool {
    let ahead = max(0, snapshot.settings.besteffortKillAhead)
    guard ahead > 0, !holdsBesteffort, !besteffort.isEmpty else { return false }
    if spot.start <= snapshot.now.addingCapped(ahead) { return true }
    plan.lookAgain(at: spot.start - ahead)
    return false
  }

  /// The spot on other resources if those waste less besteffort work.
  private mutating func sparingBesteffort(
    _ spot: Spot, _ job: ReadyJob, _ choice: Choice, of index: Int
  ) -> Spot {
    guard !besteffort.inTheWay(of: job.traits, in: spot).isEmpty else { return spot }
    var query = SpotQuery(
      choice.request, duration: searchLength(of: choice), notBefore: spot.start)
    query.space = job.traits.inner
    query.sharing = job.traits.sharing
    guard
      let resources = besteffort.sparingPick(
        for: choice.request, from: planner.free(query), at: spot.start, job.traits)
    else { return spot }
    var sparing = spot
    sparing.resources = resources
    return isWithinQuotas(sparing, job, index, insteadOf: spot) ? sparing : spot
  }

  /// Whether a job may have another spot than one that its quotas allow: hosts may differ in size.
  private mutating func isWithinQuotas(
    _ spot: Spot, _ job: ReadyJob, _ index: Int, insteadOf allowed: Spot
  ) -> Bool {
    guard spot.resources.count > allowed.resources.count, !job.traits.isWithoutQuotas,
      let account = account(of: snapshot.waiting[index])
    else { return true }
    return refusal(of: spot, account) == nil
  }

  /// Lets besteffort jobs that stand in the way of a job give way: those that can save their work are told
  /// to and have time for it, the others end; why the job has to wait.
  private mutating func dismiss(_ jobs: [HoldingJob]) -> Reason {
    var last: Instant?
    for job in jobs {
      switch job.farewell(at: snapshot.now) {
      case .ends: break
      case .end:
        plan.victims.append(job.id)
        besteffort.markEnding(job.id)
      case .tell:
        plan.checkpoints.append(job.id)
        besteffort.markTold(job.id)
        last = max(last ?? 0, waitForSaving(until: snapshot.now.addingCapped(job.checkpoint)))
      case .saves(let end): last = max(last ?? 0, waitForSaving(until: end))
      }
    }
    let ids = jobs.map(\.id).sorted().prefix(Reasons.blockerLimit)
    let saving = last.map { " They may save their work until \(snapshot.date($0))." } ?? ""
    return Reason(
      .resources, "It starts as soon as the besteffort jobs on its resources have ended." + saving,
      blockers: Array(ids))
  }

  private mutating func waitForSaving(until end: Instant) -> Instant {
    plan.lookAgain(at: end)
    return end
  }
}

extension Snapshot {
  /// An instant as the site's clocks show it.
  func date(_ instant: Instant) -> String {
    CivilDate(instant, utcOffset: settings.utcOffset)?.text ?? "\(instant)"
  }
}
