// What the batch system says of a node: the one thing that decides who should have it.

/// What the batch system says of one node now. Times are those of the clock that the reconciler is given.
public struct BatchDemand: Sendable, Hashable {
  /// Jobs that hold any of its resources, from the decision to launch them until they have left it.
  public var holders: Set<String>
  /// When the next job is planned to begin on it; nil if none is.
  public var nextStart: Duration?
  /// Whether it is alive, and of those that are lent.
  public var isLendable: Bool
  /// An administrator's word, which goes before the plan: jobs go before it.
  public var order: Order?

  public enum Order: String, Sendable {
    /// Lend it whatever is planned.
    case lend
    /// Keep it for the batch system.
    case reclaim
    /// Leave it as it is; jobs still get it.
    case pause
  }

  public init(
    holders: Set<String> = [], nextStart: Duration? = nil, isLendable: Bool = true,
    order: Order? = nil
  ) {
    self.holders = holders
    self.nextStart = nextStart
    self.isLendable = isLendable
    self.order = order
  }
}

/// How a site lends its nodes.
public struct LendingPolicy: Sendable, Hashable {
  /// How long pods may take to end, at the most; what takes longer is ended.
  public var grace: Duration
  /// How long before a planned start pods are asked to go, beyond `grace`: the time of the rest of the way.
  public var margin: Duration
  /// How long before pods are asked to go nothing new is placed on the node.
  public var notice: Duration
  /// A node that the batch system has is not lent for less than this.
  public var shortestHole: Duration
  /// How long a node may take to prove that it is clean before it counts as faulty.
  public var patience: Duration
  /// How long Kubernetes may take to accept a mark before the node goes on without it.
  public var kubernetesPatience: Duration

  public init(
    grace: Duration = .seconds(5), margin: Duration = .seconds(2), notice: Duration = .seconds(30),
    shortestHole: Duration = .seconds(60), patience: Duration = .seconds(10),
    kubernetesPatience: Duration = .milliseconds(500)
  ) {
    self.grace = grace
    self.margin = margin
    self.notice = notice
    self.shortestHole = shortestHole
    self.patience = patience
    self.kubernetesPatience = kubernetesPatience
  }
}

extension BatchDemand {
  /// Who should have the node, which is in `phase` now.
  func owner(at now: Duration, phase: Phase, policy: LendingPolicy) -> Owner {
    if !holders.isEmpty { return .batch }
    switch order {
    case .reclaim: return .batch
    case .pause: return phase.isOnTheWayToBatch ? .batch : .kubernetes
    case .lend: return .kubernetes
    case nil: break
    }
    guard isLendable else { return .nobody }
    guard let nextStart else { return .kubernetes }
    let hole = nextStart - now
    // A lent node is closed before the job, one that is not yet lent is not lent for less than a hole is worth.
    let needed = policy.grace + policy.margin + policy.notice
    if phase == .lent || phase == .opening { return hole <= needed ? .batch : .kubernetes }
    return hole < needed + policy.shortestHole ? .batch : .kubernetes
  }

  /// Whether pods must go now: a job waits, or the next one comes so soon.
  func isPressing(at now: Duration, policy: LendingPolicy) -> Bool {
    if !holders.isEmpty || order == .reclaim || !isLendable { return true }
    guard let nextStart else { return false }
    return nextStart - now <= policy.grace + policy.margin
  }
}

extension Phase {
  /// Whether the node is the batch system's, or about to be.
  var isOnTheWayToBatch: Bool { self != .lent && self != .opening }
}
