// What a pass says about the sleep of hosts.

/// What is to be done to save energy, as data.
public struct EnergyPlan: Hashable, Sendable {
  /// A host and why it is chosen.
  public struct Move: Hashable, Sendable {
    public var host: String
    /// A sentence for the log.
    public var reason: String

    public init(host: String, reason: String) {
      self.host = host
      self.reason = reason
    }
  }

  public var wake: [Move] = []
  public var halt: [Move] = []
  /// What is wrong with the settings; while there is anything, no host is put to sleep.
  public var problems: [String] = []

  public init() {}
}
