// Instants and walltimes: whole seconds, as in OAR's schema.

/// A moment in seconds since the Unix epoch; 0 means "none" wherever OAR's schema allows it.
public typealias Instant = Int

/// A length of time in whole seconds.
public typealias Seconds = Int

/// The latest instant that OAR's schema can hold (`resources.available_upto`).
public let endOfTime: Instant = 2_147_483_647

extension Seconds {
  /// The length as OAR prints walltimes: `h:m:s` without leading zeros, such as `2:0:0`.
  public var hoursMinutesSeconds: String {
    "\(self / 3600):\(self / 60 % 60):\(self % 60)"
  }

  /// A change of a length as OAR prints it: `+0:5:0`, `-0:1:0`, or `0:0:0` for none.
  public var signedDuration: String {
    (self > 0 ? "+" : self < 0 ? "-" : "") + abs(self).hoursMinutesSeconds
  }

  /// The length as OAR prints durations in tables: `h:mm:ss`, such as `0:00:36`.
  public var paddedDuration: String {
    let minutes = self / 60 % 60
    let seconds = self % 60
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    return "\(self / 3600):\(padded(minutes)):\(padded(seconds))"
  }
}
