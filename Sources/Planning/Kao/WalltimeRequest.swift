// Whether a user may ask for a change of a running job's walltime (`oarwalltime`).

import ClusterModel

/// Why a change of a walltime is refused.
public enum WalltimeRefusal: Hashable, Sendable {
  /// The site does not allow changes.
  case disabled
  /// The walltime is shorter than those that can change.
  case tooShort(minimum: Seconds)
  /// All changes together would add more than that.
  case increaseLimit(Seconds)
  case forceNotAllowed
  case delayNotAllowed
  /// Jobs inside a container could lose their place.
  case containerReduction

  /// What the user reads.
  public var text: String {
    switch self {
    case .disabled: "functionality is disabled"
    case .tooShort(let minimum):
      "only walltimes of \(minimum.hoursMinutesSeconds) or more can be changed."
    case .increaseLimit(let limit):
      "request cannot be updated because the walltime cannot increase by more than "
        + "\(limit.hoursMinutesSeconds)."
    case .forceNotAllowed: "walltime change for this job is not allowed to be forced."
    case .delayNotAllowed: "walltime change for this job is not allowed to delay other jobs."
    case .containerReduction: "reducing the walltime of a container job is not allowed"
    }
  }
}

extension WalltimePolicy {
  /// By how much the walltime of a job may grow, all changes together; `nil` for any length.
  ///
  /// - Parameter submitted: the walltime without what was granted.
  public func possibleIncrease(submitted: Seconds, queue: String, user: String) -> Seconds? {
    if Self.isOperator(user) { return nil }
    let limit = maxIncrease[queue].seconds(of: submitted)
    return limit < 0 ? nil : limit
  }

  /// Why `user` may not ask for `change` of `job`; `nil` if they may.
  ///
  /// - Parameters:
  ///   - change: the request as it would stand, with what was granted before.
  ///   - isContainer: whether other jobs run inside the job.
  public func refusal(
    of change: WalltimeChange, for job: RunningWalltime, by user: String, isContainer: Bool
  ) -> WalltimeRefusal? {
    guard isEnabled else { return .disabled }
    let submitted = job.walltime - change.granted
    if change.pending < 0, isContainer { return .containerReduction }
    if !Self.isOperator(user) {
      let minimum = minForChange[job.queue].seconds(of: submitted)
      if job.walltime < minimum { return .tooShort(minimum: minimum) }
    }
    if change.pending > 0,
      let limit = possibleIncrease(submitted: submitted, queue: job.queue, user: user),
      change.granted.addingReportingOverflow(change.pending).partialValue > limit
        || change.pending > endOfTime
    {
      return .increaseLimit(limit)
    }
    if change.force, !usersToForce[job.queue].contains(user) { return .forceNotAllowed }
    if change.delayNextJobs, !usersToDelayJobs[job.queue].contains(user) {
      return .delayNotAllowed
    }
    return nil
  }
}
