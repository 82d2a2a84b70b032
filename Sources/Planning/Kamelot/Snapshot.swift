// What a planning pass depends on, and nothing else.

import ClusterModel

/// The settings of `oar.conf` that change plans.
public struct PlanningSettings: Hashable, Sendable {
  /// Seconds kept free after each job (SCHEDULER_JOB_SECURITY_TIME).
  public var jobSecurityTime: Seconds = 60
  /// At most so many waiting jobs are planned in one pass, first come first
  /// (MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND); 0 for no limit.
  public var jobsPerPass = 1000
  /// How long a waiting besteffort job is assumed to run (OAR 2 assumes five minutes).
  public var besteffortDuration: Seconds = 300

  public init() {}
}

/// A job that has resources now: it starts, runs, is suspended or ends.
public struct HoldingJob: Sendable {
  public var id: JobID
  public var resources: [ResourceID]
  public var start: Instant
  /// Its walltime, suspended time included.
  public var walltime: Seconds
  /// It gives way to any other job.
  public var isBesteffort: Bool
  /// It is being ended already: no need to choose it as a victim again.
  public var isEnding: Bool

  public init(
    id: JobID, resources: [ResourceID], start: Instant, walltime: Seconds, isBesteffort: Bool,
    isEnding: Bool
  ) {
    self.id = id
    self.resources = resources
    self.start = start
    self.walltime = walltime
    self.isBesteffort = isBesteffort
    self.isEnding = isEnding
  }
}

/// How a waiting job stands with one job that it depends on.
public enum Dependency: Hashable, Sendable {
  /// Ended well enough; no bound.
  case satisfied
  /// Runs; its end is not known, so the job can't be planned.
  case running(JobID)
  /// Waits too: the job starts after its planned end.
  case waiting(JobID)
  /// Can never be satisfied, with the reason.
  case impossible(JobID, String)
}

/// A job to be planned.
public struct WaitingJob: Sendable {
  public var id: JobID
  public var user: String
  public var project: String
  public var queue: String
  public var types: [String]
  /// The condition of the whole job; empty if none.
  public var properties: String
  public var moldables: [Moldable]
  public var dependencies: [Dependency]
  /// The start of an advance reservation; 0 for none.
  public var reservationStart: Instant = 0

  public init(
    id: JobID, user: String, project: String = "default", queue: String, types: [String] = [],
    properties: String = "", moldables: [Moldable], dependencies: [Dependency] = []
  ) {
    self.id = id
    self.user = user
    self.project = project
    self.queue = queue
    self.types = types
    self.properties = properties
    self.moldables = moldables
    self.dependencies = dependencies
  }
}

/// The whole cluster at one instant. The platform is shared between passes while no resource changes.
public struct Snapshot: Sendable {
  public var now: Instant
  public var platform: Platform
  public var settings: PlanningSettings
  public var queues: [Queue]
  public var holding: [HoldingJob]
  /// In order of submission.
  public var waiting: [WaitingJob]

  public init(
    now: Instant, platform: Platform, settings: PlanningSettings = PlanningSettings(),
    queues: [Queue] = Queue.standard, holding: [HoldingJob] = [], waiting: [WaitingJob] = []
  ) {
    self.now = now
    self.platform = platform
    self.settings = settings
    self.queues = queues
    self.holding = holding
    self.waiting = waiting
  }
}
