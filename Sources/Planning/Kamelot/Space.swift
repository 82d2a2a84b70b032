// Where jobs are placed: the whole cluster, or the inside of a container. Each has its own timelines.

import ClusterModel

/// The name of a space: `nil` for the whole cluster.
public typealias SpaceName = String?

/// What is free when in one space.
struct Space {
  let platform: Platform
  /// In single resources.
  private var fine: Lane
  /// In blocks, for the grains that were asked for; none in a container, where what is free may grow.
  private var grains: [Grain] = []
  private var coarse: [Lane] = []
  /// What is touched in a lane, kept from one to the next.
  private var touched: [UInt64] = []
  /// What the last search has found, if it was in blocks: these are still in the buffers of its lane.
  private var lastFound: (lane: Int, places: [UInt64])?
  /// What some jobs may have besides what is free. Not a dictionary: going through one while its values
  /// change would copy them.
  private var shares: [(share: Share, timeline: Timeline)] = []
  /// Resources that jobs may have whatever their kind.
  private let inService: ResourceSet
  /// Resources that nobody may have from an instant on.
  private var departures: [(units: UnitSet, from: Instant)] = []
  /// What belongs to a container when; `nil` for none yet.
  private var extent: Timeline?

  /// The whole cluster, in which `free` is free from `now` on.
  init(_ platform: Platform, from now: Instant, free: ResourceSet, _ shortcuts: Shortcuts) {
    self.platform = platform
    fine = Lane(from: now, free: free, shortcuts)
    inService = free
    let outOfService = platform.notDead.subtracting(free)
    if !outOfService.isEmpty {
      shares.append((.outOfService, Timeline(from: now, free: outOfService)))
    }
  }

  /// A container without resources.
  init(containerIn cluster: Space, from now: Instant) {
    platform = cluster.platform
    inService = cluster.inService
    departures = cluster.departures
    let none = ResourceSet(capacity: platform.resources.count)
    fine = Lane(from: now, free: none, cluster.fine.shortcuts)
  }

  /// Makes resources busy from the beginning on.
  mutating func hold(_ holds: [Hold]) {
    fine.timeline.hold(holds)
    for index in shares.indices { shares[index].timeline.hold(holds) }
    for index in coarse.indices {
      let grain = grains[index]
      coarse[index].timeline.hold(
        holds.map { hold in
          let blocks = Set(hold.resources.compactMap { Int(grain.blockOfPlace[$0]) })
          return Hold(resources: blocks.filter { $0 >= 0 }, until: hold.until)
        })
    }
  }

  /// Makes resources busy from `start` to before `end`, but for those whom `sharing` lets share.
  ///
  /// - Parameter isLate: whether the job has them since long but comes after others to whom some may have
  ///   been promised.
  mutating func take(
    _ resources: [UInt64], from start: Instant, to end: Instant, sharing: Sharing = .none,
    isLate: Bool = false
  ) {
    let units = UnitSet(resources)
    let gifts = gifts(of: units, from: start, to: end, sharing, isLate: isLate)
    fine.timeline.take(units, from: start, to: end)
    for index in coarse.indices {
      let blocks: UnitSet
      if let lastFound, lastFound.lane == index, lastFound.places == resources {
        blocks = UnitSet(coarse[index].buffers.picked)
      } else {
        grains[index].findBlocks(touchedBy: units, into: &touched)
        blocks = UnitSet(touched)
      }
      coarse[index].timeline.take(blocks, from: start, to: end)
    }
    guard !gifts.isEmpty || !shares.isEmpty else { return }
    for index in shares.indices { shares[index].timeline.take(units, from: start, to: end) }
    for gift in gifts { give(gift) }
  }

  /// Makes resources free from `start` to before `end`: a container begins.
  mutating func open(_ resources: ResourceSet, from start: Instant, to end: Instant) {
    for (part, from, to) in addToExtent(resources, from: start, to: end) {
      fine.timeline.give(UnitSet(part.intersection(inService).words), from: from, to: to)
      let others = UnitSet(part.subtracting(inService).words)
      give(Gift(share: .outOfService, units: others, start: from, end: to))
    }
    for departure in departures {
      fine.timeline.take(departure.units, from: departure.from, to: .max)
    }
    fine.forgetStarts()
  }

