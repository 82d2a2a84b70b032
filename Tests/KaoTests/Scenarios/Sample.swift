// Which random scenarios the property tests look at: some hundreds, or as many as the environment
// says (LIBURNA_SCENARIOS), or one of them (LIBURNA_SEED).

import ClusterModel
import Foundation
import Kamelot
import Testing

enum Sample {
  private static let usual: UInt64 = 400
  private static let partCount: UInt64 = 4

  /// Parts of the sample that are checked side by side.
  static let parts = Array(0..<partCount)

  /// The seeds of one part.
  static func seeds(_ part: UInt64) -> [UInt64] {
    if let seed = number("LIBURNA_SEED") { return part == seed % partCount ? [seed] : [] }
    let count = max(number("LIBURNA_SCENARIOS") ?? usual, 1)
    return Array(stride(from: part + 1, through: count, by: Int(partCount)))
  }

  private static func number(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
  }

  /// Checks the scenarios of a part until one fails, and tells which and why.
  static func check(
    _ part: UInt64, features: Set<Feature> = plannedFeatures,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ problem: (Snapshot) -> (problem: String, plan: Plan)?
  ) {
    checkWithQuotas(part, features: features, sourceLocation: sourceLocation) { snapshot, _ in
      problem(snapshot)
    }
  }

  /// The same, with the quotas as they were drawn.
  static func checkWithQuotas(
    _ part: UInt64, features: Set<Feature> = plannedFeatures,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ problem: (Snapshot, RandomQuotas?) -> (problem: String, plan: Plan)?
  ) {
    for seed in seeds(part) {
      var maker = ScenarioMaker(seed: seed, features: features)
      let snapshot = maker.snapshot()
      guard let (problem, plan) = problem(snapshot, maker.quotas) else { continue }
      let text = "LIBURNA_SEED=\(seed): \(problem)\n\(snapshot.description)\n\(plan.description)"
      Issue.record("\(text)", sourceLocation: sourceLocation)
      return
    }
  }
}
