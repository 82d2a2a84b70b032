// The search for the earliest start. A start is tried only where a slot begins: within a slot,
// starting later frees nothing.

import ClusterModel

private enum EarliestStart {
  /// From so many slots on, it is worth to try the first slot alone before the whole window.
  static let longWindow = 8
}

extension Lane {
  /// The earliest start from `earliest` on at which the request's units are free for `duration`; they
  /// are then in `buffers.picked`. `nil` if there is none before `limit`.
  ///
  /// - Parameter shares: timelines of what counts as free besides; wherever a slot of theirs begins,
  ///   one of the lane's does.
  /// - Returns: also `bound`, an instant before which the request can't start whatever its duration.
  mutating func earliestStart(
    for request: UnitRequest, duration: Seconds, from earliest: Instant, before limit: Instant,
    shares: [Timeline] = []
  ) -> (start: Instant?, bound: Instant) {
    var first = timeline.slot(at: earliest)
    var start = max(earliest, timeline.begins[first])
    var bound = start
    var last = first
    // Slots from `first` to before `counted` are known to have enough free units.
    var counted = first
    while start < limit {
      last = timeline.lastSlot(before: start.addingCapped(duration), from: max(first, last))
      let unknown = min(max(first, counted), last + 1)..<last + 1
      counted = last + 1
      let failed: Int
      var wasRefusedAlone = false
      if !shortcuts.skipsStarts {
        if fits(request, slots: first...last, shares) { return (start, bound) }
        failed = first
      } else if shares.isEmpty,
        let tooFew = timeline.lastSlot(withFewerThan: request.need, in: unknown)
      {
        failed = tooFew
        wasRefusedAlone = tooFew == first
      } else if request.isMonotone, last - first >= EarliestStart.longWindow,
        !fits(request, slots: first...first, shares)
      {
        failed = first
        wasRefusedAlone = true
      } else if fits(request, slots: first...last, shares) {
        return (start, bound)
      } else if !request.isMonotone {
        failed = first
      } else {
        failed = lastInsufficientStart(request, slots: first...last, shares)
        wasRefusedAlone = first == last
      }
      guard failed + 1 < timeline.slotCount else { return (nil, bound) }
      first = failed + 1
      // Only what a slot alone refuses is refused whatever the duration.
      if wasRefusedAlone, bound == start { bound = timeline.begins[first] }
      start = timeline.begins[first]
    }
    return (nil, bound)
  }

  /// Whether the request fits into what is free in all of `slots`; it is then in `buffers.picked`.
  private mutating func fits(
    _ request: UnitRequest, slots: ClosedRange<Int>, _ shares: [Timeline]
  ) -> Bool {
    loadWindow(request, slots: slots, shares)
    return request.pick(using: &buffers)
  }

  /// Whether the request fits from `start` to before `end`; it is then in `buffers.picked`.
  mutating func fits(
    _ request: UnitRequest, from start: Instant, to end: Instant, shares: [Timeline] = []
  ) -> Bool {
    let first = timeline.slot(at: start)
    return fits(request, slots: first...timeline.lastSlot(before: end, from: first), shares)
  }

  /// The last slot such that no window from it to the end of `slots` suffices, given that the
  /// whole of `slots` does not: every start up to it fails for the same reason. Found by going
  /// left in steps that double, then by halving the last step.
  private mutating func lastInsufficientStart(
    _ request: UnitRequest, slots: ClosedRange<Int>, _ shares: [Timeline]
  ) -> Int {
    var low = slots.lowerBound
    // The window from `high` on suffices, and is in `buffers.saved`.
    var high = slots.upperBound + 1
    Bits.copy(request.reach.words, into: &buffers.saved)
    var step = 1
    while high > slots.lowerBound {
      low = max(slots.lowerBound, high - step)
      guard suffices(request, savedWindowAnd: low..<high, shares) else { break }
      swap(&buffers.saved, &buffers.window)
      high = low
      step *= 2
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      if suffices(request, savedWindowAnd: middle..<high, shares) {
        swap(&buffers.saved, &buffers.window)
        high = middle
      } else {
        low = middle
      }
    }
    return low
  }

  /// Whether the request fits into what is free of `buffers.saved` in all of `slots`, which is
  /// then in `buffers.window`.
  private mutating func suffices(
    _ request: UnitRequest, savedWindowAnd slots: Range<Int>, _ shares: [Timeline]
  ) -> Bool {
    Bits.copy(buffers.saved, into: &buffers.window)
    for slot in slots { intersectWindow(withSlot: slot, shares) }
    return Bits.count(buffers.window) >= request.need && request.pick(using: &buffers)
  }

  /// Puts what is free of the request's reach in all of `slots` into `buffers.window`.
  mutating func loadWindow(
    _ request: UnitRequest, slots: ClosedRange<Int>, _ shares: [Timeline] = []
  ) {
    Bits.copy(request.reach.words, into: &buffers.window)
    for slot in slots { intersectWindow(withSlot: slot, shares) }
  }

  @inline(__always)
  private mutating func intersectWindow(withSlot slot: Int, _ shares: [Timeline]) {
    if shares.isEmpty { return timeline.intersect(&buffers.window, withSlot: slot) }
    Bits.clear(&buffers.slot)
    timeline.add(slot: slot, to: &buffers.slot)
    for share in shares {
      share.add(slot: share.slot(at: timeline.begins[slot]), to: &buffers.slot)
    }
    buffers.intersectWindowWithSlot()
  }
}
