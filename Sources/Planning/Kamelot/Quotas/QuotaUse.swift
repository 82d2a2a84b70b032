// What quotas count: resources, jobs, and resources × duration.

import ClusterModel

/// How much the jobs that run together use.
struct QuotaUse: Hashable, Sendable {
  var resources = 0
  var jobs = 0
  /// Resources × duration, in seconds.
  var work = 0

  /// Sums stop here: more than any limit, and far from overflow.
  static let ceiling = 1 << 60
  static let none = QuotaUse()
  static let unlimited = QuotaUse(resources: .max, jobs: .max, work: .max)

  /// Of one job.
  init(resources: Int, duration: Seconds) {
    // No machine has more resources, and OAR's time ends before; work is then below 2^54.
    self.resources = min(max(0, resources), 1 << 21)
    jobs = 1
    work = self.resources * min(max(0, duration), 1 << 33)
  }

  init(resources: Int = 0, jobs: Int = 0, work: Int = 0) {
    self.resources = resources
    self.jobs = jobs
    self.work = work
  }

  /// Whether any of the three is more than it may be.
  func exceeds(_ room: QuotaUse) -> Bool {
    resources > room.resources || jobs > room.jobs || work > room.work
  }

  static func + (one: QuotaUse, other: QuotaUse) -> QuotaUse {
    QuotaUse(
      resources: min(one.resources + other.resources, ceiling), jobs: one.jobs + other.jobs,
      work: min(one.work + other.work, ceiling))
  }

  static func greatest(_ one: QuotaUse, _ other: QuotaUse) -> QuotaUse {
    QuotaUse(
      resources: max(one.resources, other.resources), jobs: max(one.jobs, other.jobs),
      work: max(one.work, other.work))
  }

  static func least(_ one: QuotaUse, _ other: QuotaUse) -> QuotaUse {
    QuotaUse(
      resources: min(one.resources, other.resources), jobs: min(one.jobs, other.jobs),
      work: min(one.work, other.work))
  }
}
