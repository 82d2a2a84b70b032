// In which order the waiting jobs of queues of equal priority are planned (JOB_PRIORITY).

import ClusterModel

/// How jobs of queues of equal priority are sorted.
public enum JobOrderPolicy: Sendable {
  /// First come, first served.
  case fifo
  /// Who used least of what is due to them comes first.
  case fairShare(FairShare)
  /// A weighted sum of several factors; the greatest comes first.
  case multifactor(Multifactor)
}

/// Waiting jobs in the order in which they are planned, by their index in the list they came from.
public struct RankedJobs: Hashable, Sendable {
  /// Best first.
  public var order: [Int] = []
  /// Jobs that this pass leaves out because their user has enough ahead of them, in submission
  /// order.
  public var beyondUserLimit: [Int] = []

  public init(order: [Int] = [], beyondUserLimit: [Int] = []) {
    self.order = order
    self.beyondUserLimit = beyondUserLimit
  }
}

extension JobOrderPolicy {
  /// Whether jobs are taken as they came: then none needs to be looked at.
  public var isFIFO: Bool { if case .fifo = self { true } else { false } }

  /// The priorities of `jobs`, in the order of `jobs`.
  ///
  /// - Parameters:
  ///   - now: the pass's clock; the age of a job counts up to it.
  ///   - platform: what the sizes of requests are measured on.
  public func priorities(
    of jobs: [WaitingJob], now: Instant, platform: Platform
  ) -> [JobPriority] {
    var evaluator = PriorityEvaluator(self, now: now, platform: platform)
    return jobs.map { evaluator.priority(of: $0) }
  }

  /// The indices of all `jobs`, which stand in the order of submission, best first.
  public func order(_ jobs: [WaitingJob], now: Instant, platform: Platform) -> [Int] {
    sorted(Array(jobs.indices), of: jobs, now: now, platform: platform)
  }

  /// The order of some of `jobs`, and those that the limit of jobs per user leaves out.
  ///
  /// - Parameter group: indices of the jobs of one group of queues, in the order of submission.
  public func rank(
    _ group: [Int], of jobs: [WaitingJob], now: Instant, platform: Platform
  ) -> RankedJobs {
    guard case .fairShare(let fairShare) = self, fairShare.settings.jobsPerUser > 0 else {
      return RankedJobs(order: sorted(group, of: jobs, now: now, platform: platform))
    }
    var counts: [String: Int] = [:]
    var within: [Int] = []
    var beyond: [Int] = []
    for index in group {
      let count = counts[jobs[index].user, default: 0]
      if count < fairShare.settings.jobsPerUser {
        counts[jobs[index].user] = count + 1
        within.append(index)
      } else {
        beyond.append(index)
      }
    }
    let order = sorted(within, of: jobs, now: now, platform: platform)
    return RankedJobs(order: order, beyondUserLimit: beyond)
  }

  /// Why a job that the limit of jobs per user leaves out does not start now.
  public var userLimitReason: Reason {
    guard case .fairShare(let fairShare) = self else {
      return Reason(.order, "Too many jobs of its user are ahead of it.")
    }
    return Reason(
      .order,
      "\(fairShare.settings.jobsPerUser) jobs of its user are ahead of it, as many as are planned "
        + "at a time (SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER).")
  }

  /// `group`, which is in the order of submission, best first. Jobs of the same priority keep it.
  private func sorted(
    _ group: [Int], of jobs: [WaitingJob], now: Instant, platform: Platform
  ) -> [Int] {
    if case .fifo = self { return group }
    var evaluator = PriorityEvaluator(self, now: now, platform: platform)
    var ranks: [(total: Double, place: Int)] = []
    ranks.reserveCapacity(group.count)
    for (place, index) in group.enumerated() {
      ranks.append((evaluator.total(of: jobs[index]), place))
    }
    ranks.sort { $0.total == $1.total ? $0.place < $1.place : $0.total > $1.total }
    return ranks.map { group[$0.place] }
  }
}
