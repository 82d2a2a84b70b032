// Works out the priorities of jobs by a policy, and remembers what many jobs share.

import ClusterModel

/// The priorities of the jobs of one pass.
struct PriorityEvaluator {
  private let policy: JobOrderPolicy
  private let now: Instant
  private let platform: Platform
  /// The resources that the size of a job is compared with.
  private let clusterResources: Int
  /// The factors that have a weight, in a fixed order.
  private var factors: [(factor: Multifactor.Factor, weight: Double)] = []
  /// Karma by user and project.
  private var karmas: [String: [String: Double]] = [:]
  /// How many resources requests take; they are kept, so that their identities stay theirs.
  private var counts: [ObjectIdentifier: (request: ResolvedRequest, count: Int)] = [:]
  /// The size of the job before, since the jobs of an array are alike.
  private var lastSize: (moldables: [Moldable], properties: String, size: JobSize?)?

  init(_ policy: JobOrderPolicy, now: Instant, platform: Platform) {
    self.policy = policy
    self.now = now
    self.platform = platform
    clusterResources = platform.ordinaryCount
    if case .multifactor(let settings) = policy {
      factors = settings.weighted.map { ($0, settings.weight(of: $0)) }
    }
  }

  /// The sum of all parts.
  mutating func total(of job: WaitingJob) -> Double {
    switch policy {
    case .fifo: return 0
    case .fairShare(let fairShare): return -karma(of: job, by: fairShare)
    case .multifactor(let settings):
      var total = 0.0
      for (factor, weight) in factors {
        total += (value(of: factor, for: job, settings).bounded * weight).bounded
      }
      return total
    }
  }

  /// The priority with all its parts.
  mutating func priority(of job: WaitingJob) -> JobPriority {
    switch policy {
    case .fifo: return JobPriority(parts: [])
    case .fairShare(let fairShare):
      let parts = fairShare.parts(user: job.user, project: job.project)
      return JobPriority(parts: parts, karma: karma(of: job, by: fairShare))
    case .multifactor(let settings):
      var parts: [JobPriority.Part] = []
      for (factor, weight) in factors {
        let value = value(of: factor, for: job, settings)
        parts.append(.init(factor.rawValue, value: value, weight: weight))
      }
      let usesKarma = factors.contains { $0.factor == .karma }
      return JobPriority(
        parts: parts, karma: usesKarma ? karma(of: job, by: settings.fairShare) : nil)
    }
  }

  private mutating func value(
    of factor: Multifactor.Factor, for job: WaitingJob, _ settings: Multifactor
  ) -> Double {
    switch factor {
    case .age: settings.age(now.subtractingCapped(job.submissionTime))
    case .queue: settings.queueCoefficients[job.queue, default: 0].bounded
    case .work: settings.work(size(of: job))
    case .size: settings.size(size(of: job), of: clusterResources)
    case .karma: settings.karma(karma(of: job, by: settings.fairShare))
    case .qos: settings.qos[job.id, default: 0].fraction
    case .nice: settings.nice[job.id, default: 0].fraction
    }
  }

  private mutating func karma(of job: WaitingJob, by fairShare: FairShare) -> Double {
    if let karma = karmas[job.user]?[job.project] { return karma }
    let karma = fairShare.karma(user: job.user, project: job.project)
    karmas[job.user, default: [:]][job.project] = karma
    return karma
  }

  /// What the first moldable that fits the cluster takes; `nil` if none does.
  private mutating func size(of job: WaitingJob) -> JobSize? {
    if let lastSize, lastSize.properties == job.properties, lastSize.moldables == job.moldables {
      return lastSize.size
    }
    var size: JobSize?
    for moldable in job.moldables {
      let resolution = platform.resolve(
        moldable.groups, properties: job.properties, scope: .eventual)
      guard case .possible(let request) = resolution else { continue }
      size = JobSize(resources: resources(of: request), walltime: moldable.walltime)
      break
    }
    lastSize = (job.moldables, job.properties, size)
    return size
  }

  /// How many resources a request would take of the empty cluster (OAR's `R=`).
  private mutating func resources(of request: ResolvedRequest) -> Int {
    let id = ObjectIdentifier(request)
    if let known = counts[id] { return known.count }
    let count = request.pick(from: platform.notDead)?.count ?? request.need
    counts[id] = (request, count)
    return count
  }
}

/// How much a job asks for.
struct JobSize {
  var resources: Int
  var walltime: Seconds
}

extension Double {
  /// The number, or the nearest from 0 to 1; 0 for what is no number.
  var fraction: Double { Swift.min(Swift.max(bounded, 0), 1) }
}

extension Int {
  fileprivate func subtractingCapped(_ other: Int) -> Int {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other < 0 ? .max : .min) : difference
  }
}
