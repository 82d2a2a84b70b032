// Besteffort jobs that run: who must end for whom, for the reference planner.

import ClusterModel
import Kamelot

extension ReferencePlanner {
  /// The running besteffort jobs that a job with a spot now, or so soon that they have to give way already,
  /// has to wait for.
  func victims(of traits: ReferenceTraits, _ spot: ReferenceSpot) -> [HoldingJob] {
    guard spot.start <= now + snapshot.settings.besteffortKillAhead, !traits.isBesteffort,
      !holdsBesteffort
    else { return [] }
    return rivals(of: traits, at: spot.start).filter {
      !spot.resources.isDisjoint(with: $0.resources)
    }
  }

  /// The running besteffort jobs that can't be joined by a job with `traits`, in its space, and have not
  /// ended by themselves when it starts.
  private func rivals(of traits: ReferenceTraits, at start: Instant) -> [HoldingJob] {
    snapshot.holding.filter { job in
      let held = ReferenceTraits(job)
      return job.isBesteffort && held.space == traits.space && !traits.mayJoin(held)
        && max(job.start + job.walltime + security, now + 1) > start
    }
  }

  /// Lets victims give way: each is told once to save its work, and ended once its time for it is over.
  mutating func dismiss(_ victims: [HoldingJob]) {
    for job in victims {
      if job.mustBeTold(at: now), !plan.checkpoints.contains(job.id) {
        plan.checkpoints.append(job.id)
      }
      if job.mustEnd(at: now), !plan.victims.contains(job.id) { plan.victims.append(job.id) }
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
    let free = free(for: traits, from: spot.start, to: hole(from: spot.start, to: spot.end))
    let held = Set(rivals(of: traits, at: spot.start).flatMap(\.resources))
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
    let told = guide.victims + guide.checkpoints
    let victims = Set(told)
    let needed = Set(plan.victims + plan.checkpoints)
    if victims.count != told.count {
      problem = "a besteffort job is told to end twice: \(told)"
    } else if !needed.isSubset(of: victims)
      || !victims.isSubset(of: needed.union(optionalVictims))
    {
      problem = "the besteffort jobs \(needed.sorted()) give way, not \(told.sorted())"
    }
    for job in snapshot.holding where victims.contains(job.id) {
      if guide.checkpoints.contains(job.id) != job.mustBeTold(at: now) {
        problem =
          "the besteffort job \(job.id) is to be told or ended, not the other"
      }
    }
  }
}

extension HoldingJob {
  /// Whether it can save its work and does not know yet that it should.
  func mustBeTold(at now: Instant) -> Bool {
    !isEnding && checkpoint > 0 && (checkpointedAt.map { now - $0 > checkpoint + 300 } ?? true)
  }

  /// Whether it can't save its work, or had the time for it.
  func mustEnd(at now: Instant) -> Bool {
    !isEnding && !mustBeTold(at: now)
      && (checkpoint == 0 || checkpointedAt.map { now - $0 >= checkpoint } ?? false)
  }
}
