// What limits a job whatever the time is, and what is known about it.

import ClusterModel

/// The limits that some accounts share.
struct QuotaRegime: Sendable {
  struct Limit: Hashable, Sendable {
    /// The place of the rule in its set.
    var rule: Int
    /// Where the use that it limits is counted.
    var counter: Int
    var most: QuotaUse
  }

  /// The limit in each set of rules; `nil` for none.
  let limits: [Limit?]
  /// The first start that is allowed to a job of a size. Use only grows in a pass: no job that is as
  /// great or greater can start before. So all jobs of about one size together go once through what
  /// is planned, instead of each of them.
  var frontiers: [QuotaSize: Instant] = [:]

  init(limits: [Limit?]) { self.limits = limits }
}

/// How much a job asks for, and for how long.
struct QuotaSize: Hashable, Sendable {
  var resources: Int
  var duration: Seconds

  /// The size with three significant binary digits: at most a quarter of each number falls away.
  var rounded: QuotaSize {
    QuotaSize(resources: resources.roughly, duration: duration.roughly)
  }
}

extension Int {
  fileprivate var roughly: Int {
    let digits = Int.bitWidth - leadingZeroBitCount
    return digits <= 3 ? self : self & -(1 << (digits - 3))
  }
}
