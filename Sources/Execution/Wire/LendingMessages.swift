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
