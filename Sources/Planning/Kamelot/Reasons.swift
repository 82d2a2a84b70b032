// Why jobs wait. A pass only notes what each job waits for; the sentence and the jobs in the way are
// worked out when somebody asks.

import ClusterModel

/// The reasons of the jobs of a plan.
public struct Reasons: Sendable, Equatable {
  /// At most so many jobs are named in a reason.
  public static let blockerLimit = 20

  /// The reasons that one pass found.
  private struct Layer: Sendable {
    var given: [JobID: Reason] = [:]
    var shortages = Shortages()
    var ledger: OccupancyLedger?

    func reason(of job: JobID) -> Reason? {
      if let reason = given[job] { return reason }
      guard let shortage = shortages[job], let ledger else { return nil }
      return ledger.reason(for: shortage)
    }
  }

  /// The newest first; at most two.
  private var layers = [Layer()]

  public init() {}

  /// Why a job waits; `nil` if it starts now or is not of the plan.
  public subscript(job: JobID) -> Reason? {
    get { layers.lazy.compactMap { $0.reason(of: job) }.first }
    set {
      for index in layers.indices {
        layers[index].given[job] = index == 0 ? newValue : nil
        if newValue == nil { layers[index].shortages.remove(job) }
      }
    }
  }

  /// The jobs that have a reason.
  public var jobs: Set<JobID> {
    layers.reduce(into: []) {
      $0.formUnion($1.given.keys); $0.formUnion($1.shortages.jobs)
    }
  }

  public mutating func reserveCapacity(_ count: Int) {
    layers[0].shortages.reserveCapacity(count)
  }

  /// Notes that a job waits for resources.
  public mutating func note(_ shortage: Shortage, of job: JobID) {
    layers[0].shortages.append(shortage, of: job)
  }

  /// Ends the notes of a pass with what it knows of holders and placements.
  public mutating func seal(with ledger: OccupancyLedger) {
    layers[0].ledger = ledger
    layers[0].shortages.sort()
  }

  /// Takes over the reasons of a newer pass over a part of the jobs.
  public mutating func update(with newer: Reasons) {
    layers = Array((newer.layers.prefix(1) + layers.suffix(1)))
  }

  /// Takes over the reasons of jobs that joined the pass, which knows all that was decided before them.
  mutating func join(_ newer: Reasons) {
    guard let new = newer.layers.first else { return }
    layers[0].given.merge(new.given) { $1 }
    layers[0].shortages.append(new.shortages)
    layers[0].ledger = new.ledger
  }

  public static func == (left: Reasons, right: Reasons) -> Bool {
    left.jobs == right.jobs && left.jobs.allSatisfy { left[$0] == right[$0] }
  }
}

/// What one job waits for: resources that others hold or were promised.
public struct Shortage: Sendable {
  let request: ResolvedRequest
  let duration: Seconds
  /// So many placements came before it.
  let rank: Int
  /// Whether besteffort jobs keep what they hold.
  let countsBesteffort: Bool

  public init(
    of request: ResolvedRequest, duration: Seconds, rank: Int, countsBesteffort: Bool
  ) {
    self.request = request
    self.duration = duration
    self.rank = rank
    self.countsBesteffort = countsBesteffort
  }
}

/// Who holds what now and who was promised what: a record of a pass, complete when the pass is.
public final class OccupancyLedger: Sendable {
  /// A job that holds resources now.
  public struct Holder: Sendable {
    public var job: JobID
    /// The first instant at which its resources are free again.
    public var until: Instant
    public var places: [Int]
    public var isBesteffort: Bool

    public init(job: JobID, until: Instant, places: [Int], isBesteffort: Bool) {
      self.job = job
      self.until = until
      self.places = places
      self.isBesteffort = isBesteffort
    }
  }

  private let now: Instant
  private let free: ResourceSet
  private let holders: [Holder]
  private let placements: PlacementList

  /// - Parameter free: what is free at `now` if nobody holds anything.
  public init(now: Instant, free: ResourceSet, holders: [Holder], placements: PlacementList) {
    self.now = now
    self.free = free
    self.holders = holders
    self.placements = placements
  }

  func reason(for shortage: Shortage) -> Reason {
    let request = shortage.request
    let free = free(for: shortage)
    if request.pick(from: free) == nil {
      let count = free.intersection(request.reach).count
      return Reason(
        .resources, request.shortageText(free: count), blockers: holders(for: shortage))
    }
    return Reason(
      .resources,
      "Resources for \(request.text) are free now, but jobs ahead need them before it would end.",
      blockers: promised(for: shortage))
  }

  /// What is free now for a job, given those before it.
  private func free(for shortage: Shortage) -> ResourceSet {
    var free = free
    for holder in holders where holder.counts(for: shortage) {
      for place in holder.places { free.remove(place) }
    }
    for placement in started(before: shortage) { free.subtract(placement.places) }
    return free
  }

  /// The jobs that hold now what a job could use, nearest end first.
  private func holders(for shortage: Shortage) -> [JobID] {
    let reach = shortage.request.reach
    var found: [(until: Instant, job: JobID)] = []
    for holder in holders
    where holder.counts(for: shortage) && holder.places.contains(where: reach.contains) {
      found.append((holder.until, holder.job))
    }
    for placement in started(before: shortage) where !placement.places.isDisjoint(with: reach) {
      found.append((placement.end + 1, placement.job))
    }
    return nearest(found)
  }

  /// The jobs that begin before a job would end on resources that it could use.
  private func promised(for shortage: Shortage) -> [JobID] {
    let end = now.addingCapped(shortage.duration)
    let ahead = placements.prefix(shortage.rank, startingIn: now + 1..<max(end, now + 1)).lazy
      .filter { !$0.places.isDisjoint(with: shortage.request.reach) }
      .prefix(Reasons.blockerLimit)
    return nearest(ahead.map { ($0.end + 1, $0.job) })
  }

  /// The placements before a job that are for now.
  private func started(before shortage: Shortage) -> [Placement] {
    placements.prefix(shortage.rank, startingIn: .min..<now + 1)
  }

  private func nearest(_ jobs: [(until: Instant, job: JobID)]) -> [JobID] {
    Array(
      jobs.sorted { ($0.until, $0.job) < ($1.until, $1.job) }.map(\.job)
        .prefix(Reasons.blockerLimit))
  }
}

extension ResolvedRequest {
  /// What it asks for, and that so many of the resources that match are free now.
  public func shortageText(free: Int) -> String {
    let all = counted(reach.count, "resource")
    let state = "\(free) of the \(all) that match \(free == 1 ? "is" : "are") free now"
    return free < need
      ? "It needs \(text), and \(state)." : "It needs \(text); \(state), but not in such blocks."
  }
}

extension OccupancyLedger.Holder {
  fileprivate func counts(for shortage: Shortage) -> Bool {
    !isBesteffort || shortage.countsBesteffort
  }
}
