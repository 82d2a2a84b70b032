// Quotas for tests: from the text of a document, and a machine that is nothing but a number of resources.

import ClusterModel
import Encoding
import Kamelot

/// The quotas of a document, whose `ALL` is 100.
func quotas(
  _ text: String, allResources: Int = 100, clock: LocalClock = LocalClock(),
  windowLimit: Seconds = Quotas.standardWindowLimit
) throws -> Quotas {
  try Quotas(
    JSONReader.read(text), allResources: allResources, clock: clock, windowLimit: windowLimit)
}

/// Monday 4 January 2027, 00:00 UTC.
let monday: Instant = 1_799_020_800
let day: Seconds = 86_400
let hour: Seconds = 3600

/// Mondays to Wednesdays 16 resources for each user, or 20 for project A; then 24, and 15 for
/// project B.
let halfWeeks = """
  {
    "periodical": [["* mon-wed * *", "early", "first half"], ["* thu-sun * *", "late", "second half"]],
    "early": {"*,*,*,/": [16, -1, -1], "*,projA,*,*": [20, -1, -1]},
    "late": {"*,*,*,/": [24, -1, -1], "*,projB,*,*": [15, -1, -1]},
    "open": {"*,*,*,/": [32, -1, -1]}
  """

/// ``halfWeeks`` and a span from Monday noon to the end of Wednesday with other rules.
func halfWeeks(oneShot rules: String) -> String {
  halfWeeks + """
    , "oneshot": [["2027-01-04 12:00", "2027-01-07 00:00", "\(rules)", "an event"]],
    "strict": {"*,*,*,/": [8, 1, -1]}}
    """
}

/// 32 resources, of which jobs take any that are free: the earliest start at the end of another job
/// or where quotas let it, that is.
struct SmallMachine {
  let size = 32
  let now: Instant
  var ledger: QuotaLedger
  private var jobs: [(from: Instant, to: Instant, resources: Int)] = []

  init(_ quotas: Quotas, now: Instant = 0) {
    self.now = now
    ledger = QuotaLedger(quotas, now: now)
  }

  mutating func account(
    _ user: String, queue: String = "default", project: String = "", types: [String] = []
  ) -> QuotaAccount {
    ledger.account(queue: queue, project: project, types: types, user: user)
  }

  /// Gives a job its place without asking.
  mutating func hold(_ account: QuotaAccount, _ resources: Int, from: Instant, for time: Seconds) {
    jobs.append((from, from + time, resources))
    ledger.add(account, resources: resources, from: from, to: from + time)
  }

  /// The start of a job, which gets its place; `nil` if it never starts.
  mutating func start(
    _ account: QuotaAccount, _ resources: Int, for time: Seconds, notBefore: Instant = 0
  ) -> Instant? {
    var start = max(now, notBefore)
    while true {
      while let busy = jobs.filter({ isFull(from: $0, beside: resources, start, time) })
        .map(\.to).min()
      {
        start = busy
      }
      let verdict = ledger.earliestAllowed(
        account, resources: resources, duration: time, from: start)
      guard case .exceeded(let excess) = verdict else { break }
      guard let next = excess.retryAt else { return nil }
      start = next
    }
    hold(account, resources, from: start, for: time)
    return start
  }

  /// Whether too much is in use when a job of the machine starts or at `start`.
  private func isFull(
    from job: (from: Instant, to: Instant, resources: Int), beside resources: Int,
    _ start: Instant, _ time: Seconds
  ) -> Bool {
    let instant = max(job.from, start)
    guard instant < start + time, instant < job.to else { return false }
    let used = jobs.filter { $0.from <= instant && instant < $0.to }.map(\.resources).reduce(0, +)
    return used + resources > size
  }
}

extension QuotaVerdict {
  /// The excess; `nil` if allowed.
  var excess: QuotaExcess? {
    guard case .exceeded(let excess) = self else { return nil }
    return excess
  }
}
