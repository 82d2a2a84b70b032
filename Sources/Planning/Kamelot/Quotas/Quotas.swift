// The limits of users, projects, queues and types (QUOTAS_CONF_FILE); Docs/Quotas.md says what they mean.

import ClusterModel
import Encoding

/// Why a document holds no quotas at all.
public struct QuotaError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
}

/// A site's quotas.
public struct Quotas: Sendable {
  /// The rules under `quotas` first, then the named sets in the order of the document.
  public let ruleSets: [QuotaRuleSet]
  /// The job types that rules can be about, by name.
  public let jobTypes: [String]
  /// Which rules hold when.
  public let calendar: QuotaCalendar
  /// If rules change with time, no job is placed that would start later than this from now
  /// (QUOTAS_WINDOW_TIME_LIMIT).
  public let windowLimit: Seconds
  /// What was left out of the document, and what would have been allowed, as sentences.
  public let problems: [String]

  /// OAR's default for `windowLimit`: 60 days.
  public static let standardWindowLimit: Seconds = 5_184_000

  /// Reads the document of a site. A rule or period that can't be understood is left out and listed in
  /// `problems`.
  ///
  /// - Parameters:
  ///   - allResources: what `ALL` stands for.
  ///   - clock: shows the time that the periods mean.
  /// - Throws: ``QuotaError`` if the document is no JSON object.
  public init(
    _ document: JSONValue, allResources: Int, clock: LocalClock = LocalClock(),
    windowLimit: Seconds = Quotas.standardWindowLimit
  ) throws(QuotaError) {
    guard case .object(let members) = document else {
      throw QuotaError(
        description: "quotas: \(document.excerpt) is no object; allowed: { \"quotas\": { … }, … }")
    }
    var reader = QuotaReader(allResources: allResources, clock: clock)
    reader.read(members)
    ruleSets = reader.ruleSets
    jobTypes = reader.jobTypes
    calendar = QuotaCalendar(
      clock: clock, periods: reader.periods, fallback: reader.fallback, oneShots: reader.oneShots)
    self.windowLimit = max(0, windowLimit)
    problems = reader.problems
  }

  /// The rules that hold at an instant, and the first instant when others do; `Instant.max` for never.
  public func rules(at instant: Instant) -> (rules: RuleSetIndex, until: Instant) {
    calendar.rules(at: instant)
  }

  /// The names of a job's types that rules can be about, in the job's order, each once.
  func relevant(_ types: [String]) -> [String] {
    guard !jobTypes.isEmpty else { return [] }
    var names: [String] = []
    for type in types {
      let name = QuotaTypes.name(of: type)
      if jobTypes.contains(name), !names.contains(name) { names.append(name) }
    }
    return names
  }
}

/// What job types mean for quotas.
enum QuotaTypes {
  /// The name of a type that may have a value, as `container=c1` does.
  static func name(of type: String) -> String {
    String(type.prefix { $0 != "=" })
  }

  /// Containers are not counted: their inner jobs are.
  static func isCounted(_ types: [String]) -> Bool {
    !types.contains { name(of: $0) == "container" }
  }

  /// Jobs of administrators are counted and never limited.
  static func isLimited(_ types: [String]) -> Bool {
    !types.contains { name(of: $0) == "no_quotas" }
  }
}
