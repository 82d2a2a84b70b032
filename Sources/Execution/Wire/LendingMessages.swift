// What the agent of a host is told about Kubernetes' pods there, and what it says of them. Every word bears an
// epoch, which counts the changes of direction: whoever comes late with a lower one is refused.

/// How pods are found on a host and kept from running.
public struct PodKeeping: Codable, Hashable, Sendable {
  /// The cgroups below which all processes of pods are, such as `kubepods`; those that are not there count as
  /// empty.
  public var groups: [String]
  /// The uids of pods that may stay while the host is closed.
  public var spared: [String]
  /// The words of a program that stops the kubelet, and of one that starts it; empty where the kubelet stays and
  /// its node is fenced in Kubernetes.
  public var stop: [String]
  public var start: [String]
  /// Seconds that each of these may take.
  public var limit: Double

  public init(
    groups: [String], spared: [String] = [], stop: [String] = [], start: [String] = [],
    limit: Double = 10
  ) {
    self.groups = groups
    self.spared = spared
    self.stop = stop
    self.start = start
    self.limit = limit
  }
}

/// Lets pods run on a host, or ends them and keeps them away. Repeating it does no harm.
public struct LendingOrder: Codable, Hashable, Sendable {
  /// From 1.
  public var epoch: Int64
  public var opens: Bool
  public var keeping: PodKeeping

  public init(epoch: Int64, opens: Bool, keeping: PodKeeping) {
    self.epoch = epoch
    self.opens = opens
    self.keeping = keeping
  }
}

/// How a host stands between pods and jobs.
public struct LendingReport: Codable, Hashable, Sendable {
  /// The highest epoch that it was told; 0 for none. It is kept over a reboot.
  public var epoch: Int64
  /// Pods may run.
  public var isOpen: Bool
  /// It is closed and has looked since: no process of a pod is left, and none can begin.
  public var isProvenClean: Bool
  /// Why it could not do what it was told; empty if it could.
  public var problem: String
  /// Processes of pods that it has ended since the agent began.
  public var killed: Int

  public init(
    epoch: Int64 = 0, isOpen: Bool = true, isProvenClean: Bool = false, problem: String = "",
    killed: Int = 0
  ) {
    self.epoch = epoch
    self.isOpen = isOpen
    self.isProvenClean = isProvenClean
    self.problem = problem
    self.killed = killed
  }
}

// MARK: - Between commands and the server

/// An administrator's word about hosts, which goes before the plan; jobs go before it.
public enum LendingWish: String, Codable, Hashable, Sendable, CaseIterable {
  /// Lend them whatever is planned.
  case lend
  /// Keep them for jobs.
  case reclaim
  /// Leave them as they are; jobs still get them.
  case pause
}

/// What a command asks of the lender.
public enum LendingRequest: Codable, Sendable {
  /// How hosts stand; all for none named.
  case show([String])
  /// An administrator's word about hosts; `nil` takes it back.
  case wish(LendingWish?, [String])
  /// Whether the site can lend; answered by `lendingFindings`.
  case check
  /// A batch system's hook; answered by `done` when the job may begin, or refused with what is in its way.
  case hook(LendingHook)
}

/// One thing that lending depends on.
public struct LendingFinding: Codable, Hashable, Sendable {
  public enum Verdict: String, Codable, Sendable {
    case good, doubtful, bad
  }

  public var verdict: Verdict
  public var text: String

  public init(_ verdict: Verdict, _ text: String) {
    self.verdict = verdict
    self.text = text
  }
}

/// What a batch system says of a job by a program that it runs before it, or after it.
public struct LendingHook: Codable, Sendable {
  public enum Moment: String, Codable, Sendable {
    /// The job is about to begin; answered when it may.
    case before
    /// The job has ended.
    case after
    /// The job's launch was ended because nobody could say whether it may begin.
    case abandoned
  }

  public var moment: Moment
  public var job: String
  /// The job's hosts, as the batch system writes lists of them; empty if it does not name them.
  public var hosts: String
  /// Seconds after which an answer comes too late.
  public var limit: Double

  public init(moment: Moment, job: String, hosts: String, limit: Double) {
    self.moment = moment
    self.job = job
    self.hosts = hosts
    self.limit = limit
  }
}

/// How lending stands.
public struct LendingStatus: Codable, Sendable {
  /// The API server's address.
  public var server: String
  /// Whether it tells how nodes and pods are.
  public var isFollowed: Bool
  public var hosts: [LentHostStatus]
  /// Of the whole site since the server began, by name and in seconds where the name ends so.
  public var counts: [String: Double]

  public init(
    server: String, isFollowed: Bool, hosts: [LentHostStatus], counts: [String: Double]
  ) {
    self.server = server
    self.isFollowed = isFollowed
    self.hosts = hosts
    self.counts = counts
  }
}

/// How one host stands between Kubernetes and jobs.
public struct LentHostStatus: Codable, Sendable {
  public var host: String
  /// Its name in Kubernetes; `nil` if there is no such node.
  public var node: String?
  /// `KUBE`, `CLOSING`, `DRAINING`, `FENCING`, `HPC`, `OPENING` or `FAULT`.
  public var phase: String
  public var reason: String
  public var epoch: Int64
  /// Seconds for which it has been in this phase.
  public var age: Double
  /// Jobs that hold it.
  public var jobs: [String]
  /// Seconds until the next job is planned to begin on it; `nil` if none is.
  public var nextStart: Double?
  public var wish: LendingWish?
  /// How the host itself stands; `nil` while its agent can't be reached.
  public var agent: LendingReport?
  /// Its pods that can't stay beside a job, as `namespace/name`, each with what keeps it there, if that is known.
  public var pods: [String: String]

  public init(
    host: String, node: String?, phase: String, reason: String, epoch: Int64, age: Double,
    jobs: [String], nextStart: Double?, wish: LendingWish?, agent: LendingReport?,
    pods: [String: String]
  ) {
    self.host = host
    self.node = node
    self.phase = phase
    self.reason = reason
    self.epoch = epoch
    self.age = age
    self.jobs = jobs
    self.nextStart = nextStart
    self.wish = wish
    self.agent = agent
    self.pods = pods
  }
}
