// A queue: jobs of one priority and policy.

/// A queue (`queues`): its jobs are planned before those of queues with a lower priority.
public struct Queue: Hashable, Codable, Sendable {
  public var name: String
  /// Higher is planned first.
  public var priority: Int
  /// The scheduler that OAR calls for it; ours is `kamelot`.
  public var policy: String
  /// An inactive queue accepts jobs and starts none.
  public var isActive: Bool

  public init(name: String, priority: Int, policy: String = "kamelot", isActive: Bool = true) {
    self.name = name
    self.priority = priority
    self.policy = policy
    self.isActive = isActive
  }

  /// The queues of a new database.
  public static let standard = [
    Queue(name: "admin", priority: 10), Queue(name: "default", priority: 2),
    Queue(name: "besteffort", priority: 0),
  ]
}
