// Besteffort jobs that run, and which of them end when a job above needs their resources: none if
// it can start elsewhere, else those that are about to end already, else those whose end wastes least
// work.

import ClusterModel
import Kamelot

/// The besteffort jobs that hold resources.
struct BesteffortHolders {
  /// At most so many sets are tried to spare besteffort jobs for the sake of one start.
  private static let trialLimit = 64

  private struct Holder {
    var job: HoldingJob
    var places: [Int]
    /// Resource-seconds that are wasted if it ends now.
    var work: Int
    var sharing: Sharing
    var space: SpaceName
    /// The first instant at which its resources are free if it is left alone.
    var until: Instant

    /// Whether a job that starts at an instant can't have its resources.
    func isInTheWay(of traits: JobTraits, at start: Instant) -> Bool {
      until > start && space == traits.inner && !traits.sharing.isWelcome(where: sharing)
    }
  }

  /// The jobs that waste most first.
  private var holders: [Holder] = []
  private var held: ResourceSet
  private let now: Instant

  init(_ snapshot: Snapshot) {
    now = snapshot.now
    held = ResourceSet(capacity: snapshot.platform.resources.count)
    let containers = Set(snapshot.holding.compactMap { $0.traits(snapshot.settings).container })
    for job in snapshot.holding where job.isBesteffort {
      let places = job.resources.compactMap(snapshot.platform.place)
      let elapsed = max(0, snapshot.now - job.start)
      let (work, overflow) = elapsed.multipliedReportingOverflow(by: places.count)
      let traits = job.traits(snapshot.settings)
      holders.append(
        Holder(
          job: job, places: places, work: overflow ? .max : work, sharing: traits.sharing,
          space: traits.inner.flatMap { containers.contains($0) ? $0 : nil },
          until: job.end(security: snapshot.settings.jobSecurityTime, now: snapshot.now)))
    }
    holders.sort { ($0.work, $0.job.id) > ($1.work, $1.job.id) }
    for holder in holders {
      for place in holder.places { held.insert(place) }
    }
  }

  var isEmpty: Bool { holders.isEmpty }

  /// The jobs that hold some of the resources of a spot and do not share them with a job that wants it.
  func inTheWay(of traits: JobTraits, in spot: Spot) -> [HoldingJob] {
    owners(of: spot.resources, inTheWayOf: traits, at: spot.start).map { holders[$0].job }
  }

  /// Notes that a job ends in any case, so that others may as well take what it holds.
  mutating func markEnding(_ job: JobID) { change(job) { $0.isEnding = true } }

  /// Notes that a job is told now to save its work, so that others may as well wait for it.
  mutating func markTold(_ job: JobID) { change(job) { [now] in $0.checkpointedAt = now } }

  private mutating func change(_ job: JobID, _ body: (inout HoldingJob) -> Void) {
    for index in holders.indices where holders[index].job.id == job { body(&holders[index].job) }
  }

  /// Resources for `request` out of `free` such that little besteffort work is wasted; `nil` if
  /// `free` does not suffice.
  func sparingPick(
    for request: ResolvedRequest, from free: ResourceSet, at start: Instant, _ traits: JobTraits
  ) -> ResourceSet? {
    let inTheWay = owners(of: free, inTheWayOf: traits, at: start)
    if request.pick(from: free, without: inTheWay.lazy.map { holders[$0].places }) {
      var left = free
      for holder in inTheWay {
        for place in holders[holder].places { left.remove(place) }
      }
      return request.pick(from: left)
    }
    let nearness = inTheWay.map { holders[$0].job.nearness(at: now) }
    let dearestFirst = Farewell.Nearness.allCases.flatMap { each in
      zip(inTheWay, nearness).filter { $1 == each }.map(\.0)
    }
    var left = free
    var next = 0
    var trials = 0
    while next < dearestFirst.count, trials < BesteffortHolders.trialLimit {
      let rest = dearestFirst[next...]
      let spared = longestPrefix(of: rest.count) { count in
        trials += 1
        return request.pick(from: left, without: rest.prefix(count).lazy.map { holders[$0].places })
      }
      for holder in rest.prefix(spared) {
        for place in holders[holder].places { left.remove(place) }
      }
      // The one after those can't be spared.
      next += spared + 1
    }
    return request.pick(from: left)
  }

  /// The indices of the jobs that hold some of `resources` and do not share them, ascending.
  private func owners(
    of resources: ResourceSet, inTheWayOf traits: JobTraits, at start: Instant
  ) -> [Int] {
    guard !held.isDisjoint(with: resources) else { return [] }
    return holders.indices.filter { index in
      holders[index].isInTheWay(of: traits, at: start)
        && holders[index].places.contains(where: resources.contains)
    }
  }

  /// The greatest count up to `limit` that `suffices`, given that all below one that does do too;
  /// found by doubling and halving.
  private func longestPrefix(of limit: Int, suffices: (Int) -> Bool) -> Int {
    var good = 0
    var step = 1
    while step <= limit, suffices(step) {
      good = step
      step *= 2
    }
    var bad = min(step, limit + 1)
    while bad - good > 1 {
      let middle = (good + bad) / 2
      if suffices(middle) { good = middle } else { bad = middle }
    }
    return good
  }
}

extension ResolvedRequest {
  /// Whether `free` suffices without some of its places.
  fileprivate func pick(from free: ResourceSet, without places: some Sequence<[Int]>) -> Bool {
    var left = free
    for part in places {
      for place in part { left.remove(place) }
    }
    return pick(from: left) != nil
  }
}
