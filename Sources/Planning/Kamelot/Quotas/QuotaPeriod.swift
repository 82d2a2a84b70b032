// When rules hold: times of the week or the year, and spans between two dates.

import ClusterModel
import RequestLanguage

/// A time of day on some days, and the rules that hold then.
struct QuotaPeriod {
  /// Seconds of the day.
  var time: Range<Seconds>
  /// Bits from Monday = 0.
  var weekdays: UInt64
  /// Bits 1 to 31.
  var days: UInt64
  /// Bits 1 to 12.
  var months: UInt64
  var rules: Int

  static let forms =
    "\"hh:mm-hh:mm WEEKDAYS DAYS MONTHS\" or \"* WEEKDAYS DAYS MONTHS\", each * or a list such as "
    + "mon,wed-fri or 1,15-20; times end after they begin, 00:00 at the end is midnight; or \"default\""

  /// `nil` if the text has another form than ``forms``; `default` is not read here.
  init?(_ text: String, rules: Int) {
    let parts = text.split { $0 == " " || $0 == "\t" }
    guard parts.count == 4, let time = Self.time(parts[0]),
      let weekdays = Self.members(parts[1], of: 0...6, number: Self.weekday),
      let days = Self.members(parts[2], of: 1...31, number: { Int($0) }),
      let months = Self.members(parts[3], of: 1...12, number: { Int($0) })
    else { return nil }
    self.time = time
    self.weekdays = weekdays
    self.days = days
    self.months = months
    self.rules = rules
  }

  func includes(weekday: Int, day: Int, month: Int) -> Bool {
    weekdays >> weekday & 1 == 1 && days >> day & 1 == 1 && months >> month & 1 == 1
  }

  private static func time(_ text: Substring) -> Range<Seconds>? {
    if text == "*" { return 0..<LocalDay.length }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(minutes)
    guard ends.count == 2, let start = ends[0], var end = ends[1] else { return nil }
    if end == 0 { end = 24 * 60 }
    return start < end ? start * 60..<end * 60 : nil
  }

  /// The minutes of `hh:mm`, up to 24:00.
  private static func minutes(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isASCII) }),
      let hours = UInt8(parts[0]), let minutes = UInt8(parts[1]),
      minutes < 60, hours < 24 || (hours == 24 && minutes == 0)
    else { return nil }
    return Int(hours) * 60 + Int(minutes)
  }

  private static let weekdayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  private static func weekday(_ text: Substring) -> Int? {
    weekdayNames.firstIndex(of: text.lowercased())
  }

  /// The bits of a list of numbers and ranges; a range may go round the end.
  private static func members(
    _ text: Substring, of bounds: ClosedRange<Int>, number: (Substring) -> Int?
  ) -> UInt64? {
    if text == "*" { return .max }
    var bits: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(number)
      guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1],
        bounds.contains(first), bounds.contains(last)
      else { return nil }
      var member = first
      bits |= 1 << member
      while member != last {
        member = member == bounds.upperBound ? bounds.lowerBound : member + 1
        bits |= 1 << member
      }
    }
    return bits
  }
}

/// A span of time that has rules of its own, whatever the week says.
struct QuotaOneShot {
  var start: Instant
  /// The first instant after it.
  var end: Instant
  var rules: Int

  static let forms = "\"YYYY-MM-DD hh:mm\" to a later \"YYYY-MM-DD hh:mm\""

  /// `nil` if a date has another form or does not exist, or if it does not end after it begins.
  init?(from: String, to: String, rules: Int, clock: LocalClock) {
    guard let from = try? OARDate.parse(from, precision: .optionalTime),
      let to = try? OARDate.parse(to, precision: .optionalTime)
    else { return nil }
    start = clock.instant(of: from)
    end = clock.instant(of: to)
    self.rules = rules
    guard start < end else { return nil }
  }
}
