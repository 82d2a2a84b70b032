// A request to change the walltime of a running job, as it stands between two planning passes.

/// A request to change a walltime, and what was granted so far (a row of `walltime_change`).
public struct WalltimeChange: Hashable, Codable, Sendable {
  /// Seconds asked for and not granted yet; negative to end earlier.
  public var pending: Seconds = 0
  /// An increase is wanted at once and whole.
  public var force = false
  /// An increase is wanted even if planned jobs must wait for it.
  public var delayNextJobs = false
  /// Seconds granted so far, all requests together.
  public var granted: Seconds = 0
  /// Those of them that were forced.
  public var grantedWithForce: Seconds = 0
  /// Those of them that could delay other jobs.
  public var grantedWithDelayNextJobs: Seconds = 0

  public init(pending: Seconds = 0, force: Bool = false, delayNextJobs: Bool = false) {
    self.pending = pending
    self.force = force
    self.delayNextJobs = delayNextJobs
  }

  /// Nothing was asked for yet.
  public static let none = WalltimeChange()

  /// The request after its user asked again: what is pending changes, what was granted stays.
  public func asking(
    for pending: Seconds, force: Bool = false, delayNextJobs: Bool = false
  ) -> WalltimeChange {
    var change = self
    change.pending = pending
    change.force = force
    change.delayNextJobs = delayNextJobs
    return change
  }
}
