// How a job stands with the quota that keeps it waiting: how much is used, by whom, and which rules of
// the calendar hold. Worked out on demand, for one job.

import ClusterModel

/// A job that has resources or is promised some, as quotas count it.
public struct QuotaUser: Hashable, Sendable {
  public var job: JobID
  public var account: QuotaAccount
  public var resources: Int
  public var start: Instant
  /// The first instant after it.
  public var end: Instant

  public init(
    job: JobID, account: QuotaAccount, resources: Int, start: Instant, end: Instant
  ) {
    self.job = job
    self.account = account
    self.resources = resources
    self.start = start
    self.end = end
  }
}

/// A limit and what is in use of it when a job would exceed it.
public struct QuotaStanding: Hashable, Sendable {
  /// The four fields of the rule as written, such as `*,*,*,/`; empty for the planning window.
  public var rule: String
  /// The name of the rules that it belongs to: `quotas`, or a name of the calendar.
  public var ruleSet: String
  /// From when and until before when these rules hold; `nil` if they do already, or without end.
  public var holdsFrom: Instant?
  public var holdsUntil: Instant?
  /// What is counted.
  public var counter: QuotaExcess.Limit
  /// How much the rule allows: resources, jobs, or resource·seconds.
  public var allowed: Int
  /// How much of that others use at ``at``.
  public var used: Int
  /// How much the job would add.
  public var wanted: Int
  /// When the limit would be exceeded first if the job started as soon as resources allow.
  public var at: Instant
  /// The earliest start that quotas allow, as they are used in the plan; `nil` if there is none.
  public var allowedFrom: Instant?
  /// The jobs that count against the rule at ``at``, nearest end first; at most
  /// ``Reasons/blockerLimit``.
  public var jobs: [JobID] = []
}

extension QuotaLedger {
  /// How a job stands with the limit that it would exceed.
  ///
  /// - Parameters:
  ///   - account: that of the job.
  ///   - users: all jobs before it that may count against the limit.
  public mutating func standing(
    _ excess: QuotaExcess, of account: QuotaAccount, among users: [QuotaUser]
  ) -> QuotaStanding {
    let start = max(now, excess.start)
    let end = start.addingCapped(max(1, excess.duration))
    let use = QuotaUse(resources: excess.resources, duration: excess.duration)
    var standing = QuotaStanding(
      rule: excess.rule, ruleSet: excess.ruleSet, counter: excess.limit, allowed: excess.allowed,
      used: 0, wanted: use.amount(excess.limit), at: start, allowedFrom: excess.retryAt)
    guard excess.limit != .window else {
      standing.wanted = excess.value
      return standing
    }
    let span = span(of: excess.ruleSet, from: start, to: end)
    if quotas.calendar.isTemporal {
      standing.holdsFrom = span.start > start ? span.start : nil
      standing.holdsUntil = span.end == .max ? nil : span.end
    }
    let counted = users.filter { isCounted($0.account, with: account, excess.ruleSet) }
    let (from, to) = (max(start, span.start), min(end, span.end))
    standing.at = from
    // It is exceeded first where it begins, or where another job does.
    let instants = [from] + counted.map(\.start).filter { from < $0 && $0 < to }.sorted()
    for instant in instants {
      let present = counted.filter { $0.start <= instant && instant < $0.end }
      let used = present.reduce(0) { $0.addingCapped($1.use.amount(excess.limit)) }
      if instant == from || used.addingCapped(standing.wanted) > standing.allowed {
        standing.at = instant
        standing.used = used
        standing.jobs = Array(
          present.sorted { ($0.end, $0.job) < ($1.end, $1.job) }.map(\.job)
            .prefix(Reasons.blockerLimit))
      }
      if used.addingCapped(standing.wanted) > standing.allowed { break }
    }
    return standing
  }

  /// The first span with some rules within a job's time; that time itself if there is none.
  private func span(
    of ruleSet: String, from start: Instant, to end: Instant
  ) -> (start: Instant, end: Instant) {
    var instant = start
    while instant < end {
      let (rules, until) = quotas.rules(at: instant)
      if quotas.ruleSets[rules].name == ruleSet { return (instant, until) }
      instant = until
    }
    return (start, end)
  }

  /// Whether what a job uses is counted where a set of rules limits the jobs of another account.
  private func isCounted(
    _ account: QuotaAccount, with limited: QuotaAccount, _ ruleSet: String
  ) -> Bool {
    guard let set = quotas.ruleSets.firstIndex(where: { $0.name == ruleSet }),
      let limit = regimes[accounts[limited.index].regime].limits[set]
    else { return false }
    return accounts[account.index].counters.contains(limit.counter)
  }
}

extension QuotaUser {
  /// What counts of it; of resource-hours its whole time.
  fileprivate var use: QuotaUse {
    let length = end.subtractingReportingOverflow(start)
    return QuotaUse(resources: resources, duration: length.overflow ? .max : length.partialValue)
  }
}

extension QuotaUse {
  /// The one of the three that a limit is about.
  fileprivate func amount(_ limit: QuotaExcess.Limit) -> Int {
    switch limit {
    case .resources: resources
    case .jobs: jobs
    case .resourceHours: work
    case .window: 0
    }
  }
}
