// Times as the API writes them (RFC 3339), to the microsecond.

import Glibc

public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Since the first of January 1970, UTC.
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// The wall clock.
  public static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec / 1000))
  }

  /// Reads `2026-11-21T19:38:20Z`, with a fraction and an offset such as `+01:00` if they are there.
  public init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    func number(_ digits: Int) -> Int? {
      guard rest.count >= digits else { return nil }
      let part = rest.prefix(digits)
      rest = rest.dropFirst(digits)
      return part.reduce(Int?.some(0)) { sum, byte in
        guard let sum, (0x30...0x39).contains(byte) else { return nil }
        return sum * 10 + Int(byte - 0x30)
      }
    }
    func take(_ marks: String) -> UInt8? {
      guard let byte = rest.first, marks.utf8.contains(byte) else { return nil }
      rest = rest.dropFirst()
      return byte
    }
    guard let year = number(4), take("-") != nil, let month = number(2), take("-") != nil,
      let day = number(2), take("Tt ") != nil, let hour = number(2), take(":") != nil,
      let minute = number(2), take(":") != nil, let second = number(2),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var micro = 0
    if take(".") != nil {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty else { return nil }
      rest = rest.dropFirst(digits.count)
      for place in 0..<6 {
        let digit = place < digits.count ? Int(digits[digits.startIndex + place] - 0x30) : 0
        micro = micro * 10 + digit
      }
    }
    var offset = 0
    switch take("Zz+-") {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): break
    case let sign?:
      guard let hours = number(2), take(":") != nil, let minutes = number(2) else { return nil }
      offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    case nil: return nil
    }
    guard rest.isEmpty else { return nil }
    let days = Self.days(year, month, day)
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset
    microseconds = Int64(seconds) * 1_000_000 + Int64(micro)
  }

  /// To the second, as most fields have it.
  public var description: String { text(hasFraction: false) }
  /// To the microsecond, as leases and events have it.
  public var precise: String { text(hasFraction: true) }

  public static func < (one: Self, other: Self) -> Bool { one.microseconds < other.microseconds }

  public func seconds(since other: Timestamp) -> Double {
    Double(microseconds - other.microseconds) / 1e6
  }

  private func text(hasFraction: Bool) -> String {
    var time = time_t(microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0))
    let micro = Int(microseconds - Int64(time) * 1_000_000)
    var fields = tm()
    gmtime_r(&time, &fields)
    func padded(_ number: Int, _ width: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let date = [
      padded(Int(fields.tm_year) + 1900, 4), padded(Int(fields.tm_mon) + 1, 2),
      padded(Int(fields.tm_mday), 2),
    ].joined(separator: "-")
    let clock = [fields.tm_hour, fields.tm_min, fields.tm_sec].map { padded(Int($0), 2) }
      .joined(separator: ":")
    return "\(date)T\(clock)\(hasFraction ? "." + padded(micro, 6) : "")Z"
  }

  /// Days since 1970 of a date of the Gregorian calendar.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    // Years that begin in March: the day that leap years add is their last.
    let shifted = month <= 2 ? year - 1 : year
    let monthFromMarch = (month + 9) % 12
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let leaps = shifted / 4 - shifted / 100 + shifted / 400
    return shifted * 365 + leaps + dayOfYear - 719_468
  }
}
