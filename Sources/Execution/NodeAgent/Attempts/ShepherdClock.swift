// When a shepherd does what: a value without any clock of its own, in milliseconds.

import ClusterModel
import Wire

/// The deadlines of one attempt.
struct ShepherdClock {
  /// Seconds between SIGTERM and SIGKILL when the walltime is over.
  static let walltimeGrace: Seconds = 5
  /// Milliseconds between two rounds of SIGKILL while processes are left.
  static let killInterval = 1000

  enum Action: Equatable {
    /// Send the checkpoint signal.
    case checkpoint
    /// Ask everything to end.
    case terminate
    /// Kill everything.
    case kill
  }

  /// Why the attempt is being ended; `nil` while it may run.
  private(set) var cause: EndCause?

  /// Milliseconds at which the walltime ends and the checkpoint is due; `nil` for never.
  private var walltimeEnd: Int?
  private var checkpointAt: Int?
  private var killAt: Int?
  private var walltime: Seconds
  private let checkpoint: Seconds
  private var suspendedSince: Int?

  init(walltime: Seconds, checkpoint: Seconds, now: Int) {
    self.walltime = walltime
    self.checkpoint = checkpoint
    guard walltime > 0 else { return }
    walltimeEnd = now + walltime * 1000
    if checkpoint > 0, checkpoint < walltime { checkpointAt = now + (walltime - checkpoint) * 1000 }
  }

  /// The time that passes from now on does not count.
  mutating func suspend(now: Int) {
    if cause == nil, suspendedSince == nil { suspendedSince = now }
  }

  mutating func resume(now: Int) {
    guard let since = suspendedSince else { return }
    suspendedSince = nil
    walltimeEnd = walltimeEnd.map { $0 + now - since }
    checkpointAt = checkpointAt.map { $0 + now - since }
  }

  /// Gives another walltime, counted from the start as the first was. The checkpoint moves with the end; one
  /// that was sent is sent again if its time comes anew.
  mutating func change(walltime new: Seconds, now: Int) {
    guard let former = walltimeEnd, cause == nil, new > 0 else { return }
    let end = former + (new - walltime) * 1000
    walltimeEnd = end
    walltime = new
    let time = end - checkpoint * 1000
    // Time stands still for what is suspended.
    let present = suspendedSince ?? now
    if checkpoint > 0, checkpointAt != nil || time > present { checkpointAt = time }
  }

  /// Begins to end the attempt, or shortens the grace of an end that has begun.
  mutating func end(_ newCause: EndCause, grace: Seconds, now: Int) -> Action? {
    let limit = now + max(0, grace) * 1000
    killAt = min(killAt ?? limit, limit)
    guard cause == nil else { return nil }
    cause = newCause
    suspendedSince = nil
    walltimeEnd = nil
    checkpointAt = nil
    return .terminate
  }

  /// What has become due.
  mutating func due(now: Int) -> [Action] {
    var actions: [Action] = []
    if suspendedSince == nil {
      if let time = checkpointAt, time <= now {
        checkpointAt = nil
        actions.append(.checkpoint)
      }
      if let time = walltimeEnd, time <= now,
        let action = end(.walltime, grace: Self.walltimeGrace, now: now)
      {
        actions.append(action)
      }
    }
    if let time = killAt, time <= now {
      killAt = now + Self.killInterval
      actions.append(.kill)
    }
    return actions
  }

  /// The next moment at which ``due(now:)`` has something to say; `nil` for never.
  var nextDeadline: Int? {
    let counting = suspendedSince == nil ? [checkpointAt, walltimeEnd] : []
    return (counting + [killAt]).compactMap { $0 }.min()
  }

  /// Whether the time to end by itself is over.
  func isPastGrace(now: Int) -> Bool { killAt.map { $0 <= now } ?? false }
}
