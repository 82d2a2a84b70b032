// The dates of `oarsub -r`: `YYYY-MM-DD hh:mm:ss`, `hh:mm` of today or `now`, and an end after a comma.

import ClusterModel
import CommandLine

/// When a reservation starts, and when it ends if that is said.
struct ReservationDates: Equatable {
  var start: Instant
  var end: Instant?

  /// `nil` for a text that can't be read, or a date that does not exist.
  ///
  /// - Parameter now: what `now` means; a time without a day is of the same day.
  init?(parsing text: String, now: Instant = LocalDate.now, in zone: DateZone = .local) {
    let dates = text.split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(dates.count),
      let start = Self.date(dates[0], now: now, sameDayAs: now, in: zone)
    else { return nil }
    self.start = start
    guard dates.count == 2 else { return }
    guard let end = Self.date(dates[1], now: now, sameDayAs: start, in: zone) else { return nil }
    self.end = end
  }

  private static func date(
    _ text: Substring, now: Instant, sameDayAs day: Instant, in zone: DateZone
  ) -> Instant? {
    let words = text.split { $0.isWhitespace }
    switch words.count {
    case 1 where words[0] == "now": return now
    case 1: return instant(LocalDate(day, in: zone).dayText, words[0], in: zone)
    case 2: return instant(String(words[0]), words[1], in: zone)
    default: return nil
    }
  }

  /// - Parameter clock: `hh[:mm[:ss]]`.
  private static func instant(_ day: String, _ clock: Substring, in zone: DateZone) -> Instant? {
    let fields = clock.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (1...3).contains(fields.count) else { return nil }
    let whole = fields + Array(repeating: "0", count: 3 - fields.count)
    guard whole.allSatisfy({ (1...2).contains($0.utf8.count) }) else { return nil }
    return LocalDate.instant("\(day) \(whole.joined(separator: ":"))", in: zone)
  }
}
