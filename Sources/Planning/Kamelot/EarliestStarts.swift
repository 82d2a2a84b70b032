// What searches have learnt: a job that asks for no less than another, and for no shorter time, can't
// start earlier than that one could.

import ClusterModel

/// What requests of one family have in common: everything but how many blocks they ask for.
struct RequestFamily: Hashable, Sendable {
  var number: Int
  /// The blocks asked for, level by level; 0 beyond.
  var counts: SIMD4<Int32>

  /// Requests with more levels are compared with those alike alone.
  static let levelLimit = 4
}

/// Lower bounds of starts, for the requests of one family. They stay true while what is free only
/// shrinks.
struct EarliestStarts {
  private struct Bound {
    var counts: SIMD4<Int32>
    var duration: Seconds
    var start: Instant

    /// Whether it says of `other` what that says itself, or more.
    func covers(_ other: Bound) -> Bool {
      start >= other.start && duration <= other.duration && all(counts .<= other.counts)
    }
  }

  private var bounds: [Bound] = []

  /// The latest instant before which such a request is known not to start; `nil` if none is known.
  func bound(for counts: SIMD4<Int32>, duration: Seconds) -> Instant? {
    var latest: Instant?
    for bound in bounds where bound.duration <= duration && all(bound.counts .<= counts) {
      latest = max(latest ?? bound.start, bound.start)
    }
    return latest
  }

  mutating func note(_ start: Instant, for counts: SIMD4<Int32>, duration: Seconds) {
    let new = Bound(counts: counts, duration: duration, start: start)
    if bounds.contains(where: { $0.covers(new) }) { return }
    bounds.removeAll { new.covers($0) }
    bounds.append(new)
  }
}
