// The time zone of the server's host, as a value for planning.

import ClusterModel
import Glibc
import Kamelot

extension LocalClock {
  /// So far ahead changes of the clock are known: two years.
  static let systemHorizon: Seconds = 2 * 366 * 86400

  /// What clocks on this host show, from `begin` on for two years; after that as at their end.
  static func ofThisHost(from begin: Instant) -> LocalClock {
    LocalClock(from: begin, to: begin + systemHorizon, offset: systemOffset)
  }

  /// A clock from its offsets between two instants.
  ///
  /// - Parameter offset: how far the clock is ahead of UTC; it stays the same for a day at least.
  init(from begin: Instant, to end: Instant, offset: (Instant) -> Seconds) {
    var transitions = [Transition(from: begin, offset: offset(begin))]
    var known = begin
    while known < end {
      let next = min(end, known + 86400)
      if offset(next) != offset(known) {
        let change = Self.change(after: known, upTo: next, offset)
        transitions.append(Transition(from: change, offset: offset(change)))
      }
      known = next
    }
    self.init(transitions: transitions)
  }

  /// The first instant with another offset than at `known`, by halving.
  private static func change(
    after known: Instant, upTo next: Instant, _ offset: (Instant) -> Seconds
  ) -> Instant {
    let before = offset(known)
    var (low, high) = (known, next)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if offset(middle) == before { low = middle } else { high = middle }
    }
    return high
  }

  /// How far clocks on this host are ahead of UTC.
  private static func systemOffset(_ instant: Instant) -> Seconds {
    var (time, date) = (time_t(instant), tm())
    return localtime_r(&time, &date) == nil ? 0 : date.tm_gmtoff
  }
}
