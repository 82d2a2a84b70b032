// What may still stand in the way of a job whose time is now: besteffort jobs on its resources, and hosts
// that sleep.

import ClusterModel
import Kamelot

extension Pass {
  /// Clears the way for a job that has a spot now, or moves it to resources where that wastes less work;
  /// why it can't start yet.
  mutating func clear(
    _ spot: inout Spot, for job: ReadyJob, _ choice: Choice, of index: Int
  ) -> Reason? {
    if !holdsBesteffort, !besteffort.isEmpty {
      let sparing = sparingBesteffort(spot, job, choice)
      if isWithinQuotas(sparing, job, index, insteadOf: spot) { spot = sparing }
    }
    return clear(spot, job.traits)
  }

  /// Clears the way for a job that has a spot now; why it can't start yet.
  mutating func clear(_ spot: Spot, _ traits: JobTraits) -> Reason? {
    if !holdsBesteffort, !besteffort.isEmpty {
      let inTheWay = besteffort.inTheWay(of: traits, on: spot.resources)
      if !inTheWay.isEmpty { return end(inTheWay) }
    }
    if traits.acceptsSleeping || traits.sharing.isPermissive { return nil }
    guard !spot.resources.isSubset(of: snapshot.platform.usable) else { return nil }
    return Reason(.resources, "It starts as soon as the hosts that sleep have been woken.")
  }

  /// The spot on other resources if those waste less besteffort work.
  private mutating func sparingBesteffort(
    _ spot: Spot, _ job: ReadyJob, _ choice: Choice
  ) -> Spot {
    guard !besteffort.inTheWay(of: job.traits, on: spot.resources).isEmpty else { return spot }
    var query = SpotQuery(choice.request, duration: choice.duration, notBefore: snapshot.now)
    query.space = job.traits.inner
    query.sharing = job.traits.sharing
    guard
      let resources = besteffort.sparingPick(
        for: choice.request, from: planner.free(query), job.traits)
    else { return spot }
    var sparing = spot
    sparing.resources = resources
    return sparing
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

  /// Ends besteffort jobs that stand in the way of a job that could start now; its reason.
  private mutating func end(_ jobs: [HoldingJob]) -> Reason {
    for job in jobs where !job.isEnding {
      plan.victims.append(job.id)
      besteffort.markEnding(job.id)
    }
    let ids = jobs.map(\.id).sorted().prefix(Reasons.blockerLimit)
    return Reason(
      .resources, "It starts as soon as the besteffort jobs on its resources have ended.",
      blockers: Array(ids))
  }
}
