// Where jobs are placed: the whole cluster, or the inside of a container. Each has its own timelines.

import ClusterModel

/// The name of a space: `nil` for the whole cluster.
public typealias SpaceName = String?

/// What is free when in one space.
struct Space {
  let platform: Platform
  /// In single resources.
  private var fine: Lane
  /// In blocks, for the grains that were asked for.
  private var coarse: [(grain: Grain, lane: Lane)] = []
  private var shares: [Share: Timeline] = [:]
  /// Resources that jobs may have whatever their kind.
  private let inService: ResourceSet
  /// Resources that nobody may have from an instant on.
  private var departures: [(units: UnitSet, from: Instant)] = []
  /// Whether it is a container, which has no coarse lanes: what is free there may grow.
  private let isContainer: Bool

  /// The whole cluster, in which `free` is free from `now` on.
  init(_ platform: Platform, from now: Instant, free: ResourceSet) {
    self.platform = platform
    fine = Lane(grain: nil, from: now, free: free)
    isContainer = false
    inService = free
    let outOfService = platform.notDead.subtracting(free)
    if !outOfService.isEmpty { shares[.outOfService] = Timeline(from: now, free: outOfService) }
  }

  /// A container without resources.
  init(containerIn cluster: Space, from now: Instant) {
    platform = cluster.platform
    inService = cluster.inService
    departures = cluster.departures
    let none = ResourceSet(capacity: platform.resources.count)
    fine = Lane(grain: nil, from: now, free: none)
    isContainer = true
  }

  /// Makes resources busy from the beginning on.
  mutating func hold(_ holds: [Hold]) {
    fine.timeline.hold(holds)
    for share in shares.keys { shares[share]?.hold(holds) }
    for index in coarse.indices {
      let grain = coarse[index].grain
      coarse[index].lane.timeline.hold(
        holds.map { hold in
          let blocks = Set(hold.resources.compactMap { Int(grain.blockOfPlace[$0]) })
          return Hold(resources: blocks.filter { $0 >= 0 }, until: hold.until)
        })
    }
  }

  /// Makes resources busy from `start` to before `end`, but for those whom `sharing` lets share.
  mutating func take(
    _ resources: [UInt64], from start: Instant, to end: Instant, sharing: Sharing = .none,
    sharesOnlyFree: Bool = false
  ) {
    let units = UnitSet(resources)
    if sharesOnlyFree, sharing != .none {
      // The rest is busy already.
      for (part, from, to) in freeParts(of: units, from: start, to: end) {
        take(part, from: from, to: to, sharing: sharing)
      }
      return
    }
    fine.timeline.take(units, from: start, to: end)
    for index in coarse.indices {
      let blocks = UnitSet(coarse[index].grain.touchedBlocks(by: units))
      coarse[index].lane.timeline.take(blocks, from: start, to: end)
    }
    guard sharing != .none || !shares.isEmpty else { return }
    takeShares(units, from: start, to: end, sharing)
  }

  /// What is free of `units` in each slot from `start` to before `end`.
  private mutating func freeParts(
    of units: UnitSet, from start: Instant, to end: Instant
  ) -> [(units: [UInt64], from: Instant, to: Instant)] {
    fine.timeline.mark(start)
    fine.timeline.mark(end)
    let first = fine.timeline.slot(at: start)
    return (first...fine.timeline.lastSlot(before: end, from: first)).map { slot in
      var part = units.words
      fine.timeline.intersect(&part, withSlot: slot)
      return (part, fine.timeline.begins[slot], fine.timeline.end(of: slot))
    }
  }

  private mutating func takeShares(
    _ units: UnitSet, from start: Instant, to end: Instant, _ sharing: Sharing
  ) {
    // Whoever keeps resources for himself takes them from those who would share them.
    for share in shares.keys {
      shares[share]?.take(units, from: start, to: end)
    }
    let all = ResourceSet(capacity: platform.resources.count, words: units.words)
    for isInService in [true, false] {
      let given = isInService ? all.intersection(inService) : all.subtracting(inService)
      guard !given.isEmpty else { continue }
      for share in sharing.gifts(inService: isInService) {
        give(UnitSet(given.words), to: share, from: start, to: end)
      }
    }
    // Where the share changes a start is to be tried, even if nothing became free or busy.
    fine.timeline.mark(start)
    fine.timeline.mark(end)
  }

