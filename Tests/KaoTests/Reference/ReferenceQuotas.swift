// Quotas as plainly as can be, for the reference planner and the rules of plans: all jobs in a list, and
// at each instant they are counted anew. Of the site's quotas it knows the texts of the rules, their
// limits, and which set holds at an instant.

import ClusterModel
import Kamelot

/// A job that has resources for some time, as quotas see it.
struct ReferenceUse {
  var job: JobID
  var queue: String
  var project: String
  var user: String
  /// The names of its types, without their values.
  var types: [String]
  var resources: Int
  var start: Instant
  /// The first instant after it.
  var end: Instant

  init(_ job: WaitingJob, resources: Int, start: Instant, end: Instant) {
    self.job = job.id
    queue = job.queue
    project = job.project
    user = job.user
    types = job.types.map { String($0.prefix { $0 != "=" }) }
    self.resources = resources
    self.start = start
    self.end = end
  }

  init(_ job: HoldingJob, end: Instant) {
    self.job = job.id
    queue = job.queue
    project = job.project
    user = job.user
    types = job.types.map { String($0.prefix { $0 != "=" }) }
    resources = job.resources.count
    start = job.start
    self.end = end
  }

  /// Resources times its whole duration.
  var work: Int { resources * (end - start) }
  /// Containers are not: those inside are.
  var isCounted: Bool { !types.contains("container") }
  /// Jobs without quotas count, and may have what they want.
  var isLimited: Bool { isCounted && !types.contains("no_quotas") }
}

/// What is used of a site's quotas.
struct ReferenceQuotas {
  let quotas: Quotas
  let now: Instant
  private(set) var uses: [ReferenceUse] = []
  /// When rules change, as far as jobs are planned.
  private var changes: [Instant] = []

  init(_ quotas: Quotas, now: Instant) {
    self.quotas = quotas
    self.now = now
    guard quotas.calendar.isTemporal else { return }
    let longestJob = 10_000
    var next = quotas.rules(at: now).until
    while next <= now + quotas.windowLimit + longestJob {
      changes.append(next)
      next = quotas.rules(at: next).until
    }
  }

  mutating func add(_ use: ReferenceUse) {
    if use.isCounted { uses.append(use) }
  }

  /// What forbids a job its place; `nil` if nothing does.
  func breach(by use: ReferenceUse) -> String? {
    if use.types.contains("no_quotas") { return nil }
    if quotas.calendar.isTemporal, use.start > now + quotas.windowLimit {
      return "it is farther ahead than jobs are planned"
    }
    guard use.isLimited else { return nil }
    // Between these instants neither what is used nor the rules change.
    let instants = [use.start] + uses.map(\.start) + changes
    for instant in instants where use.start <= instant && instant < use.end {
      if let rule = rule(for: use, at: instant), isExceeded(rule, by: use, at: instant) {
        return "rule \(rule.text) is not kept at \(instant)"
      }
    }
    return nil
  }

  /// The instants when the answer may become another.
  var instants: [Instant] { uses.flatMap { [$0.start, $0.end] } + changes }

  private func isExceeded(_ rule: QuotaRule, by use: ReferenceUse, at instant: Instant) -> Bool {
    let others = uses.filter {
      $0.start <= instant && instant < $0.end && isCounted($0, with: use, by: rule)
    }
    let resources = others.reduce(use.resources) { $0 + $1.resources }
    let work = others.reduce(use.work) { $0 + $1.work }
    return resources > rule.limits.resources ?? .max || others.count + 1 > rule.limits.jobs ?? .max
      || work > rule.limits.resourceSeconds ?? .max
  }

  /// The one rule that limits a job at an instant: of those that fit it, the one whose queue is the most
  /// exact, then the project, the type and the user.
  private func rule(for use: ReferenceUse, at instant: Instant) -> QuotaRule? {
    let set = quotas.ruleSets[quotas.rules(at: instant).rules]
    let fitting = set.rules.filter { isCounted(use, with: use, by: $0) }
    return fitting.min { one, other in
      exactness(of: one, for: use).lexicographicallyPrecedes(exactness(of: other, for: use))
    }
  }

  /// Less is more exact.
  private func exactness(of rule: QuotaRule, for use: ReferenceUse) -> [Int] {
    let fields = fields(of: rule)
    func rank(_ field: String) -> Int { field == "*" ? 2 : field == "/" ? 1 : 0 }
    let type = fields[2] == "*" ? use.types.count : use.types.firstIndex(of: fields[2]) ?? .max
    return [rank(fields[0]), rank(fields[1]), type, rank(fields[3])]
  }

  /// Whether `other` is one of those whom `rule` counts together with `use`, which it fits.
  private func isCounted(_ other: ReferenceUse, with use: ReferenceUse, by rule: QuotaRule) -> Bool
  {
    func fits(_ field: String, _ own: String, _ others: String) -> Bool {
      field == "*" || (field == "/" ? own == others : field == others)
    }
    let fields = fields(of: rule)
    return fits(fields[0], use.queue, other.queue) && fits(fields[1], use.project, other.project)
      && (fields[2] == "*" || other.types.contains(fields[2]))
      && fits(fields[3], use.user, other.user)
  }

  private func fields(of rule: QuotaRule) -> [String] {
    rule.text.split(separator: ",").map(String.init)
  }
}
