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

  public init() {}
}
