// One timeline on which requests are searched, with what the searches have learnt.

import ClusterModel

/// A timeline of one grain, and the earliest starts known on it.
struct Lane {
  var timeline: Timeline
  var buffers: PickBuffers
  /// By number of the family.
  private var known: [Int: EarliestStarts] = [:]

  init(from now: Instant, free: ResourceSet) {
    timeline = Timeline(from: now, free: free)
    buffers = PickBuffers(wordCount: free.words.count)
  }

  /// The earliest start for `duration` seconds at `notBefore` or later and before `limit`; the units are
  /// then in `buffers.picked`.
  mutating func findStart(
    for request: UnitRequest, duration: Seconds, notBefore: Instant, before limit: Instant
  ) -> Instant? {
    guard request.isMonotone else {
      return earliestStart(for: request, duration: duration, from: notBefore, before: limit).start
    }
    let family = request.family
    let now = timeline.begins[0]
    let bound = known[family.number]?.bound(for: family.counts, duration: duration) ?? now
    let found = earliestStart(
      for: request, duration: duration, from: max(notBefore, bound), before: limit)
    if notBefore <= bound {
      var starts = known.removeValue(forKey: family.number) ?? EarliestStarts()
      if bound == starts.bound(for: family.counts, duration: 1) ?? now {
        starts.note(found.bound, for: family.counts, duration: 1)
      }
      starts.note(found.start ?? limit, for: family.counts, duration: duration)
      known[family.number] = starts
    }
    return found.start
  }

  /// Forgets what is known, because something became free.
  mutating func forgetStarts() { known = [:] }
}
