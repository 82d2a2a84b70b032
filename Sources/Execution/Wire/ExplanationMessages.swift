// What the server tells of a job's start: why it waits, what would start it now, and what would become
// of a job that is only thought of.

import ClusterModel

/// A change of what a job asks for that alone would start it now.
public struct RequestChange: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable {
    case walltime
    case count
    case walltimeAndCount = "walltime_and_count"
    /// One of several requests alone.
    case moldable
    /// Without the user's condition for the whole job.
    case condition
    /// Without the user's condition for one group.
    case groupCondition = "group_condition"
    /// Without one of several groups.
    case withoutGroup = "without_group"
    /// As a besteffort job.
    case besteffort
  }

  public var kind: Kind
  /// The same as a sentence.
  public var text: String
  /// Which of the job's requests, from 0; `nil` if it is about all.
  public var moldable: Int?
  /// Which group of it and which level of that, from 0.
  public var group: Int?
  public var level: Int?
  /// The greatest walltime and the greatest count that would do.
  public var walltime: Seconds?
  public var count: Int?

  public init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }
}

/// A quota that keeps a job waiting, and what is in use of it.
public struct QuotaState: Codable, Hashable, Sendable {
  /// The four fields of the rule as the site wrote them; empty for the time that is planned ahead.
  public var rule: String
  /// The name of the rules that it belongs to, and from when and until before when they hold; `nil` if
  /// they do already, or without end.
  public var rules: String
  public var rulesFrom: Instant?
  public var rulesUntil: Instant?
  /// `resources`, `jobs`, `resource_hours` or `window`.
  public var counter: String
  /// How much the rule allows, how much others use, and how much the job would add: resources, jobs,
  /// resource·seconds or, for the window, seconds.
  public var limit: Int
  public var used: Int
  public var wanted: Int
  /// When that much is used.
  public var at: Instant
  /// The earliest start that quotas allow; `nil` if there is none.
  public var allowedFrom: Instant?

  public init(
    rule: String, rules: String, counter: String, limit: Int, used: Int, wanted: Int, at: Instant
  ) {
    self.rule = rule
    self.rules = rules
    self.counter = counter
    self.limit = limit
    self.used = used
    self.wanted = wanted
    self.at = at
  }
}

/// What there is of the resources that a job asks for.
public struct ResourceShortage: Codable, Hashable, Sendable {
  /// The request as users write it, and the condition of the whole job.
  public var request: String
  public var properties: String
  /// At least so many resources are needed; so many match, of which so many are free.
  public var needed: Int
  public var matching: Int
  public var free: Int

  public init(request: String, properties: String, needed: Int, matching: Int, free: Int) {
    self.request = request
    self.properties = properties
    self.needed = needed
    self.matching = matching
    self.free = free
  }
}

/// A job that was submitted later and yet goes before another.
public struct JobPassing: Codable, Hashable, Sendable {
  public var job: JobID
  /// Half a sentence.
  public var why: String

  public init(job: JobID, why: String) {
    self.job = job
    self.why = why
  }
}

/// Why a job waits and when it is planned.
public struct Explanation: Codable, Sendable {
  /// 0 for one that was not submitted.
  public var job: JobID
  public var state: JobState
  /// The binding constraint as a sentence.
  public var text: String
  /// OAR-independent word of the constraint, such as `resources` or `dependency`.
  public var kind: String
  /// Jobs that hold what it waits for.
  public var blockers: [JobID]
  /// When each of them is expected to end.
  public var blockerEnds: [Instant?] = []
  /// Those of them that were submitted later.
  public var passedBy: [JobPassing] = []
  /// What there is of its resources, if it waits for some.
  public var shortage: ResourceShortage?
  /// How it stands with the quota, if it waits for one.
  public var quota: QuotaState?
  /// When the plan starts it; `nil` if the plan does not say.
  public var plannedStart: Instant?
  public var plannedHosts: [String]
  /// What would start it now, smallest change first.
  public var changes: [RequestChange] = []
  /// What must happen if no change of its request helps, as a sentence.
  public var advice: String?

  public init(
    job: JobID, state: JobState, text: String, kind: String, blockers: [JobID],
    plannedStart: Instant?, plannedHosts: [String]
  ) {
    self.job = job
    self.state = state
    self.text = text
    self.kind = kind
    self.blockers = blockers
    self.plannedStart = plannedStart
    self.plannedHosts = plannedHosts
  }
}

/// What would become of a submission if it were made now (`oarsub --dry-run`).
public struct Forecast: Codable, Sendable {
  /// Lines that admission rules print.
  public var remarks: [String]
  /// The request as the rules made it, one `-l` each.
  public var moldables: [Moldable] = []
  /// The number of jobs; what follows is about the first unless it says otherwise.
  public var count: Int
  /// When it would start; `nil` if the plan does not say.
  public var start: Instant?
  /// Which of the request's moldables it would start with, from 0.
  public var moldable: Int?
  public var resources: [ResourceID] = []
  public var hosts: [String] = []
  /// Whether it would start at once.
  public var startsNow = false
  /// Why it would not.
  public var explanation: Explanation?
  /// How many jobs of an array would start at once, and when the last would; `nil` if not all are
  /// planned.
  public var startingNow = 0
  public var lastStart: Instant?

  public init(remarks: [String], moldables: [Moldable], count: Int) {
    self.remarks = remarks
    self.moldables = moldables
    self.count = count
  }
}
