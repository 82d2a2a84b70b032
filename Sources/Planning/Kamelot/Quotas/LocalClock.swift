// What clocks on the wall show: a time zone as a value.

import ClusterModel
import RequestLanguage

/// How far clocks are ahead of UTC, and from when on.
public struct LocalClock: Hashable, Sendable {
  /// A change of the offset.
  public struct Transition: Hashable, Sendable {
    public var from: Instant
    /// How far clocks are ahead of UTC from then on.
    public var offset: Seconds

    public init(from: Instant, offset: Seconds) {
      self.from = from
      self.offset = offset
    }
  }

  /// Ascending; the first holds for all time before it too.
  private let transitions: [Transition]

  /// A clock that is never changed.
  public init(utcOffset: Seconds = 0) {
    transitions = [Transition(from: 0, offset: utcOffset)]
  }

  /// A clock that is changed at known instants. The first offset also holds before it; without any
  /// transition the clock shows UTC.
  public init(transitions: [Transition]) {
    let sorted = transitions.sorted { $0.from < $1.from }
    self.transitions = sorted.isEmpty ? [Transition(from: 0, offset: 0)] : sorted
  }

  /// How far the clock is ahead of UTC.
  public func offset(at instant: Instant) -> Seconds {
    transitions[max(0, position(after: instant) - 1)].offset
  }

  /// The next instant when the clock is changed.
  public func change(after instant: Instant) -> Instant? {
    let next = max(1, position(after: instant))
    return next < transitions.count ? transitions[next].from : nil
  }

  /// The date that the clock shows; `nil` outside the years that OAR knows.
  public func date(at instant: Instant) -> CivilDate? {
    CivilDate(instant, utcOffset: offset(at: instant))
  }

  /// The instant when the clock shows a date; for an hour that is skipped or repeated, one of the
  /// two that make sense.
  public func instant(of date: CivilDate) -> Instant { date.instant(utcOffset: offset(at:)) }

  /// The number of transitions that are not later than an instant.
  private func position(after instant: Instant) -> Int {
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].from <= instant { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// A day in the calendar.
struct LocalDay: Hashable {
  /// Days since 1 January 1970.
  let number: Int
  /// From Monday = 0.
  let weekday: Int
  /// 1 to 12.
  let month: Int
  /// Of the month, from 1.
  let day: Int

  static let length: Seconds = 86_400

  init(number: Int) {
    self.number = number
    weekday = (number + 3).modulo(7)
    // Years are counted from 1 March 2000: the leap day comes last in every rhythm of 4, 100, 400.
    let days = number - 11_017
    let inEra = days.modulo(146_097)
    let year = (inEra - inEra / 1_460 + inEra / 36_524 - inEra / 146_096) / 365
    let inYear = inEra - (365 * year + year / 4 - year / 100)
    let months = (5 * inYear + 2) / 153
    day = inYear - (153 * months + 2) / 5 + 1
    month = months < 10 ? months + 3 : months - 9
  }
}

extension Int {
  /// The rest of a division that rounds down: never negative.
  func modulo(_ divisor: Int) -> Int {
    let rest = self % divisor
    return rest < 0 ? rest + divisor : rest
  }
}
