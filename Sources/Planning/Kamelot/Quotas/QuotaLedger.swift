// Who uses how much of which quota, over the time that a planning pass plans.

import ClusterModel

/// A job's queue, project, types and user as the ledger knows them: two jobs with the same have the
/// same account.
public struct QuotaAccount: Hashable, Sendable {
  let index: Int
}

/// The quotas of one pass: jobs that have their place are added, others ask when they may start.
///
/// Besteffort jobs of OAR count for the besteffort queue alone: add them only when that is planned.
public struct QuotaLedger: Sendable {
  let quotas: Quotas
  let now: Instant
  var stretches: QuotaStretches
  var accounts: [QuotaAccountRecord] = []
  var regimes: [QuotaRegime] = []
  var counters: [StepCounter] = []
  private var accountOfNames: [AccountNames: Int] = [:]
  private var counterOfKey: [CounterKey: Int] = [:]
  private var regimeOfLimits: [[QuotaRegime.Limit?]: Int] = [:]
  /// Jobs often come in rows with the same names.
  private var last: (names: AccountNames, account: QuotaAccount)?

  public init(_ quotas: Quotas, now: Instant) {
    self.quotas = quotas
    self.now = now
    stretches = QuotaStretches(quotas.calendar, from: now)
  }

  /// The account of a job. Types are as written, such as `container=c1`.
  public mutating func account(
    queue: String, project: String, types: [String], user: String
  ) -> QuotaAccount {
    let names = AccountNames(queue: queue, project: project, types: types, user: user)
    if let last, last.names == names { return last.account }
    let index = accountOfNames[names] ?? accounts.count
    if index == accounts.count {
      accounts.append(record(names))
      accountOfNames[names] = index
    }
    let account = QuotaAccount(index: index)
    last = (names, account)
    return account
  }

  /// The account of a waiting job.
  public mutating func account(of job: WaitingJob) -> QuotaAccount {
    account(queue: job.queue, project: job.project, types: job.types, user: job.user)
  }

  /// The account of a job that has resources.
  public mutating func account(of job: HoldingJob) -> QuotaAccount {
    account(queue: job.queue, project: job.project, types: job.types, user: job.user)
  }

  /// Counts a job that has resources from `from` to before `to`, waiting or holding. Its start may be
  /// in the past: its whole duration counts for resource-hours.
  public mutating func add(
    _ account: QuotaAccount, resources: Int, from: Instant, to: Instant
  ) {
    guard from < to else { return }
    let length = to.subtractingReportingOverflow(from)
    let use = QuotaUse(
      resources: resources, duration: length.overflow ? .max : length.partialValue)
    for counter in accounts[account.index].counters {
      counters[counter].add(use, from: from, to: to)
    }
  }

  private mutating func record(_ names: AccountNames) -> QuotaAccountRecord {
    var limits: [QuotaRegime.Limit?] = Array(repeating: nil, count: quotas.ruleSets.count)
    var used: [Int] = []
    let types = quotas.relevant(names.types)
    let sets = QuotaTypes.isCounted(names.types) ? quotas.ruleSets : []
    for (index, set) in sets.enumerated() {
      let matches = set.matches(
        queue: names.queue, project: names.project, types: types, user: names.user)
      for match in matches where !set.rules[match].limits.isUnlimited {
        let counter = counter(for: CounterKey(set.rules[match], names))
        if !used.contains(counter) { used.append(counter) }
        if match == matches[0], QuotaTypes.isLimited(names.types) {
          let most = QuotaUse(set.rules[match].limits)
          limits[index] = QuotaRegime.Limit(rule: match, counter: counter, most: most)
        }
      }
    }
    return QuotaAccountRecord(counters: used, regime: regime(limits))
  }

  private mutating func regime(_ limits: [QuotaRegime.Limit?]) -> Int {
    if let index = regimeOfLimits[limits] { return index }
    regimeOfLimits[limits] = regimes.count
    regimes.append(QuotaRegime(limits: limits))
    return regimes.count - 1
  }

  private mutating func counter(for key: CounterKey) -> Int {
    if let index = counterOfKey[key] { return index }
    counterOfKey[key] = counters.count
    counters.append(StepCounter(from: now))
    return counters.count - 1
  }
}

/// What is worked out once for all jobs with the same names.
struct QuotaAccountRecord: Sendable {
  /// The counters that the jobs add to.
  var counters: [Int]
  /// What limits them: a place in the ledger's regimes.
  var regime: Int
}

private struct AccountNames: Hashable, Sendable {
  var queue: String
  var project: String
  var types: [String]
  var user: String
}

/// What is counted together: `nil` stands for all.
private struct CounterKey: Hashable, Sendable {
  var queue: String?
  var project: String?
  var type: String?
  var user: String?

  /// What a rule counts of a job that it fits.
  init(_ rule: QuotaRule, _ names: AccountNames) {
    if rule.fields[0] != .all { queue = names.queue }
    if rule.fields[1] != .all { project = names.project }
    if case .named(let name) = rule.fields[2] { type = name }
    if rule.fields[3] != .all { user = names.user }
  }
}

extension QuotaUse {
  /// What a rule allows.
  fileprivate init(_ limits: QuotaLimits) {
    self.init(
      resources: limits.resources ?? .max, jobs: limits.jobs ?? .max,
      work: limits.resourceSeconds ?? .max)
  }
}
