// Besteffort jobs that run: who must end for whom, for the reference planner.

import ClusterModel
import Kamelot

extension ReferencePlanner {
  /// The running besteffort jobs that a job with a spot now has to wait for.
  func victims(of traits: ReferenceTraits, _ spot: ReferenceSpot) -> [HoldingJob] {
    guard spot.start == now, !traits.isBesteffort, !holdsBesteffort else { return [] }
    return rivals(of: traits).filter { !spot.resources.isDisjoint(with: $0.resources) }
  }

  /// The running besteffort jobs that can't be joined by a job with `traits`, in its space.
  private func rivals(of traits: ReferenceTraits) -> [HoldingJob] {
    snapshot.holding.filter { job in
      let held = ReferenceTraits(job)
      return job.isBesteffort && held.space == traits.space && !traits.mayJoin(held)
    }
  }

  func isInTheWay(of traits: ReferenceTraits, _ spot: ReferenceSpot) -> Bool {
    !victims(of: traits, spot).isEmpty
  }

  /// The resources of a spot now such that less besteffort work is lost: none if that can be, else
  /// whatever the plan that is followed chose, if nothing of it is superfluous.
  func sparing(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ spot: ReferenceSpot
  ) -> Set<ResourceID> {
    let moldable = job.moldables[spot.moldable]
    guard let groups = requests.order(of: moldable, for: job, traits) else {
      return spot.resources
    }
    let free = free(for: traits, from: spot.start, to: spot.end)
    let held = Set(rivals(of: traits).flatMap(\.resources))
    if let beside = requests.pick(groups, for: job, traits, from: free.subtracting(held)) {
      return beside
    }
    guard let chosen = guide?.placement(of: job.id).map({ Set($0.resources) }) else {
      return spot.resources
    }
    let takesHalf = groups.contains { $0.levels.contains { $0.count == .bestHalf } }
    let isExact =
      takesHalf || requests.pick(groups, for: job, traits, from: chosen) == chosen
    return chosen.isSubset(of: free) && isExact ? chosen : spot.resources
  }

  /// Whether those and only those end who must.
  mutating func compareVictims() {
    guard let guide, problem == nil else { return }
    let victims = Set(guide.victims)
    let needed = Set(plan.victims)
    if victims.count != guide.victims.count {
      problem = "a besteffort job is told to end twice: \(guide.victims)"
    } else if !needed.isSubset(of: victims)
      || !victims.isSubset(of: needed.union(optionalVictims))
    {
      problem = "the besteffort jobs \(needed.sorted()) end, not \(guide.victims.sorted())"
    }
  }
}
