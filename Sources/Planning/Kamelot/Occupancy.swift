// Who holds what now and who was promised what, kept during a pass to tell waiting jobs why they
// wait and for whom.

import ClusterModel

/// The jobs that hold resources now and those that have a place later.
public struct Occupancy {
  /// At most so many jobs are named in a reason.
  public static let blockerLimit = 20

  private struct Occupant {
    var job: JobID
    var start: Instant
    var end: Instant
    var resources: ResourceSet
  }

  /// Jobs that hold resources now, nearest end first.
  private var holders: [Occupant] = []
  /// Jobs that have a place later, in the order in which they got it.
  private var promised: [Occupant] = []
  /// Reasons found since a job last got resources at once, by request.
  private var found: [ObjectIdentifier: Reason] = [:]

  public init() {}

  /// Notes jobs that hold resources from now until before an instant.
  public mutating func addHolders(_ jobs: [(job: JobID, until: Instant, resources: ResourceSet)]) {
    for (job, until, resources) in jobs {
      holders.append(Occupant(job: job, start: .min, end: until, resources: resources))
    }
    holders.sort { ($0.end, $0.job) < ($1.end, $1.job) }
    found = [:]
  }

  /// Notes that a job got a spot.
  public mutating func add(_ job: JobID, _ spot: Spot, now: Instant) {
    let occupant = Occupant(
      job: job, start: spot.start, end: spot.end, resources: spot.resources)
    guard spot.start <= now else { return promised.append(occupant) }
    var low = 0
    var high = holders.count
    while low < high {
      let middle = (low + high) / 2
      if holders[middle].end <= spot.end { low = middle + 1 } else { high = middle }
    }
    holders.insert(occupant, at: low)
    found = [:]
  }

  /// Why a job whose request fits later does not start now.
  ///
  /// - Parameter duration: how long it needs its resources.
  public mutating func reason(
    for request: ResolvedRequest, duration: Seconds, planner: inout Planner
  ) -> Reason {
    let id = ObjectIdentifier(request)
    if let reason = found[id] { return reason }
    let free = planner.freeNow(in: request)
    let reason: Reason
    if request.pick(from: free) == nil {
      reason = Reason(
        .resources, shortage(of: request, free: free.count),
        blockers: holders(of: request.reach))
    } else {
      reason = Reason(
        .resources,
        "Resources for \(request.text) are free now, but jobs ahead need them before it would end.",
        blockers: promised(of: request.reach, before: planner.now.addingCapped(duration)))
    }
    found[id] = reason
    return reason
  }

  private func shortage(of request: ResolvedRequest, free: Int) -> String {
    let all = counted(request.reach.count, "resource")
    let state = "\(free) of the \(all) that match \(free == 1 ? "is" : "are") free now"
    return free < request.need
      ? "It needs \(request.text), and \(state)."
      : "It needs \(request.text); \(state), but not in such blocks."
  }

  /// The jobs that hold some of `reach`, nearest end first.
  private func holders(of reach: ResourceSet) -> [JobID] {
    Array(
      holders.lazy.filter { !$0.resources.isDisjoint(with: reach) }.map(\.job)
        .prefix(Occupancy.blockerLimit))
  }

  /// The jobs that begin before `end` on some of `reach`, nearest end first.
  private func promised(of reach: ResourceSet, before end: Instant) -> [JobID] {
    let ahead = promised.lazy
      .filter { $0.start < end && !$0.resources.isDisjoint(with: reach) }
      .prefix(Occupancy.blockerLimit)
    return ahead.sorted { ($0.end, $0.job) < ($1.end, $1.job) }.map(\.job)
  }
}
