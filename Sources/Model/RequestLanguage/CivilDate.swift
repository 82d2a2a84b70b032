// Dates as users write them and as OAR prints them: `YYYY-MM-DD hh:mm:ss`, without a time zone.

import ClusterModel

/// A date and time of day in some time zone, from 1970 to 2037: what OAR's schema can hold.
public struct CivilDate: Hashable, Sendable {
  public let year: Int
  public let month: Int
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int

  /// `nil` if there is no such date, or no such time of day.
  public init?(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    guard CivilDate.years.contains(year), (1...12).contains(month),
      (1...CivilDate.days(inMonth: month, of: year)).contains(day),
      (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The date of an instant where clocks are ahead of UTC by an offset; `nil` outside the years.
  public init?(_ instant: Instant, utcOffset: Seconds) {
    let local = instant.addingReportingOverflow(utcOffset)
    guard !local.overflow, (0..<CivilDate.end).contains(local.partialValue) else { return nil }
    var days = local.partialValue / 86_400
    var year = CivilDate.years.lowerBound
    while days >= CivilDate.days(inYear: year) {
      days -= CivilDate.days(inYear: year)
      year += 1
    }
    var month = 1
    while days >= CivilDate.days(inMonth: month, of: year) {
      days -= CivilDate.days(inMonth: month, of: year)
      month += 1
    }
    let time = local.partialValue % 86_400
    self.init(
      year: year, month: month, day: days + 1, hour: time / 3600, minute: time / 60 % 60,
      second: time % 60)
  }

  /// The instant when clocks show this date.
  ///
  /// - Parameter utcOffset: how far clocks are ahead of UTC at an instant. For an hour that a change
  ///   of the clocks skips or repeats, the result is one of the two that make sense.
  public func instant(utcOffset: (Instant) -> Seconds) -> Instant {
    let first = secondsSinceEpochInUTC - utcOffset(secondsSinceEpochInUTC)
    return secondsSinceEpochInUTC - utcOffset(first)
  }

  /// The instant if the date is meant in UTC.
  public var secondsSinceEpochInUTC: Instant {
    var days = day - 1
    for earlier in CivilDate.years.lowerBound..<year { days += CivilDate.days(inYear: earlier) }
    for earlier in 1..<month { days += CivilDate.days(inMonth: earlier, of: year) }
    return days * 86_400 + hour * 3600 + minute * 60 + second
  }

  /// The date as OAR prints it: `YYYY-MM-DD hh:mm:ss`.
  public var text: String { "\(dayText) \(pad(hour)):\(pad(minute)):\(pad(second))" }

  /// The day alone: `YYYY-MM-DD`.
  public var dayText: String { "\(year)-\(pad(month))-\(pad(day))" }

  private func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

  static let years = 1970...2037
  /// The first second after the last year.
  private static let end = 2_145_916_800

  private static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func days(inYear year: Int) -> Int { isLeap(year) ? 366 : 365 }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// Reads dates.
public enum OARDate {
  /// How much of the time of day must be written.
  public enum Precision: Sendable {
    /// `YYYY-MM-DD hh:mm:ss`, as `-r` wants it.
    case full
    /// `YYYY-MM-DD[ hh:mm[:ss]]`, as job types allow it; what is left out is 0.
    case optionalTime

    var form: String {
      switch self {
      case .full: "YYYY-MM-DD hh:mm:ss, such as 2027-03-25 17:32:12"
      case .optionalTime: "YYYY-MM-DD[ hh:mm[:ss]], such as 2027-03-25 17:32"
      }
    }
  }

  /// The date that a text says.
  ///
  /// - Throws: ``RequestError`` for another form and for dates that don't exist.
  public static func parse(
    _ text: String, precision: Precision = .full, in subject: String = "date"
  ) throws(RequestError) -> CivilDate {
    try RequestLimits.check(text, in: subject)
    func refuse(_ kind: RequestError.Kind, _ problem: String) -> RequestError {
      RequestError(kind, in: subject, value: text, problem: problem, allowed: precision.form)
    }
    let parts = text.split { $0 == " " || $0 == "\t" }
    guard parts.count == 2 || (parts.count == 1 && precision == .optionalTime),
      let day = numbers(parts[0], separator: "-", digits: 4)
    else { throw refuse(.malformed, "is no date") }
    let time = parts.count == 2 ? numbers(parts[1], separator: ":", digits: 2) : []
    let timeFields = precision == .full ? 3...3 : 2...3
    guard let time, day.count == 3, time.isEmpty || timeFields.contains(time.count) else {
      throw refuse(.malformed, "is no date")
    }
    let clock = time + Array(repeating: 0, count: 3 - time.count)
    guard
      let date = CivilDate(
        year: day[0], month: day[1], day: day[2], hour: clock[0], minute: clock[1],
        second: clock[2])
    else {
      let years = CivilDate.years
      throw refuse(
        .outOfRange, "does not exist, or is not in \(years.lowerBound) to \(years.upperBound)")
    }
    return date
  }

  /// The numbers between separators, each of 1 to `digits` digits; `nil` if it is anything else.
  private static func numbers(
    _ text: Substring, separator: Character, digits: Int
  ) -> [Int]? {
    let fields = text.split(separator: separator, omittingEmptySubsequences: false)
    let numbers = fields.compactMap { field in
      String(field).isAllDigits && field.utf8.count <= digits ? Int(field) : nil
    }
    return numbers.count == fields.count ? numbers : nil
  }
}
