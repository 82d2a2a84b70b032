// What may still stand in the way of a job whose time is now: besteffort jobs on its resources, and hosts
// that sleep.

import ClusterModel
import Kamelot

extension Pass {
  /// Clears the way for a job that has a spot now, or moves it to resources where that wastes less work;
  /// why it can't start yet.
  mutating func clear(_ spot: inout Spot, for job: ReadyJob, _ choice: Choice) -> Reason? {
    if !holdsBesteffort, !besteffort.isEmpty { spot = sparingBesteffort(spot, job, choice) }
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
