// Scenarios with the plans that are known for them.

import ClusterModel
import Foundation
import Kamelot
import Kao
import Scenarios

/// A line of a file of vectors: a scenario and its plan.
struct Vector {
  struct PlannedJob: Decodable, Hashable {
    var job: JobID
    var start: Instant
    var end: Instant
    var moldable: Int
    /// Ids as ranges.
    var resources: String
  }

  /// The scenario's document, as it stands in the file.
  var document: [UInt8]
  var plan: [PlannedJob]

  private struct Line: Decodable {
    var plan: [PlannedJob]
  }

  /// - Parameter line: an object with the keys `scenario` and `plan`, in this order.
  init(_ line: Substring) throws {
    let start = "{\"scenario\":"
    guard line.hasPrefix(start), let end = line.range(of: ",\"plan\":[", options: .backwards)
    else { throw CocoaError(.fileReadCorruptFile) }
    document = Array(line[..<end.lowerBound].dropFirst(start.count).utf8)
    plan = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).plan
  }

  /// The vectors of a file beside the tests.
  static func load(_ name: String, from file: String = #filePath) throws -> [Vector] {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let text = try String(
      contentsOf: folder.appendingPathComponent("Fixtures/\(name)"), encoding: .utf8)
    return try text.split(separator: "\n").map(Vector.init)
  }
}

/// What `kamelot` prints, read again.
struct PrintedPlan: Decodable {
  struct Explained: Decodable {
    struct Why: Decodable {
      var kind: Reason.Kind
      var text: String
      var blockers: [JobID]
    }

    struct Planned: Decodable {
      var start: Instant
      var end: Instant
      var moldable: Int
      var resources: String
    }

    var job: JobID
    var reason: Why?
    var planned: Planned?
  }

  struct Unplaced: Decodable {
    struct Why: Decodable {
      var kind: Reason.Kind
      var text: String
    }

    var job: JobID?
    var reason: Why
  }

  struct Timing: Decodable {
    var load_ms: Double
    var plan_ms: [Double]
  }

  var plan: [Vector.PlannedJob]
  var waiting: [Unplaced]
  var explain: Explained?
  var timing: Timing

  /// Plans a scenario and reads what would be printed.
  init(_ scenario: Scenario, explaining job: JobID? = nil) throws {
    try self.init(scenario, Kao.plan(scenario.snapshot()), explaining: job)
  }

  init(_ scenario: Scenario, _ plan: Plan, explaining job: JobID? = nil) throws {
    let timing = PlanTiming(loading: 1234, planning: [5, 60_789])
    let bytes = scenario.document(of: plan, timing: timing, explaining: job)
    self = try JSONDecoder().decode(PrintedPlan.self, from: Data(bytes))
  }
}
