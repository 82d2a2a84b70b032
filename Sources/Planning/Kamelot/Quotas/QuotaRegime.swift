// What limits a job whatever the time is, and what is known about it.

import ClusterModel

/// The limits that some accounts share.
struct QuotaRegime: Sendable {
  struct Limit: Hashable, Sendable {
    /// The place of the rule in its set.
    var rule: Int
    /// Where the use that it limits is counted.
    var counter: Int
    var most: QuotaUse
  }

  /// The limit in each set of rules; `nil` for none.
  let limits: [Limit?]
  private var refusals: [Refusal] = []

  /// A job that was refused.
  private struct Refusal: Sendable {
    var resources: Int
    var duration: Seconds
    var from: Instant
    /// The first start that was allowed; `Instant.max` if none.
    var until: Instant

    /// Whether it holds for another job. Use only grows in a pass: a job that asks for as much or
    /// more, for as long or longer, is refused at least as long.
    func covers(_ resources: Int, _ duration: Seconds, from start: Instant) -> Bool {
      self.resources <= resources && self.duration <= duration && from <= start
    }
  }

  /// So many refusals are kept, those that reach farthest: enough to spare most jobs of a long queue
  /// the way through all that is planned before them.
  private static let refusalLimit = 16

  init(limits: [Limit?]) { self.limits = limits }

  /// An instant before which a job is known to be refused.
  func knownRefusal(resources: Int, duration: Seconds, from start: Instant) -> Instant {
    var until = start
    for refusal in refusals where refusal.until > until {
      if refusal.covers(resources, duration, from: start) { until = refusal.until }
    }
    return until
  }

  /// Remembers that no start from `start` to before `until` was allowed.
  mutating func remember(
    resources: Int, duration: Seconds, from start: Instant, until: Instant
  ) {
    refusals.removeAll {
      $0.until <= until && resources <= $0.resources && duration <= $0.duration && start <= $0.from
    }
    if refusals.count == Self.refusalLimit,
      let least = refusals.indices.min(by: { refusals[$0].until < refusals[$1].until })
    {
      refusals.remove(at: least)
    }
    refusals.append(
      Refusal(resources: resources, duration: duration, from: start, until: until))
  }
}
