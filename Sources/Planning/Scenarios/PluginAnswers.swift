// The contract `liburna-plugin 1`, what a plug-in writes (Docs/Plugins.md): one JSON document a line for
// each answer. An answer that breaks the contract is an error; whether what it chooses can be had is
// checked elsewhere.

import ClusterModel
import Encoding
import Kamelot

/// Answers of plug-ins that are programs, read from lines of JSON.
public enum PluginReply {
  /// What an assigner says: its choice, or a question about the plan.
  public enum Assignment: Sendable {
    case answer(PluginAnswer<PluginSpot>)
    /// It chose a start, and leaves the places to the planner.
    case start(Instant)
    case earliest(notBefore: Instant)
    case spot(at: Instant)
    case free(from: Instant, to: Instant)
  }

  /// `{"places": "1-4"}`, or `{"places": null, "reason": "…"}`.
  public static func find(
    _ line: [UInt8], on platform: Platform
  ) throws(PluginError) -> PluginAnswer<ResourceSet> {
    let answer = try read(line, allowing: [.places, .reason])
    guard answer.named.contains(.places) else { throw missing("places") }
    guard let ranges = answer.places else { return .nothing(because: answer.reason) }
    return .chosen(try places(ranges, on: platform))
  }

  /// `{"start": 7200, "places": "1-4"}`, `{"start": 7200}`, `{"start": null, "reason": "…"}`, or a question:
  /// `{"ask": "earliest", "not_before": 7200}`, `{"ask": "spot", "at": 7200}`,
  /// `{"ask": "free", "from": 7200, "to": 9000}`.
  public static func assign(
    _ line: [UInt8], on platform: Platform
  ) throws(PluginError) -> Assignment {
    let answer = try read(
      line, allowing: [.start, .places, .reason, .ask, .not_before, .at, .from, .to])
    if let ask = answer.ask { return try question(ask, answer) }
    guard answer.named.contains(.start) else { throw missing("start") }
    guard let start = answer.numbers[.start] else {
      return .answer(.nothing(because: answer.reason))
    }
    guard let ranges = answer.places else { return .start(start) }
    return .answer(.chosen(PluginSpot(start: start, places: try places(ranges, on: platform))))
  }

  /// `{"order": [3, 1, 2]}`, ids of all jobs; gives their indices.
  public static func sort(_ line: [UInt8], of jobs: [WaitingJob]) throws(PluginError) -> [Int] {
    guard let order = try read(line, allowing: [.order]).order else { throw missing("order") }
    let indices = Dictionary(
      jobs.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    var result: [Int] = []
    result.reserveCapacity(order.count)
    for id in order {
      guard let index = indices[id] else {
        throw PluginError("it named job \(id), which was not to be sorted")
      }
      result.append(index)
    }
    return result
  }

  /// `{"set_aside": [{"job": 3, "reason": "…"}]}`.
  public static func extra(_ line: [UInt8]) throws(PluginError) -> [JobID: String] {
    guard let jobs = try read(line, allowing: [.set_aside]).setAside else {
      throw missing("set_aside")
    }
    return jobs
  }

  private static func question(
    _ ask: String, _ answer: AnswerReader
  ) throws(PluginError) -> Assignment {
    func instant(_ key: AnswerKey) throws(PluginError) -> Instant {
      guard let instant = answer.numbers[key] else { throw missing(key.rawValue) }
      return instant
    }
    switch ask {
    case "earliest": return .earliest(notBefore: try instant(.not_before))
    case "spot": return .spot(at: try instant(.at))
    case "free": return .free(from: try instant(.from), to: try instant(.to))
    default:
      throw PluginError("its answer asks for \"\(ask.prefix(32))\", not earliest, spot or free")
    }
  }

  private static func read(
    _ line: [UInt8], allowing keys: Set<AnswerKey>
  ) throws(PluginError) -> AnswerReader {
    var answer = AnswerReader()
    do throws(ReadingError) {
      var reader = JSONReader(line)
      try answer.read(&reader)
    } catch {
      let place = error.place.isEmpty ? "" : "\(error.place): "
      throw PluginError("its answer breaks the contract: \(place)\(error.problem)")
    }
    if let foreign = answer.named.subtracting(keys).map(\.rawValue).min() {
      throw PluginError("its answer has the key \"\(foreign)\", which is not for this question")
    }
    return answer
  }

  private static func places(
    _ ranges: String, on platform: Platform
  ) throws(PluginError) -> ResourceSet {
    guard let ids = ResourceRanges.ids(ranges) else {
      throw PluginError(
        "its answer breaks the contract: \"\(ranges.prefix(32))\" is no list of ids such as 1-4,7")
    }
    let places = platform.places(of: ids)
    guard places.count == ids.count else {
      throw PluginError("it chose resources that are not there")
    }
    return places
  }

  private static func missing(_ key: String) -> PluginError {
    PluginError("its answer breaks the contract: the key \"\(key)\" is missing")
  }
}

private enum AnswerKey: String, CaseIterable {
  case places, reason, start, ask, not_before, at, from, to, order, set_aside
}

/// All that an answer may say.
private struct AnswerReader {
  private(set) var named: Set<AnswerKey> = []
  private(set) var places: String?
  private(set) var reason: String?
  private(set) var ask: String?
  private(set) var numbers: [AnswerKey: Int] = [:]
  private(set) var order: [JobID]?
  private(set) var setAside: [JobID: String]?

  /// Reasons are for people: what is longer is cut.
  private static let reasonLimit = 300

  mutating func read(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.members { reader, name throws(ReadingError) in
      guard let key = AnswerKey(rawValue: name) else {
        throw reader.unknown("the key \"\(name.prefix(32))\" is not in the contract")
      }
      guard named.insert(key).inserted else {
        throw reader.unknown("the key \"\(name)\" stands there twice")
      }
      if reader.takeNull() { return }
      try read(key, &reader)
    }
    try reader.end()
  }

  private mutating func read(
    _ key: AnswerKey, _ reader: inout JSONReader
  ) throws(ReadingError) {
    switch key {
    case .places: places = try reader.text()
    case .reason: reason = try Self.reason(&reader)
    case .ask: ask = try reader.text()
    case .start, .not_before, .at, .from, .to: numbers[key] = try reader.instant()
    case .order:
      var ids: [JobID] = []
      try reader.list { reader, _ throws(ReadingError) in ids.append(try reader.integer()) }
      order = ids
    case .set_aside: setAside = try Self.setAside(&reader)
    }
  }

  private static func reason(_ reader: inout JSONReader) throws(ReadingError) -> String {
    String(try reader.text().prefix(reasonLimit))
  }

  private enum SetAsideKey: String, CaseIterable {
    case job, reason
  }

  private static func setAside(
    _ reader: inout JSONReader
  ) throws(ReadingError) -> [JobID: String] {
    var jobs: [JobID: String] = [:]
    try reader.list { reader, _ throws(ReadingError) in
      var (job, why) = (JobID?.none, "it gave no reason")
      let start = reader.offset
      try reader.object(SetAsideKey.self) { reader, key throws(ReadingError) in
        switch key {
        case .job: job = try reader.integer()
        case .reason: why = try reason(&reader)
        }
      }
      guard let job else { throw ReadingError(.value, "the job is missing", at: start) }
      jobs[job] = why
    }
    return jobs
  }
}
