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
