// What is remembered of a node. Its direction and epoch are written down before anything is done about them.

/// Where a node is, and where it is to go.
public struct NodeRecord: Sendable, Hashable {
  public var name: String
  public var phase: Phase
  /// Counts the changes of direction, from 1. Every word to the node and every mark in Kubernetes bears it:
  /// whoever comes late with a lower one is refused.
  public var epoch: Int64
  /// Why it is in this phase, in words for people.
  public var reason: String
  /// When it came into this phase, by the clock of the process: begun anew by another process.
  public var since: Duration

  public init(
    name: String, phase: Phase, epoch: Int64 = 1, reason: String = "", since: Duration
  ) {
    self.name = name
    self.phase = phase
    self.epoch = epoch
    self.reason = reason
    self.since = since
  }

  /// A node that is not remembered: anything may run on it, so it has to prove itself before a job starts.
  public static func unknown(_ name: String, now: Duration) -> NodeRecord {
    NodeRecord(name: name, phase: .closing, reason: "nothing is known of it yet", since: now)
  }

  /// The record as another process takes it up, which knows the direction and its epoch: how far the node has come
  /// is seen from itself.
  public func resumed(at now: Duration) -> NodeRecord {
    var record = self
    record.phase = phase.isOnTheWayToBatch ? .closing : .opening
    record.since = now
    return record
  }

  mutating func turn(to phase: Phase, reason: String, now: Duration) {
    epoch += 1
    go(to: phase, reason: reason, now: now)
  }

  mutating func go(to phase: Phase, reason: String, now: Duration) {
    self.phase = phase
    self.reason = reason
    since = now
  }
}
