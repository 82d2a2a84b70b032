// What the lender counts, from its start on.

public struct LenderCounts: Sendable, Hashable {
  /// Nodes that were given to Kubernetes, and that were proved clean for the batch system.
  public var lent = 0
  public var reclaimed = 0
  /// Nodes that could not be proved clean in time.
  public var faults = 0
  /// Pods that were asked to go, and told.
  public var evicted = 0
  public var deleted = 0
  /// Evictions that a disruption budget refused.
  public var refused = 0
  /// Requests to Kubernetes that failed, and interruptions of what it tells.
  public var failedCalls = 0
  public var interruptions = 0
  /// How often jobs took nodes, and seconds from the moment that one was wanted to its proof: sum, and the longest.
  public var delays = 0
  public var delay = 0.0
  public var longestDelay = 0.0
  /// How many of these took at most the seconds of ``bounds`` at the same place.
  public var quickDelays = [Int](repeating: 0, count: bounds.count)
  /// Seconds of these that nodes were in each phase.
  public var phaseDelay: [Phase: Double] = [:]
  /// Seconds of hosts that no job had and that could be lent, and seconds that they were lent; over all hosts.
  public var idle = 0.0
  public var harvested = 0.0
  /// Seconds that pods ran on lent hosts until they ended, and until a job took their host.
  public var podTime = 0.0
  public var lostPodTime = 0.0
  /// How often the agent of a host said, while a job had it, that it is not proved clean any more. There should be
  /// none.
  public var violations = 0
  /// Processes of pods that agents found and ended on hosts of jobs.
  public var intruders = 0

  /// Seconds.
  public static let bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

  public init() {}

  mutating func add(delay seconds: Double) {
    delays += 1
    delay += seconds
    longestDelay = max(longestDelay, seconds)
    for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
      quickDelays[index] += 1
    }
  }
}