  /// Notes that resources belong to the container; those that did not, with the time.
  private mutating func addToExtent(
    _ resources: ResourceSet, from start: Instant, to end: Instant
  ) -> [(ResourceSet, Instant, Instant)] {
    let none = ResourceSet(capacity: platform.resources.count)
    var extent = self.extent ?? Timeline(from: fine.timeline.begins[0], free: none)
    extent.mark(start)
    extent.mark(end)
    let first = extent.slot(at: start)
    let new = (first...extent.lastSlot(before: end, from: first)).map { slot in
      var present = none.words
      extent.add(slot: slot, to: &present)
      let part = resources.subtracting(ResourceSet(capacity: none.capacity, words: present))
      return (part, max(start, extent.begins[slot]), min(end, extent.end(of: slot)))
    }
    extent.give(UnitSet(resources.words), from: start, to: end)
    self.extent = extent
    return new
  }

  /// Lets nobody have resources from an instant on.
  mutating func depart(_ resources: ResourceSet, from instant: Instant) {
    let units = UnitSet(resources.words)
    take(resources.words, from: instant, to: .max)
    departures.append((units, instant))
  }
}

// Going on later.
extension Space {
  /// The first instant after another at which what is free may change. The fine timeline has a slot wherever
  /// another one has.
  func firstTurn(after instant: Instant) -> Instant {
    fine.timeline.end(of: fine.timeline.slot(at: instant))
  }

  /// Lets nobody start before `now`, which is before ``firstTurn``.
  mutating func advance(to now: Instant) {
    fine.now = now
    for index in coarse.indices { coarse[index].now = now }
  }
}

// What a job that holds resources lets others have.
extension Space {
  /// Resources that become a share for some time.
  private struct Gift {
    var share: Share
    var units: UnitSet
    var start: Instant
    var end: Instant
  }

  private func gifts(
    of units: UnitSet, from start: Instant, to end: Instant, _ sharing: Sharing, isLate: Bool
  ) -> [Gift] {
    guard sharing.group != nil || sharing.placeholder != nil else { return [] }
    if sharing.allowed == nil, sharing.placeholder == nil, !isLate {
      // Whatever it takes was free, or is of its group already.
      return [true, false].compactMap { isInService in
        let part = units.words(isInService, in: inService)
        let share = Share(group: sharing.group, isInService: isInService)
        return part.range.isEmpty ? nil : Gift(share: share, units: part, start: start, end: end)
      }
    }
    let first = fine.timeline.slot(at: start)
    let last = fine.timeline.lastSlot(before: end, from: first)
    return (first...last).flatMap { slot in
      let from = max(start, fine.timeline.begins[slot])
      return sources(of: units, at: from, slot).flatMap { source, part in
        source.whenTaken(by: sharing).map {
          Gift(share: $0, units: part, start: from, end: min(end, fine.timeline.end(of: slot)))
        }
      }
    }
  }

  /// Who may have which of `units` at an instant, which is in a slot of the fine timeline. A resource whose
  /// holders welcome several kinds of jobs is of several shares.
  private func sources(
    of units: UnitSet, at instant: Instant, _ slot: Int
  ) -> [(Share, UnitSet)] {
    var free = units.words
    fine.timeline.intersect(&free, withSlot: slot)
    var sources = [(Share.free, UnitSet(free))]
    for (share, timeline) in shares {
      var part = units.words
      timeline.intersect(&part, withSlot: timeline.slot(at: instant))
      sources.append((share, UnitSet(part)))
    }
    return sources.filter { !$0.1.range.isEmpty }
  }

