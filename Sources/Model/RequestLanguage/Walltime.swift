// Walltimes as users write them: `h[:m[:s]]`.

import ClusterModel

/// Reads walltimes.
public enum Walltime {
  static let form = "hours[:minutes[:seconds]], such as 2 or 0:30:00, of at least one second"

  /// The length that `h[:m[:s]]` means; a bare number is hours.
  ///
  /// Minutes and seconds may pass 59, as in OAR.
  /// - Throws: ``RequestError`` for anything else, for zero, and past 2147483647 seconds.
  public static func parse(_ text: String) throws(RequestError) -> Seconds {
    try RequestLimits.check(text, in: "walltime")
    return try parse(text, subject: "walltime", position: nil)
  }

  /// The same within a longer text, where the walltime begins at a character.
  static func parse(
    _ text: String, subject: String, position: Int?
  ) throws(RequestError) -> Seconds {
    func refuse(_ kind: RequestError.Kind, _ problem: String) -> RequestError {
      RequestError(
        kind, in: subject, value: text, problem: problem, allowed: form, position: position)
    }
    let fields = text.trimmed.split(separator: ":", omittingEmptySubsequences: false)
      .map { String($0).trimmed }
    guard fields.allSatisfy(\.isAllDigits) else {
      throw refuse(.malformed, text.trimmed.isEmpty ? "the walltime is missing" : "is no walltime")
    }
    guard fields.count <= 3 else {
      throw refuse(.malformed, "is no walltime: it has \(fields.count) fields")
    }
    var total = 0
    for (field, unit) in zip(fields, [3600, 60, 1]) {
      guard let number = Int(field), number <= RequestLimits.largestNumber,
        total + number * unit <= RequestLimits.largestNumber
      else {
        throw refuse(.outOfRange, "is longer than \(RequestLimits.largestNumber) seconds")
      }
      total += number * unit
    }
    guard total > 0 else { throw refuse(.outOfRange, "is a walltime of no time at all") }
    return total
  }
}
