// One timeline on which requests are searched, with what the searches have learnt.

import ClusterModel

/// A timeline of one grain, and the earliest starts known on it.
struct Lane {
  var timeline: Timeline
  var buffers: PickBuffers
  /// The earliest start that is asked for.
  var now: Instant
  /// By number of the family.
  private var known: [Int: EarliestStarts] = [:]
  let shortcuts: Shortcuts

  init(from now: Instant, free: ResourceSet, _ shortcuts: Shortcuts) {
    self.shortcuts = shortcuts
    self.now = now
    timeline = Timeline(from: now, free: free)
    buffers = PickBuffers(wordCount: free.words.count)
  }

  /// The earliest start for `duration` seconds at `notBefore` or later and before `limit`; the units are
  /// then in `buffers.picked`.
  mutating func findStart(
    for request: UnitRequest, duration: Seconds, notBefore: Instant, before limit: Instant
  ) -> Instant? {
    guard request.isMonotone, shortcuts.remembersStarts else {
      return earliestStart(for: request, duration: duration, from: notBefore, before: limit).start
    }
    let family = request.family
    let place = known.index(forKey: family.number)
    let bound = max(
      now, place.flatMap { known.values[$0].bound(for: family.counts, duration: duration) } ?? now)
    let found = earliestStart(
      for: request, duration: duration, from: max(notBefore, bound), before: limit)
    if notBefore <= bound {
      let start = found.start ?? limit
      if let place {
        known.values[place].note(start, found.bound, after: bound, family, duration, now: now)
      } else {
        known[family.number, default: EarliestStarts()].note(
          start, found.bound, after: bound, family, duration, now: now)
      }
    }
    return found.start
  }

  /// Forgets what is known, because something became free.
  mutating func forgetStarts() { known = [:] }
}

extension EarliestStarts {
  /// Notes what a search from `earlier` on has found: that a request can't start before `start`, nor before
  /// `bound` whatever its duration.
  fileprivate mutating func note(
    _ start: Instant, _ bound: Instant, after earlier: Instant, _ family: RequestFamily,
    _ duration: Seconds, now: Instant
  ) {
    if earlier == max(now, self.bound(for: family.counts, duration: 1) ?? now) {
      note(bound, for: family.counts, duration: 1)
    }
    note(start, for: family.counts, duration: duration)
  }
}
