// Reads the platform of a scenario: resources one by one, or the short form.

import ClusterModel
import Encoding

/// Reads resources one by one.
enum ResourceReader {
  /// The greatest number of resources, and the greatest id.
  static let limit = 1_000_000

  static func list(_ reader: inout JSONReader) throws(ReadingError) -> [Resource] {
    var resources: [Resource] = []
    var ids: Set<ResourceID> = []
    try reader.list { reader, _ throws(ReadingError) in
      let start = reader.offset
      let resource = try read(&reader)
      guard resource.id > 0 else { throw ReadingError(.value, "the resource has no id", at: start) }
      guard ids.insert(resource.id).inserted else {
        throw ReadingError(.value, "there are two resources \(resource.id)", at: start)
      }
      guard resources.count < limit else {
        throw ReadingError(.document, "there are more than \(limit) resources", at: start)
      }
      resources.append(resource)
    }
    return resources
  }

  private static func read(_ reader: inout JSONReader) throws(ReadingError) -> Resource {
    var resource = Resource(id: 0)
    try reader.members { reader, name throws(ReadingError) in
      try read(name, of: &resource, &reader)
    }
    return resource
  }

  private static func read(
    _ name: String, of resource: inout Resource, _ reader: inout JSONReader
  ) throws(ReadingError) {
    switch name {
    case "id": resource.id = try reader.integer(in: 1...limit)
    case "type": resource.type = try reader.text()
    case "network_address": resource.networkAddress = try reader.text()
    case "state": resource.state = try state(&reader)
    case "finaud_decision": resource.suspectedByServer = try flag(&reader)
    case "cpuset": resource.cpuset = try siteProperty(&reader).text ?? "0"
    case "besteffort": resource.acceptsBesteffort = try flag(&reader)
    case "deploy": resource.acceptsDeploy = try flag(&reader)
    case "desktop_computing": resource.acceptsDesktopComputing = try flag(&reader)
    case "drain": resource.drain = try flag(&reader)
    case "suspended_jobs": resource.suspendedJobs = try flag(&reader)
    case "scheduler_priority":
      resource.schedulerPriority = try reader.integer(in: -endOfTime...endOfTime)
    case "expiry_date": resource.expiryDate = try reader.instant()
    case "last_job_date": resource.lastJobDate = try reader.instant()
    case "available_upto": resource.availableUpto = try reader.instant()
    case "last_available_upto": resource.lastAvailableUpto = try reader.instant()
    // The others of OAR's columns follow from these.
    case let column where standardResourceColumns.contains(column):
      throw reader.unknown("the column \"\(column)\" is not for scenarios; the id is called \"id\"")
    default: resource.properties[name] = try siteProperty(&reader)
    }
  }

  private static func state(_ reader: inout JSONReader) throws(ReadingError) -> ResourceState {
    let words = ResourceState.allCases.map(\.rawValue)
    let rule = "it must be one of \(words.joined(separator: ", "))"
    let word = try reader.word(of: words, rule: rule)
    return ResourceState(rawValue: word) ?? .dead
  }

  private static func flag(_ reader: inout JSONReader) throws(ReadingError) -> Bool {
    try reader.word(of: ["YES", "NO"], rule: "it must be \"YES\" or \"NO\"") == "YES"
  }

  private static func siteProperty(_ reader: inout JSONReader) throws(ReadingError) -> PropertyValue
  {
    if reader.takeNull() { return .null }
    if reader.startsNumber { return .integer(try reader.integer()) }
    return .text(try reader.text(rule: "it must be a text, a whole number or null"))
  }
}

/// The short form of a platform: resources from 1, cut into blocks of equal size.
struct ShortPlatform {
  private enum PlatformKey: String, CaseIterable {
    case resources, unit, levels
  }

  private var count = 0
  private var unit = "core"
  /// The number of consecutive resources in a block, by level.
  private var levels: [(name: String, size: Int)] = []

  init(_ reader: inout JSONReader) throws(ReadingError) {
    let start = reader.offset
    try reader.object(PlatformKey.self) { reader, key throws(ReadingError) in
      switch key {
      case .resources: count = try reader.integer(in: 1...ResourceReader.limit)
      case .unit: unit = try Self.level(try reader.text(), &reader)
      case .levels:
        try reader.members { reader, name throws(ReadingError) in
          let level = try Self.level(name, &reader)
          levels.append((level, try reader.integer(in: 1...ResourceReader.limit)))
        }
      }
    }
    guard count > 0 else {
      throw ReadingError(.value, "the key \"resources\" is missing: how many there are", at: start)
    }
  }

  /// A property that can have numbers as values, or the host.
  private static func level(
    _ name: String, _ reader: inout JSONReader
  ) throws(ReadingError) -> String {
    guard name == "network_address" || !standardResourceColumns.contains(name), !name.isEmpty else {
      throw ReadingError(.value, "\"\(name)\" can't be a level", at: reader.offset)
    }
    return name
  }

  /// The greatest blocks first, the single resources last.
  var hierarchy: [String] { levels.sorted { $0.size > $1.size }.map(\.name) + [unit] }

  var resources: [Resource] {
    (1...count).map { id in
      var resource = Resource(id: id)
      resource.setLevel(unit, id)
      for level in levels { resource.setLevel(level.name, (id - 1) / level.size + 1) }
      return resource
    }
  }
}

extension Resource {
  /// Notes in which block of a level it is, from 1.
  fileprivate mutating func setLevel(_ name: String, _ block: Int) {
    if name == "network_address" {
      networkAddress = "n\(block)"
    } else {
      properties[name] = .integer(block)
    }
  }
}

extension JSONReader {
  /// A text that is one of `words`.
  mutating func word(of words: [String], rule: String) throws(ReadingError) -> String {
    let before = self
    let word = try text(rule: rule)
    guard words.contains(word) else {
      self = before
      throw unusable(rule)
    }
    return word
  }

  /// The error that a name means nothing to a scenario.
  func unknown(_ problem: String) -> ReadingError { ReadingError(.document, problem, at: offset) }
}
