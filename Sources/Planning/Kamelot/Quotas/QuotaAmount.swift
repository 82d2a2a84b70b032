// The numbers of a rule: integers, decimals, and parts of all resources.

import Encoding

/// How much a rule allows of one thing.
enum QuotaAmount: Hashable {
  case unlimited
  case limited(Int)

  static let forms = "-1 (no limit), a number such as 10 or \"34.5\", \"ALL\", \"0.5*ALL\""

  /// Reads a value; `nil` if it has another form than ``forms``.
  ///
  /// - Parameters:
  ///   - all: how many resources `ALL` are.
  ///   - unit: what 1 is worth: 3600 for hours that are kept in seconds. Fractions of the result fall.
  init?(_ value: JSONValue, all: Int, unit: Int) {
    let text: Substring
    switch value {
    case .number(let number): text = number[...]
    case .string(let string): text = string.trimmed
    default: return nil
    }
    if text == "-1" || text == "-1.0" {
      self = .unlimited
      return
    }
    let parts = text.split(separator: "*", omittingEmptySubsequences: false).map(\.trimmed)
    let worth = min(max(0, all), Self.greatest) * unit
    switch parts.count {
    case 1 where parts[0] == "ALL": self = .limited(worth)
    case 1:
      guard let decimal = Decimal(parts[0]) else { return nil }
      self = .limited(decimal.times(unit))
    case 2 where parts[1] == "ALL":
      guard let decimal = Decimal(parts[0]) else { return nil }
      self = .limited(decimal.times(worth))
    default: return nil
    }
  }

  /// `nil` for unlimited.
  var limit: Int? {
    switch self {
    case .unlimited: nil
    case .limited(let limit): limit
    }
  }

  /// More resources than this are taken for as many: it keeps the arithmetic within bounds.
  private static let greatest = 1_000_000
}

/// A decimal without sign, exact: 0.29 of 100 is 29.
private struct Decimal {
  /// The digits before and the nine after the point.
  let whole: Int
  let billionths: Int

  /// `nil` unless it is up to nine digits, with a fraction if need be.
  init?(_ text: Substring) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.allSatisfy({ part in !part.isEmpty && part.allSatisfy { "0"..."9" ~= $0 } }),
      parts[0].utf8.count <= 9, let whole = Int(parts[0])
    else { return nil }
    self.whole = whole
    let fraction = parts.count == 2 ? String(parts[1].prefix(9)) : ""
    billionths = Int(fraction + String(repeating: "0", count: 9 - fraction.utf8.count)) ?? 0
  }

  /// Rounded down.
  func times(_ factor: Int) -> Int { whole * factor + billionths * factor / 1_000_000_000 }
}