  private mutating func give(_ gift: Gift) {
    guard !gift.units.range.isEmpty else { return }
    let index = index(of: gift.share)
    shares[index].timeline.give(gift.units, from: gift.start, to: gift.end)
    for departure in departures {
      shares[index].timeline.take(departure.units, from: departure.from, to: .max)
      fine.timeline.mark(departure.from)
    }
    // Where a share changes a start is to be tried, even if nothing became free or busy.
    fine.timeline.mark(gift.start)
    fine.timeline.mark(gift.end)
  }

  /// Where a share stands in `shares`, made if it is not there.
  private mutating func index(of share: Share) -> Int {
    if let index = shares.firstIndex(where: { $0.share == share }) { return index }
    let none = ResourceSet(capacity: platform.resources.count)
    shares.append((share, Timeline(from: fine.timeline.begins[0], free: none)))
    return shares.count - 1
  }

  /// What a job may have besides what is free.
  private func sources(for sharing: Sharing) -> [Timeline] {
    if shares.isEmpty || sharing == .none { return [] }
    return shares.filter { $0.share.isOpen(to: sharing) }.map(\.timeline)
  }
}

extension UnitSet {
  /// The members that are in service, or the others.
  fileprivate func words(_ isInService: Bool, in inService: ResourceSet) -> UnitSet {
    let all = ResourceSet(capacity: inService.capacity, words: words)
    return UnitSet(
      (isInService ? all.intersection(inService) : all.subtracting(inService)).words)
  }
}

// Searching.
extension Space {
  /// The earliest start, and the resources, which are those that OAR's order prefers.
  mutating func findStart(_ query: SpotQuery) -> (start: Instant, resources: [UInt64])? {
    lastFound = nil
    let sources = sources(for: query.sharing)
    if !sources.isEmpty {
      let found = fine.earliestStart(
        for: query.request.fine, duration: query.duration, from: query.notBefore,
        before: query.limit, shares: sources)
      return found.start.map { ($0, fine.buffers.picked) }
    }
    if let (lane, units) = coarseLane(for: query.request) {
      let start = coarse[lane].findStart(
        for: units, duration: query.duration, notBefore: query.notBefore, before: query.limit)
      guard let start else { return nil }
      let places = grains[lane].places(of: coarse[lane].buffers.picked)
      lastFound = (lane, places)
      return (start, places)
    }
    let start = fine.findStart(
      for: query.request.fine, duration: query.duration, notBefore: query.notBefore,
      before: query.limit)
    return start.map { ($0, fine.buffers.picked) }
  }

  /// The resources that a request takes from `start` to before `end`; `nil` if it does not fit then.
  mutating func pick(
    for request: ResolvedRequest, from start: Instant, to end: Instant, sharing: Sharing
  ) -> [UInt64]? {
    let sources = sources(for: sharing)
    let isFitting = fine.fits(request.fine, from: start, to: end, shares: sources)
    return isFitting ? fine.buffers.picked : nil
  }

  /// Those resources of the request's reach that a job may have from `start` to before `end`.
  mutating func free(
    for request: ResolvedRequest, from start: Instant, to end: Instant, sharing: Sharing
  ) -> ResourceSet {
    let sources = sources(for: sharing)
    let first = fine.timeline.slot(at: start)
    fine.loadWindow(
      request.fine, slots: first...fine.timeline.lastSlot(before: end, from: first), sources)
    return ResourceSet(capacity: platform.resources.count, words: fine.buffers.window)
  }

  /// The lane in which a request is searched in blocks; `nil` if there is none.
  private func coarseLane(for request: ResolvedRequest) -> (Int, UnitRequest)? {
    guard let wanted = request.coarse else { return nil }
    let index = grains.firstIndex { $0 === wanted.grain }
    return index.map { ($0, wanted.request) }
  }

  /// Makes the lanes of the grains that will be asked for. To be called before anything is taken.
  mutating func prepare(_ wanted: [Grain], from now: Instant, free: ResourceSet) {
    guard fine.shortcuts.usesGrains else { return }
    for grain in wanted where !grains.contains(where: { $0 === grain }) {
      grains.append(grain)
      coarse.append(Lane(from: now, free: grain.wholeBlocks(in: free), fine.shortcuts))
    }
  }
}
