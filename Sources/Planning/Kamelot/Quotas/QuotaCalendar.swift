// Which rules hold at an instant, and until when.

import ClusterModel

/// The place of a set of rules in ``Quotas/ruleSets``; 0 are the rules under `quotas`.
public typealias RuleSetIndex = Int

/// A calendar of rules. What the clock on the wall shows counts: an hour that is repeated has the same
/// rules twice.
public struct QuotaCalendar: Sendable {
  /// Whether rules ever change.
  public let isTemporal: Bool
  private let clock: LocalClock
  /// In the order in which they were written: the first that includes an instant holds.
  private let oneShots: [QuotaOneShot]
  /// The different days that there are.
  private let patterns: [DayPattern]
  /// The pattern of a day, by weekday, month and day of the month.
  private let patternOfDay: [UInt16]

  /// The stretches of one day, which follow each other from 0 to its end.
  private typealias DayPattern = [DayStretch]

  private struct DayStretch: Hashable, Sendable {
    var end: Seconds
    var rules: RuleSetIndex
  }

  /// - Parameters:
  ///   - periods: in the order in which they were written; the first that includes an instant holds.
  ///   - fallback: the rules where no period holds.
  init(
    clock: LocalClock, periods: [QuotaPeriod], fallback: RuleSetIndex, oneShots: [QuotaOneShot]
  ) {
    self.clock = clock
    self.oneShots = oneShots
    (patterns, patternOfDay) = Self.year(of: periods, fallback: fallback)
    isTemporal = !oneShots.isEmpty || !periods.isEmpty || fallback != 0
  }

  private static let monthLengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

  /// The different days that a year can have, and where they are.
  private static func year(
    of periods: [QuotaPeriod], fallback: RuleSetIndex
  ) -> ([DayPattern], [UInt16]) {
    guard !periods.isEmpty else { return ([pattern([], fallback: fallback)], []) }
    var patterns: [DayPattern] = []
    var patternOfDay = [UInt16](repeating: 0, count: 7 * 12 * 31)
    // Most days are made of the same periods.
    var known: [[Int]: Int] = [:]
    for weekday in 0..<7 {
      for month in 1...12 {
        for day in 1...monthLengths[month - 1] {
          let todays = periods.indices.filter {
            periods[$0].includes(weekday: weekday, day: day, month: month)
          }
          let index =
            known[todays]
            ?? place(
              of: pattern(todays.map { periods[$0] }, fallback: fallback), in: &patterns)
          known[todays] = index
          patternOfDay[place(weekday: weekday, month: month, day: day)] = UInt16(clamping: index)
        }
      }
    }
    return (patterns, patternOfDay)
  }

  /// Days that are alike have one pattern: where all are, no end of the rules has to be searched.
  private static func place(of pattern: DayPattern, in patterns: inout [DayPattern]) -> Int {
    if let index = patterns.firstIndex(of: pattern) { return index }
    patterns.append(pattern)
    return patterns.count - 1
  }

  private static func place(weekday: Int, month: Int, day: Int) -> Int {
    (weekday * 12 + month - 1) * 31 + day - 1
  }

  private static func pattern(_ periods: [QuotaPeriod], fallback: RuleSetIndex) -> DayPattern {
    let bounds = periods.flatMap { [$0.time.lowerBound, $0.time.upperBound] }
    var pattern: DayPattern = []
    var start = 0
    for end in Set(bounds + [LocalDay.length]).sorted() where end > 0 {
      let rules = periods.first { $0.time.contains(start) }?.rules ?? fallback
      if pattern.last?.rules == rules { pattern.removeLast() }
      pattern.append(DayStretch(end: end, rules: rules))
      start = end
    }
    return pattern
  }

  /// The rules that hold at an instant, and the first instant when others do; `Instant.max` if there
  /// is none that OAR could write down.
  public func rules(at instant: Instant) -> (rules: RuleSetIndex, until: Instant) {
    var (rules, until) = piece(at: min(max(instant, -Self.farAway), Self.farAway))
    while until < endOfTime {
      let next = piece(at: until)
      guard next.rules == rules else { return (rules, until) }
      until = next.until
    }
    return (rules, .max)
  }

  /// Farther from 1970 than anybody plans; it keeps the arithmetic within bounds.
  private static let farAway = 1 << 40

  /// Like ``rules(at:)``, but the same rules may go on afterwards.
  private func piece(at instant: Instant) -> (rules: RuleSetIndex, until: Instant) {
    for (index, shot) in oneShots.enumerated() where shot.start <= instant && instant < shot.end {
      let earlier = oneShots[..<index].map(\.start).filter { $0 > instant }
      return (shot.rules, min(shot.end, earlier.min() ?? .max))
    }
    let shot = oneShots.map(\.start).filter { $0 > instant }.min() ?? .max
    if patterns.count == 1, patterns[0].count == 1 { return (patterns[0][0].rules, shot) }
    let local = instant + clock.offset(at: instant)
    let second = local.modulo(LocalDay.length)
    let day = LocalDay(number: (local - second) / LocalDay.length)
    let place = Self.place(weekday: day.weekday, month: day.month, day: day.day)
    let pattern = patterns[Int(patternOfDay[place])]
    let stretch = pattern.first { second < $0.end } ?? pattern[pattern.count - 1]
    let until = instant + stretch.end - second
    return (stretch.rules, min(until, shot, clock.change(after: instant) ?? .max))
  }

  /// A time without rules of the calendar, as text such as `sat 19:00`; `nil` if there is none.
  static func gap(in periods: [QuotaPeriod]) -> String? {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    for month in 1...12 {
      for day in 1...monthLengths[month - 1] {
        for weekday in 0..<7 {
          let todays = periods.filter { $0.includes(weekday: weekday, day: day, month: month) }
          let pattern = pattern(todays.map { $0.with(rules: 0) }, fallback: -1)
          guard let hole = pattern.firstIndex(where: { $0.rules < 0 }) else { continue }
          let minute = hole == 0 ? 0 : pattern[hole - 1].end / 60
          let time = "\(minute / 600)\(minute / 60 % 10):\(minute % 60 / 10)\(minute % 10)"
          let isWeekly = day == 1 && month == 1
          return "\(names[weekday]) \(time)\(isWeekly ? "" : ", day \(day) of month \(month)")"
        }
      }
    }
    return nil
  }
}

extension QuotaPeriod {
  fileprivate func with(rules: Int) -> QuotaPeriod {
    var period = self
    period.rules = rules
    return period
  }
}
