// The settings of a site that change plans. Docs/Configuration.md lists the variables.

import ClusterModel

/// The scheduler's variables of `oar.conf`, with OAR's defaults where OAR's planners agree on one.
public struct PlanningSettings: Hashable, Sendable {
  /// Seconds kept free after each job (SCHEDULER_JOB_SECURITY_TIME).
  public var jobSecurityTime: Seconds = 60
  /// At most so many waiting jobs of each group of queues of equal priority are planned in one pass, first
  /// come first (MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND); 0 for no limit.
  public var jobsPerPass = 1000
  /// How long a waiting besteffort job is assumed to run (OAR 2 assumes five minutes).
  public var besteffortDuration: Seconds = 300
  /// Jobs that start within so many seconds have besteffort jobs on their resources ended already
  /// (SCHEDULER_BESTEFFORT_KILL_DURATION_BEFORE_RESERVATION); 0 for only those that start now.
  public var besteffortKillAhead: Seconds = 0
  /// Seconds that a reservation waits for resources that are lost before it starts on the others
  /// (RESERVATION_WAITING_RESOURCES_TIMEOUT).
  public var reservationPatience: Seconds = 300
  /// A job gets only resources that stay free for so many seconds from its start on, however short it is
  /// (SCHEDULER_GANTT_HOLE_MINIMUM_TIME); 0 for as long as it needs them.
  public var holeMinimum: Seconds = 0
  /// Each job has all resources of these types that are up besides its own, all jobs at once
  /// (SCHEDULER_RESOURCES_ALWAYS_ASSIGNED_TYPE).
  public var alwaysAssignedTypes: Set<String> = []
  /// Suspended jobs give up their resources of these types (SCHEDULER_AVAILABLE_SUSPENDED_RESOURCE_TYPE).
  public var suspendedTypes: Set<String> = ["default"]
  /// Reservations that start so many seconds from now or later are placed in the order of their own
  /// (SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS_THRESHOLD), if the snapshot has one.
  public var reservationOrderThreshold: Seconds = 300
  /// Whether dead resources count for `ALL` in quotas (QUOTAS_ALL_NB_RESOURCES_MODE).
  public var quotasCountDead = false

  /// Whether jobs are planned on hosts that sleep and can be woken.
  public var usesSleepingHosts = false
  /// Seconds that local time, in which the dates of job types are written, is ahead of UTC.
  public var utcOffset: Seconds = 0

  public init() {}

  /// For how long a job is planned to run: a besteffort job may be ended before its walltime is over.
  public func runTime(of walltime: Seconds, isBesteffort: Bool) -> Seconds {
    guard isBesteffort else { return walltime }
    // Its end may come so much before the start of the job that needs its resources.
    return min(walltime, max(1, besteffortDuration).addingCapped(max(0, besteffortKillAhead)))
  }
}

// Reading `oar.conf`.
extension PlanningSettings {
  /// Reads the variables.
  ///
  /// - Parameter defaults: what counts for variables that are not set.
  /// - Throws: ``ConfigurationError`` for a value that can't be used.
  public init(
    _ configuration: Configuration, defaults: PlanningSettings = PlanningSettings()
  ) throws(ConfigurationError) {
    self = defaults
    jobSecurityTime = try configuration.integer(
      "SCHEDULER_JOB_SECURITY_TIME", default: jobSecurityTime, in: 0...86400)
    let limit = try configuration.integer(
      "MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND", default: jobsPerPass, in: Int.min...Int.max)
    jobsPerPass = max(0, limit)
    func seconds(_ name: String, _ fallback: Seconds) throws(ConfigurationError) -> Seconds {
      try configuration.integer(name, default: fallback, in: 0...endOfTime)
    }
    besteffortKillAhead = try seconds(
      "SCHEDULER_BESTEFFORT_KILL_DURATION_BEFORE_RESERVATION", besteffortKillAhead)
    reservationPatience = try seconds(
      "RESERVATION_WAITING_RESOURCES_TIMEOUT", reservationPatience)
    holeMinimum = try seconds("SCHEDULER_GANTT_HOLE_MINIMUM_TIME", holeMinimum)
    reservationOrderThreshold = try seconds(
      "SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS_THRESHOLD", reservationOrderThreshold)
    alwaysAssignedTypes = configuration.names(
      "SCHEDULER_RESOURCES_ALWAYS_ASSIGNED_TYPE", default: alwaysAssignedTypes)
    suspendedTypes = configuration.names(
      "SCHEDULER_AVAILABLE_SUSPENDED_RESOURCE_TYPE", default: suspendedTypes)
    if let mode = configuration["QUOTAS_ALL_NB_RESOURCES_MODE"] {
      quotasCountDead = mode != "default_not_dead"
    }
  }
}

extension Configuration {
  /// The names that a variable lists, separated by blanks or commas.
  fileprivate func names(_ variable: String, default fallback: Set<String>) -> Set<String> {
    self[variable].map { text in
      Set(text.split { $0 == "," || $0.isWhitespace }.map(String.init))
    } ?? fallback
  }
}
