// Scenarios as JSON documents, and the plans that are known for them.

import ClusterModel
import Foundation
import Kamelot

/// A line of a file of vectors: a scenario and its plan.
struct Vector: Decodable {
  var scenario: Scenario
  var plan: [PlannedJob]

  struct PlannedJob: Decodable, Hashable {
    var job: JobID
    var start: Instant
    var end: Instant
    var moldable: Int
    /// Ids as ranges.
    var resources: String
  }

  /// The vectors of a file beside the tests.
  static func load(_ name: String, from file: String = #filePath) throws -> [Vector] {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let text = try String(
      contentsOf: folder.appendingPathComponent("Fixtures/\(name)"), encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(Vector.self, from: Data($0.utf8))
    }
  }
}

/// What a planning pass depends on, in the short form of the platform.
struct Scenario: Decodable {
  struct ShortPlatform: Decodable {
    var resources: Int
    var unit: String
    /// The number of consecutive resources in a block of each level.
    var levels: [String: Int]
  }

  struct Group: Decodable {
    var levels: [Level]
  }

  struct Level: Decodable {
    var property: String
    var count: Int

    init(from decoder: any Decoder) throws {
      var pair = try decoder.unkeyedContainer()
      property = try pair.decode(String.self)
      count = try pair.decode(Int.self)
    }
  }

  struct Shape: Decodable {
    var walltime: Seconds
    var groups: [Group]
  }

  struct ScenarioJob: Decodable {
    var id: JobID
    var user: String
    var project: String
    var queue: String
    var moldables: [Shape]
  }

  var name: String
  var now: Instant
  var platform: ShortPlatform
  var config: [String: Int]
  var jobs: [ScenarioJob]

  /// What the planner sees of it.
  func snapshot() -> Snapshot {
    var settings = PlanningSettings()
    settings.jobSecurityTime = config["SCHEDULER_JOB_SECURITY_TIME"] ?? 60
    let waiting = jobs.map { job in
      WaitingJob(
        id: job.id, user: job.user, project: job.project, queue: job.queue,
        moldables: job.moldables.map { shape in
          Moldable(
            walltime: shape.walltime,
            groups: shape.groups.map { group in
              RequestGroup(
                levels: group.levels.map { RequestLevel($0.property, BlockCount(stored: $0.count)) }
              )
            })
        })
    }
    return Snapshot(now: now, platform: platform.full(), settings: settings, waiting: waiting)
  }
}

extension Scenario.ShortPlatform {
  func full() -> Platform {
    Platform(
      resources: (1...resources).map { id in
        var resource = Resource(id: id)
        resource.properties[unit] = .integer(id)
        for (level, size) in levels {
          let block = (id - 1) / size + 1
          if level == "network_address" {
            resource.networkAddress = "n\(block)"
          } else {
            resource.properties[level] = .integer(block)
          }
        }
        return resource
      })
  }
}
