// Reads one job of a scenario.

import ClusterModel
import Encoding
import Kamelot

/// What a scenario says of a job, as far as it could be read.
struct JobReader {
  private enum JobKey: String, CaseIterable {
    case id, user, project, queue, name, state, types, properties, moldables, dependencies
    case reservation, assigned, checkpoint
    case submissionTime = "submission_time"
    case startTime = "start_time"
    case checkpointedAt = "checkpointed_at"
  }

  /// The resources that a job holds, or that a reservation was promised.
  struct Assignment {
    var moldable = 0
    var resources: [ResourceID] = []
  }

  private(set) var id: JobID?
  private(set) var user = ""
  private(set) var project = "default"
  private(set) var queue = "default"
  private(set) var name = ""
  private(set) var state = JobState.waiting
  private(set) var submissionTime: Instant?
  private(set) var types: [String] = []
  private(set) var properties = ""
  private(set) var moldables: [Moldable] = []
  private(set) var dependencies: [JobID] = []
  /// When a reservation is to start.
  private(set) var reservation: Instant?
  private(set) var startTime: Instant?
  private(set) var assigned: Assignment?
  /// For how long it saves its work once it was told to; 0 if it does not.
  private(set) var checkpoint: Seconds = 0
  private(set) var checkpointedAt: Instant?

  /// - Throws: ``ReadingError``; if it is of the kind `value`, the id was read if there is one.
  mutating func read(_ reader: inout JSONReader) throws(ReadingError) {
    let start = reader.offset
    try reader.object(JobKey.self) { reader, key throws(ReadingError) in
      try read(key, &reader)
    }
    guard id != nil else { throw ReadingError(.value, "the job has no id", at: start) }
    guard !moldables.isEmpty else {
      throw ReadingError(.value, "the job has no moldables", at: start)
    }
  }

  private mutating func read(_ key: JobKey, _ reader: inout JSONReader) throws(ReadingError) {
    switch key {
    case .id: id = try reader.integer(in: 1...Int.max, rule: "it must be a whole number from 1")
    case .user: user = try reader.text()
    case .project: project = try reader.text()
    case .queue: queue = try reader.text()
    case .name: name = try reader.text()
    case .state: state = try readState(&reader)
    case .submissionTime: submissionTime = try reader.instant()
    case .types: types = try readTypes(&reader)
    case .properties: properties = try reader.text()
    case .moldables: moldables = try RequestReader.moldables(&reader)
    case .dependencies:
      try reader.list { reader, _ throws(ReadingError) in
        dependencies.append(try reader.integer())
      }
    case .reservation: reservation = try readReservation(&reader)
    case .startTime: startTime = try reader.instant()
    case .assigned: assigned = try readAssignment(&reader)
    case .checkpoint: checkpoint = try reader.instant()
    case .checkpointedAt: checkpointedAt = try reader.instant()
    }
  }

  private func readState(_ reader: inout JSONReader) throws(ReadingError) -> JobState {
    let words = JobState.allCases.map(\.rawValue)
    let rule = "it must be one of \(words.joined(separator: ", "))"
    return JobState(rawValue: try reader.word(of: words, rule: rule)) ?? .waiting
  }

  /// Types in the order in which they stand, as users write them.
  private func readTypes(_ reader: inout JSONReader) throws(ReadingError) -> [String] {
    var types: [String] = []
    try reader.members { reader, name throws(ReadingError) in
      let value =
        reader.startsNumber
        ? String(try reader.integer())
        : try reader.text(rule: "it must be a text or a whole number")
      types.append(value.isEmpty ? name : "\(name)=\(value)")
    }
    return types
  }

  private enum ReservationKey: String, CaseIterable {
    case start
  }

  private func readReservation(_ reader: inout JSONReader) throws(ReadingError) -> Instant {
    var start: Instant?
    let place = reader.offset
    try reader.object(ReservationKey.self) { reader, _ throws(ReadingError) in
      start = try reader.instant()
    }
    guard let start else { throw ReadingError(.value, "the key \"start\" is missing", at: place) }
    return start
  }

  private enum AssignmentKey: String, CaseIterable {
    case moldable, resources
  }

  private func readAssignment(_ reader: inout JSONReader) throws(ReadingError) -> Assignment {
    var assigned = Assignment()
    try reader.object(AssignmentKey.self) { reader, key throws(ReadingError) in
      switch key {
      case .moldable: assigned.moldable = try reader.integer(in: 0...endOfTime)
      case .resources:
        let rule = "it must be ascending ranges of ids such as \"1-4,7\""
        let before = reader
        guard let ids = ResourceRanges.ids(try reader.text(rule: rule)) else {
          reader = before
          throw reader.unusable(rule)
        }
        assigned.resources = ids
      }
    }
    return assigned
  }
}

/// Reads what a job asks for.
private enum RequestReader {
  private enum MoldableKey: String, CaseIterable {
    case walltime, groups
  }

  private enum GroupKey: String, CaseIterable {
    case properties, levels
  }

  static func moldables(_ reader: inout JSONReader) throws(ReadingError) -> [Moldable] {
    var moldables: [Moldable] = []
    try reader.list { reader, _ throws(ReadingError) in
      var moldable = Moldable(walltime: 0, groups: [])
      let start = reader.offset
      try reader.object(MoldableKey.self) { reader, key throws(ReadingError) in
        switch key {
        case .walltime: moldable.walltime = try reader.integer(in: 1...endOfTime)
        case .groups:
          try reader.list { reader, _ throws(ReadingError) in
            moldable.groups.append(try group(&reader))
          }
        }
      }
      guard moldable.walltime > 0 else { throw missing("walltime", at: start) }
      guard !moldable.groups.isEmpty else { throw missing("groups", at: start) }
      moldables.append(moldable)
    }
    return moldables
  }

  private static func missing(_ key: String, at offset: Int) -> ReadingError {
    ReadingError(.value, "the key \"\(key)\" is missing or empty", at: offset)
  }

  private static func group(_ reader: inout JSONReader) throws(ReadingError) -> RequestGroup {
    var group = RequestGroup(levels: [])
    let start = reader.offset
    try reader.object(GroupKey.self) { reader, key throws(ReadingError) in
      switch key {
      case .properties: group.properties = try reader.text()
      case .levels:
        try reader.list { reader, _ throws(ReadingError) in
          group.levels.append(try level(&reader))
        }
      }
    }
    guard !group.levels.isEmpty else { throw missing("levels", at: start) }
    return group
  }

  /// A level is a pair: its property, and how many blocks.
  private static func level(_ reader: inout JSONReader) throws(ReadingError) -> RequestLevel {
    var property: String?
    var count: BlockCount?
    let start = reader.offset
    try reader.list { reader, index throws(ReadingError) in
      switch index {
      case 0: property = try reader.text()
      case 1: count = try self.count(&reader)
      default: throw reader.unusable("a level is a property and a count: nothing follows them")
      }
    }
    guard let property, let count else {
      throw ReadingError(.value, "a level is a property and a count", at: start)
    }
    return RequestLevel(property, count)
  }

  private static func count(_ reader: inout JSONReader) throws(ReadingError) -> BlockCount {
    let rule = "it must be a count from 1, or -1 (ALL), -2 (BEST) or -3 (BESTHALF)"
    let before = reader
    let number = try reader.integer(in: -3...endOfTime, rule: rule)
    guard number != 0 else {
      reader = before
      throw reader.unusable(rule)
    }
    return BlockCount(stored: number)
  }
}
