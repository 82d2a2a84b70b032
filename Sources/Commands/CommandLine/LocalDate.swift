// Dates as OAR prints and reads them: `YYYY-MM-DD hh:mm:ss` in the time zone of the host.

import ClusterModel
import Glibc

/// Whose clock a date is written by.
public enum DateZone: Sendable {
  /// The host's time zone (`TZ`, `/etc/localtime`).
  case local
  case utc
}

/// A moment broken down into the fields of a calendar.
public struct LocalDate: Sendable {
  public let year: Int
  /// From 1.
  public let month: Int
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int
  /// Seconds that the zone is ahead of UTC at that moment.
  public let offset: Seconds

  public init(_ instant: Instant, in zone: DateZone = .local) {
    var seconds = time_t(instant)
    var fields = tm()
    switch zone {
    case .local: localtime_r(&seconds, &fields)
    case .utc: gmtime_r(&seconds, &fields)
    }
    year = Int(fields.tm_year) + 1900
    month = Int(fields.tm_mon) + 1
    day = Int(fields.tm_mday)
    hour = Int(fields.tm_hour)
    minute = Int(fields.tm_min)
    second = Int(fields.tm_sec)
    offset = fields.tm_gmtoff
  }

  /// The date as `2026-11-20 12:20:26`.
  public var text: String { "\(dayText) \(clockText)" }

  /// The day as `2026-11-20`.
  public var dayText: String { "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))" }

  /// The time of day as `12:20:26`.
  public var clockText: String { "\(minuteText):\(digits(second, 2))" }

  /// The time of day as `12:20`.
  public var minuteText: String { "\(digits(hour, 2)):\(digits(minute, 2))" }

  /// The moment now.
  public static var now: Instant { time(nil) }

  /// The instant that a text `YYYY-MM-DD hh:mm:ss` or `YYYY-MM-DD` (midnight) means; `nil` if it is
  /// neither, or no such date exists.
  public static func instant(_ text: some StringProtocol, in zone: DateZone = .local) -> Instant? {
    let parts = String(text).split(separator: " ")
    guard (1...2).contains(parts.count),
      let day = numbers(parts[0], separator: "-"),
      let clock = parts.count == 2 ? numbers(parts[1], separator: ":") : [0, 0, 0],
      (1970...9999).contains(day[0]), (1...12).contains(day[1]), (1...31).contains(day[2]),
      (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...59).contains(clock[2])
    else { return nil }
    var fields = tm()
    fields.tm_year = Int32(day[0] - 1900)
    fields.tm_mon = Int32(day[1] - 1)
    fields.tm_mday = Int32(day[2])
    fields.tm_hour = Int32(clock[0])
    fields.tm_min = Int32(clock[1])
    fields.tm_sec = Int32(clock[2])
    fields.tm_isdst = -1
    let instant = zone == .local ? mktime(&fields) : timegm(&fields)
    // The C library turns a 31st of February into a day of March.
    return fields.tm_mday == Int32(day[2]) ? instant : nil
  }

  private static func numbers(_ text: Substring, separator: Character) -> [Int]? {
    let fields = text.split(separator: separator, omittingEmptySubsequences: false)
    guard fields.count == 3 else { return nil }
    let numbers = fields.compactMap { field in
      field.utf8.allSatisfy { (0x30...0x39).contains($0) } && field.utf8.count <= 4
        ? Int(field) : nil
    }
    return numbers.count == 3 ? numbers : nil
  }
}

/// A number with zeros before it up to a width.
private func digits(_ number: Int, _ width: Int) -> String {
  let text = String(number)
  return text.utf8.count >= width
    ? text : String(repeating: "0", count: width - text.utf8.count) + text
}

/// A length of time in its two largest units, such as `4 min 33 s`.
public func lengthText(_ seconds: Seconds) -> String {
  let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
  guard let largest = units.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
  var rest = seconds
  return units[largest...].prefix(2).compactMap { size, name in
    let count = rest / size
    rest %= size
    return count > 0 ? "\(count) \(name)" : nil
  }.joined(separator: " ")
}
