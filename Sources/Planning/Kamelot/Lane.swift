// One timeline on which requests are searched, with what the searches have learnt.

import ClusterModel

/// A timeline of one grain, and the earliest starts known on it.
struct Lane {
  /// `nil` for single resources.
  let grain: Grain?
  var timeline: Timeline
  var buffers: PickBuffers
  private var known: [ObjectIdentifier: EarliestStarts] = [:]

  init(grain: Grain?, from now: Instant, free: ResourceSet) {
    self.grain = grain
    timeline = Timeline(from: now, free: free)
    buffers = PickBuffers(wordCount: free.words.count)
  }

  /// The earliest start for `duration` seconds at `notBefore` or later and before `limit`; the units are
  /// then in `buffers.picked`.
  mutating func findStart(
    for request: UnitRequest, duration: Seconds, notBefore: Instant, before limit: Instant
  ) -> Instant? {
    let id = ObjectIdentifier(request)
    let starts = known[id]
    let bound = starts?.bound(for: duration) ?? timeline.begins[0]
    let found = earliestStart(
      for: request, duration: duration, from: max(notBefore, bound), before: limit)
    if notBefore <= bound {
      var starts = starts ?? EarliestStarts()
      if bound == starts.bound(for: 1) ?? timeline.begins[0] { starts.note(found.bound, for: 1) }
      starts.note(found.start ?? limit, for: duration)
      known[id] = starts
    }
    return found.start
  }

  /// Forgets what is known, because something became free.
  mutating func forgetStarts() { known = [:] }
}

/// Lower bounds of the start of one request, by duration. They stay true while what is free only
/// shrinks: a longer job can't start before a shorter one was able to.
private struct EarliestStarts {
  /// Durations and starts, both ascending.
  private var steps: [(duration: Seconds, start: Instant)] = []

  func bound(for duration: Seconds) -> Instant? {
    steps.last { $0.duration <= duration }?.start
  }

  mutating func note(_ start: Instant, for duration: Seconds) {
    let from = steps.firstIndex { $0.duration >= duration } ?? steps.count
    if from > 0, steps[from - 1].start >= start { return }
    if from < steps.count, steps[from].duration == duration, steps[from].start >= start { return }
    let to = steps[from...].firstIndex { $0.start > start } ?? steps.count
    steps.replaceSubrange(from..<to, with: [(duration, start)])
  }
}
