// What is seen of a node: in Kubernetes, and by itself.

/// A pod on a node.
public struct PodView: Sendable, Hashable {
  public var namespace: String
  public var name: String
  /// What tells it from a later one of the same name.
  public var uid: String
  /// How long it asks for to end.
  public var grace: Duration
  /// It may stay: the site allows its DaemonSet on closed nodes.
  public var mayStay: Bool
  /// It was told to go.
  public var isGoing: Bool

  public init(
    namespace: String, name: String, uid: String, grace: Duration = .seconds(30),
    mayStay: Bool = false, isGoing: Bool = false
  ) {
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.grace = grace
    self.mayStay = mayStay
    self.isGoing = isGoing
  }
}

/// What Kubernetes shows of a node.
public struct KubernetesView: Sendable, Hashable {
  /// Whether this is what it shows now: its API answers, and what it tells is up to date.
  public var isCurrent: Bool
  /// Our marks, nil for something between two of them, and the epoch that they were set for.
  public var marks: Marks?
  public var epoch: Int64
  public var pods: [PodView]

  public init(
    isCurrent: Bool, marks: Marks? = Marks.none, epoch: Int64 = 0, pods: [PodView] = []
  ) {
    self.isCurrent = isCurrent
    self.marks = marks
    self.epoch = epoch
    self.pods = pods
  }
}

/// What the agent on a node told last, while it is connected.
public struct AgentView: Sendable, Hashable {
  public var isConnected: Bool
  /// The highest epoch that it was told, which it keeps over a reboot.
  public var epoch: Int64
  /// It is closed at that epoch and has looked: no process of a pod is left, and none can begin.
  public var isProvenClean: Bool
  /// It lets pods run.
  public var isOpen: Bool
  /// Why it could not do what it was told, in words for people; empty if it could.
  public var problem: String

  public init(
    isConnected: Bool, epoch: Int64 = 0, isProvenClean: Bool = false, isOpen: Bool = false,
    problem: String = ""
  ) {
    self.isConnected = isConnected
    self.epoch = epoch
    self.isProvenClean = isProvenClean
    self.isOpen = isOpen
    self.problem = problem
  }
}
