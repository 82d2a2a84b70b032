// The settings of a site that change plans.

import ClusterModel

/// The scheduler's variables of `oar.conf`, with OAR's defaults.
public struct PlanningSettings: Hashable, Sendable {
  /// Seconds kept free after each job (SCHEDULER_JOB_SECURITY_TIME).
  public var jobSecurityTime: Seconds = 60
  /// At most so many waiting jobs are planned in one pass, first come first
  /// (MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND); 0 for no limit.
  public var jobsPerPass = 1000
  /// How long a waiting besteffort job is assumed to run (OAR 2 assumes five minutes).
  public var besteffortDuration: Seconds = 300
  /// Seconds that a reservation waits for resources that are lost before it starts on the others
  /// (RESERVATION_WAITING_RESOURCES_TIMEOUT).
  public var reservationPatience: Seconds = 300

  /// Whether jobs are planned on hosts that sleep and can be woken.
  public var usesSleepingHosts = false
  /// Seconds that local time, in which the dates of job types are written, is ahead of UTC.
  public var utcOffset: Seconds = 0

  public init() {}
}
