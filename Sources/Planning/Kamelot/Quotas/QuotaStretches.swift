// The calendar as a pass needs it: spans with the same rules, one after the other from now on.

import ClusterModel

/// A span of time in which the same rules hold.
struct QuotaStretch {
  var rules: RuleSetIndex
  var start: Instant
  /// The first instant after it; `Instant.max` for ever.
  var end: Instant
}

/// The stretches from now on, worked out as far as they were asked for.
struct QuotaStretches {
  private let calendar: QuotaCalendar
  private(set) var known: [QuotaStretch]

  init(_ calendar: QuotaCalendar, from now: Instant) {
    self.calendar = calendar
    let (rules, until) = calendar.rules(at: now)
    known = [QuotaStretch(rules: rules, start: now, end: until)]
  }

  /// The place in `known` of the stretch that holds just before an instant.
  mutating func index(before instant: Instant) -> Int {
    while let end = known.last?.end, end < instant {
      let (rules, until) = calendar.rules(at: end)
      known.append(QuotaStretch(rules: rules, start: end, end: until))
    }
    var (low, high) = (1, known.count)
    while low < high {
      let middle = (low + high) / 2
      if known[middle].start < instant { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }
}
