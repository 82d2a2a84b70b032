// The priority of a job and what it is made of, so that it can be explained.

import ClusterModel

/// How a job stands among the waiting jobs of its queues, part by part.
public struct JobPriority: Hashable, Sendable {
  /// One reason for a priority.
  public struct Part: Hashable, Sendable {
    /// What counts, such as `age` or `user_used`.
    public var factor: String
    public var value: Double
    /// What the site makes of it.
    public var weight: Double
    /// Value times weight: what it adds to the total.
    public var contribution: Double

    public init(_ factor: String, value: Double, weight: Double) {
      self.factor = factor
      self.value = value.bounded
      self.weight = weight.bounded
      contribution = (self.value * self.weight).bounded
    }
  }

  /// The job with the greatest comes first; the sum of the contributions. Always a finite number.
  public var total: Double
  /// In a fixed order; empty if jobs are taken as they came.
  public var parts: [Part]
  /// How much more than their due its user and project used; `nil` if that does not count.
  public var karma: Double?

  public init(parts: [Part], karma: Double? = nil) {
    total = parts.reduce(0) { $0 + $1.contribution }
    self.parts = parts
    self.karma = karma
  }

  /// What OAR's message column says of a job's fair share, such as `(Karma=0.123)`; `nil` if it
  /// does not count.
  public var messageSuffix: String? { karma.map { "(Karma=\($0.fixed(3)))" } }

  /// One line for the user; parts that weigh nothing are left out.
  public var text: String {
    if parts.isEmpty { return "First come, first served." }
    let terms = parts.filter { $0.weight != 0 }.map {
      "\($0.factor) \($0.contribution.fixed(3)) = \($0.value.fixed(3)) × \($0.weight.fixed(3))"
    }
    let sum = terms.isEmpty ? "no factor has a weight" : terms.joined(separator: ", ")
    return "Priority \(total.fixed(3)), the greatest comes first: \(sum)."
  }
}

extension Double {
  /// The number, or the nearest that leaves room for sums and products; 0 for what is no number.
  var bounded: Double { isNaN ? 0 : Swift.min(Swift.max(self, -1e100), 1e100) }

  /// The number with so many decimals, from 0 to 6.
  func fixed(_ decimals: Int) -> String {
    var unit = 1
    for _ in 0..<decimals { unit *= 10 }
    let scaled = (magnitude * Double(unit)).rounded(.toNearestOrEven)
    guard scaled < 1e15 else { return String(self) }
    let number = Int(scaled)
    let sign = self < 0 && number > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(number)" }
    let digits = String(number % unit)
    let zeros = String(repeating: "0", count: decimals - digits.utf8.count)
    return "\(sign)\(number / unit).\(zeros)\(digits)"
  }
}
