// What `oarwalltime` and the server say to each other.

import ClusterModel

/// A change of a walltime that a user asks for.
public struct WalltimeOrder: Codable, Hashable, Sendable {
  public enum Amount: Codable, Hashable, Sendable {
    /// The walltime from the start of the job on.
    case total(Seconds)
    /// So much more, or less if negative; 0 takes back what is pending.
    case difference(Seconds)
  }

  public var amount: Amount
  /// At once and whole, whatever the site's steps are.
  public var force: Bool
  /// Even if planned jobs must wait for it.
  public var delayNextJobs: Bool

  public init(_ amount: Amount, force: Bool = false, delayNextJobs: Bool = false) {
    self.amount = amount
    self.force = force
    self.delayNextJobs = delayNextJobs
  }
}

/// How changes of the walltime of a job stand.
public struct WalltimeStatus: Codable, Sendable {
  public var job: JobID
  public var state: JobState
  /// With what was granted.
  public var walltime: Seconds
  public var change: WalltimeChange
  /// By how much it may grow, all changes together; `nil` for any length.
  public var possibleIncrease: Seconds?

  public init(
    job: JobID, state: JobState, walltime: Seconds, change: WalltimeChange,
    possibleIncrease: Seconds?
  ) {
    self.job = job
    self.state = state
    self.walltime = walltime
    self.change = change
    self.possibleIncrease = possibleIncrease
  }
}