  private mutating func give(
    _ units: UnitSet, to share: Share, from start: Instant, to end: Instant
  ) {
    let none = ResourceSet(capacity: platform.resources.count)
    var timeline =
      shares.removeValue(forKey: share) ?? Timeline(from: fine.timeline.begins[0], free: none)
    timeline.give(units, from: start, to: end)
    for departure in departures {
      timeline.take(departure.units, from: departure.from, to: .max)
      fine.timeline.mark(departure.from)
    }
    shares[share] = timeline
  }

  /// Makes resources free from `start` to before `end`: a container begins.
  mutating func open(_ resources: ResourceSet, from start: Instant, to end: Instant) {
    let units = UnitSet(resources.intersection(inService).words)
    fine.timeline.give(units, from: start, to: end)
    for departure in departures {
      fine.timeline.take(departure.units, from: departure.from, to: .max)
    }
    fine.forgetStarts()
  }

  /// Lets nobody have resources from an instant on.
  mutating func depart(_ resources: ResourceSet, from instant: Instant) {
    let units = UnitSet(resources.words)
    take(resources.words, from: instant, to: .max)
    departures.append((units, instant))
  }
}

// Searching.
extension Space {
  /// The earliest start for `duration` seconds at `notBefore` or later and before `limit`, and the
  /// resources, which are those that OAR's order prefers.
  mutating func findStart(
    for request: ResolvedRequest, duration: Seconds, sharing: Sharing, notBefore: Instant,
    before limit: Instant
  ) -> (start: Instant, resources: [UInt64])? {
    let sources = sharing == .none ? [] : sharing.sources.compactMap { shares[$0] }
    if !sources.isEmpty {
      let found = fine.earliestStart(
        for: request.fine, duration: duration, from: notBefore, before: limit, shares: sources)
      return found.start.map { ($0, fine.buffers.picked) }
    }
    if let (lane, units) = coarseLane(for: request) {
      let start = coarse[lane].lane.findStart(
        for: units, duration: duration, notBefore: notBefore, before: limit)
      return start.map {
        ($0, coarse[lane].grain.places(of: coarse[lane].lane.buffers.picked))
      }
    }
    let start = fine.findStart(
      for: request.fine, duration: duration, notBefore: notBefore, before: limit)
    return start.map { ($0, fine.buffers.picked) }
  }

  /// The resources that a request takes from `start` to before `end`; `nil` if it does not fit then.
  mutating func pick(
    for request: ResolvedRequest, from start: Instant, to end: Instant, sharing: Sharing
  ) -> [UInt64]? {
    let sources = sharing == .none ? [] : sharing.sources.compactMap { shares[$0] }
    let isFitting = fine.fits(request.fine, from: start, to: end, shares: sources)
    return isFitting ? fine.buffers.picked : nil
  }

  /// Those resources of the request's reach that a job may have from `start` to before `end`.
  mutating func free(
    for request: ResolvedRequest, from start: Instant, to end: Instant, sharing: Sharing
  ) -> ResourceSet {
    let sources = sharing == .none ? [] : sharing.sources.compactMap { shares[$0] }
    let first = fine.timeline.slot(at: start)
    fine.loadWindow(
      request.fine, slots: first...fine.timeline.lastSlot(before: end, from: first), sources)
    return ResourceSet(capacity: platform.resources.count, words: fine.buffers.window)
  }

  /// The lane in which a request is searched in blocks, made when it is first asked for: until then
  /// the space must be as it began but for holds, which `prepare` sees to.
  private func coarseLane(for request: ResolvedRequest) -> (Int, UnitRequest)? {
    guard let wanted = request.coarse else { return nil }
    let index = coarse.firstIndex { $0.grain === wanted.grain }
    return index.map { ($0, wanted.request) }
  }

  /// Makes the lanes of the grains that will be asked for. To be called before anything is taken.
  mutating func prepare(_ grains: [Grain], from now: Instant, free: ResourceSet) {
    guard !isContainer else { return }
    for grain in grains where !coarse.contains(where: { $0.grain === grain }) {
      let blocks = grain.wholeBlocks(in: free)
      coarse.append((grain, Lane(grain: grain, from: now, free: blocks)))
    }
  }
}
