// The priorities of the waiting jobs of a pass, worked out for one job when somebody asks.

import ClusterModel

/// Why the waiting jobs of a pass stand in the order in which they do.
public struct JobPriorities: Sendable {
  private let policy: JobOrderPolicy
  private let now: Instant
  private let platform: Platform
  private let jobs: [WaitingJob]

  /// `nil` if jobs are taken as they came: then nobody has a priority.
  public init?(_ snapshot: Snapshot) {
    if snapshot.order.isFIFO { return nil }
    policy = snapshot.order
    now = snapshot.now
    platform = snapshot.platform
    jobs = snapshot.waiting
  }

  /// The priority of a job with its parts; `nil` if it does not wait.
  public subscript(id: JobID) -> JobPriority? {
    guard let job = jobs.first(where: { $0.id == id }) else { return nil }
    return policy.priorities(of: [job], now: now, platform: platform).first
  }
}
