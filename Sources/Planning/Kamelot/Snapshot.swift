// What a planning pass depends on, and nothing else.

import ClusterModel

/// A job that has resources now: it starts, runs, is suspended or ends.
public struct HoldingJob: Sendable {
  public var id: JobID
  public var user = ""
  public var name = ""
  public var project = "default"
  public var queue = "default"
  public var types: [String] = []
  public var resources: [ResourceID]
  public var start: Instant
  /// Its walltime, suspended time included.
  public var walltime: Seconds
  /// It gives way to any other job.
  public var isBesteffort: Bool
  /// It is being ended already: no need to choose it as a victim again.
  public var isEnding: Bool
  /// Seconds that it may go on after it was told to save its work, because a job needs its resources;
  /// 0 if it can't save any.
  public var checkpoint: Seconds = 0
  /// When it was told to save its work; `nil` if it was not.
  public var checkpointedAt: Instant?
  /// Its processes stand still, and it has given up some of its resources for that time.
  public var isSuspended = false

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
  /// Runs; the job is planned as if the other used all of its time, and is free at this instant.
  case ending(JobID, by: Instant)
  /// Waits too: the job starts after its planned end.
  case waiting(JobID)
  /// Can never be satisfied, with the reason.
  case impossible(JobID, String)
}

/// An advance reservation: a job whose start is its user's choice.
public struct Reservation: Hashable, Sendable {
  /// When it is to start.
  public var start: Instant
  /// What it was promised; `nil` while it is not decided whether it can be.
  public var promised: Promise?

  /// The resources that a reservation got when it was accepted.
  public struct Promise: Hashable, Sendable {
    public var moldable: Int
    public var resources: [ResourceID]

    public init(moldable: Int, resources: [ResourceID]) {
      self.moldable = moldable
      self.resources = resources
    }
  }

  public init(start: Instant, promised: Promise? = nil) {
    self.start = start
    self.promised = promised
  }
}

/// A job to be planned.
public struct WaitingJob: Sendable {
  public var id: JobID
  public var user: String
  public var name = ""
  public var project: String
  public var queue: String
  /// Job types as written, such as `besteffort` or `container=c1`.
  public var types: [String]
  public var submissionTime: Instant = 0
  /// The condition of the whole job; empty if none.
  public var properties: String
  public var moldables: [Moldable]
  public var dependencies: [Dependency]
  /// `nil` for a job that starts as soon as it can.
  public var reservation: Reservation?

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
  /// The site's quotas; `nil` for none.
  public var quotas: Quotas?
  /// How jobs of queues of equal priority are sorted.
  public var order: JobOrderPolicy
  /// The same resources in the order in which new reservations prefer them
  /// (SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS); `nil` if that is the usual one.
  public var reservationPlatform: Platform?
  /// When hosts sleep and wake; `nil` if that is not to be decided.
  public var energy: EnergySettings?

  public init(
    now: Instant, platform: Platform, settings: PlanningSettings = PlanningSettings(),
    queues: [Queue] = Queue.standard, holding: [HoldingJob] = [], waiting: [WaitingJob] = [],
    quotas: Quotas? = nil, order: JobOrderPolicy = .fifo
  ) {
    self.now = now
    self.platform = platform
    self.settings = settings
    self.queues = queues
    self.holding = holding
    self.waiting = waiting
    self.quotas = quotas
    self.order = order
  }
}
