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

    struct Holder: Decodable {
      var job: JobID
      var start: Instant?
      var end: Instant
    }

    struct Passer: Decodable {
      var job: JobID
      var why: String
    }

    struct Resources: Decodable {
      var request: String
      var properties: String
      var needed: Int
      var matching: Int
      var free: Int
    }

    struct Quota: Decodable {
      var rule: String
      var rules: String
      var rules_from: Instant?
      var rules_until: Instant?
      var counter: String
      var limit: Int
      var used: Int
      var wanted: Int
      var at: Instant
      var allowed_from: Instant?
      var jobs: [JobID]
    }

    struct Change: Decodable {
      var kind: String
      var moldable: Int?
      var group: Int?
      var level: Int?
      var walltime: Seconds?
      var count: Int?
      var text: String
    }

    var job: JobID
    var reason: Why?
    var planned: Planned?
    var holders: [Holder]?
    var passed_by: [Passer]?
    var resources: Resources?
    var quota: Quota?
    var changes: [Change]?
    var advice: String?
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
    var explain_ms: [Double]?
  }

  var plan: [Vector.PlannedJob]
  var waiting: [Unplaced]
  var explain: Explained?
  var timing: Timing

  /// Plans a scenario and reads what would be printed.
  init(_ scenario: Scenario, explaining job: JobID? = nil) throws {
    let snapshot = scenario.snapshot()
    let plan = Kao.plan(snapshot)
    try self.init(
      scenario, plan, explaining: job, job.flatMap { Kao.explain($0, in: snapshot, plan: plan) })
  }

  init(
    _ scenario: Scenario, _ plan: Plan, explaining job: JobID? = nil,
    _ explanation: Kao.Explanation? = nil
  ) throws {
    let timing = PlanTiming(
      loading: 1234, planning: [5, 60_789], explaining: job == nil ? [] : [1500])
    let bytes = scenario.document(of: plan, timing: timing, explaining: job, explanation)
    self = try JSONDecoder().decode(PrintedPlan.self, from: Data(bytes))
  }
}
