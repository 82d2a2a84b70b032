// A figure: what was measured, what it should be, and how it is printed.

/// What a figure should be.
enum Target {
  case atLeast(Double)
  case atMost(Double)
  /// It stands beside another figure to explain it.
  case none

  func isMet(by value: Double) -> Bool? {
    switch self {
    case .atLeast(let limit): value >= limit
    case .atMost(let limit): value <= limit
    case .none: nil
    }
  }

  var text: String {
    switch self {
    case .atLeast(let limit): "≥ \(decimal(limit))"
    case .atMost(let limit): "≤ \(decimal(limit))"
    case .none: ""
    }
  }
}

/// One measured value.
struct Figure {
  var name: String
  var value: Double
  var unit: String
  var target = Target.none
  /// How many were measured, how they spread, and under what conditions.
  var detail = ""

  /// One line of a table.
  var line: String {
    let verdict = target.isMet(by: value).map { $0 ? "pass" : "MISS" } ?? ""
    return pad(name, 54) + " " + pad(decimal(value), 9, right: true) + " " + pad(unit, 5)
      + pad(target.text, 9) + pad(verdict, 6) + detail
  }

  /// One line of JSON.
  var json: String {
    var fields = [
      "\"name\":\(quoted(name))", "\"value\":\(decimal(value))", "\"unit\":\(quoted(unit))",
    ]
    if let isMet = target.isMet(by: value) {
      fields.append("\"target\":\(quoted(target.text))")
      fields.append("\"pass\":\(isMet)")
    }
    fields.append("\"detail\":\(quoted(detail))")
    return "{" + fields.joined(separator: ",") + "}"
  }
}

/// A number with as many digits as say something: three or more.
func decimal(_ value: Double) -> String {
  guard value.isFinite else { return "0" }
  let magnitude = value.magnitude
  if magnitude >= 100 || value == value.rounded() { return String(Int(value.rounded())) }
  let scale: Double = magnitude >= 10 ? 10 : 100
  return String((value * scale).rounded() / scale)
}

private func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
  let blanks = String(repeating: " ", count: max(0, width - text.count))
  return right ? blanks + text : text + blanks
}

private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\u{0}"..<"\u{20}": result += " "
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// Durations of one kind, in milliseconds.
struct Samples {
  private(set) var values: [Double] = []

  mutating func append(_ value: Double) { values.append(value) }

  /// The value that the given part of all does not exceed; 0 without values.
  func quantile(_ part: Double) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.indices.last else { return 0 }
    return sorted[min(last, Int((Double(sorted.count) * part).rounded(.down)))]
  }

  var median: Double { quantile(0.5) }

  /// The spread in words.
  var detail: String {
    "n=\(values.count), p50 \(decimal(median)) ms, p99 \(decimal(quantile(0.99))) ms, "
      + "worst \(decimal(quantile(1))) ms"
  }
}
