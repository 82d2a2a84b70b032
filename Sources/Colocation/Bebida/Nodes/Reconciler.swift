// The decision over one node: from what the batch system wants and what is seen, where the node goes next and
// what is to be done now. A pure function of its arguments; the same again does no harm.

/// What is to be done about a node. Doing it twice is the same as once.
public enum Move: Sendable, Hashable {
  /// Kubernetes shall show these marks of ours for this epoch, and no others of ours.
  case mark(Marks, epoch: Int64)
  /// The pod is asked to go, as its disruption budgets allow it.
  case evict(PodView, grace: Duration)
  /// The pod is told to go, whatever its budgets say.
  case delete(PodView, grace: Duration)
  /// The agent ends what is left of pods, keeps others away, and proves it.
  case close(epoch: Int64)
  /// The agent lets pods run.
  case open(epoch: Int64)
}

/// Decides for nodes, one by one.
public struct Reconciler: Sendable {
  public var policy: LendingPolicy
  /// What a pod is given when it is told to go at the end: less would take it from the API while its processes
  /// may live.
  static let shortestGrace = Duration.seconds(1)
  /// How long before the end of the grace pods that were asked are told.
  static let tellBefore = Duration.seconds(2)

  public init(policy: LendingPolicy) { self.policy = policy }

  /// Brings `record` to where the node is now, and says what is to be done. If the record was changed it must be
  /// durable before anything is done.
  public func decide(
    _ record: inout NodeRecord, demand: BatchDemand, kubernetes: KubernetesView, agent: AgentView,
    now: Duration
  ) -> [Move] {
    catchUp(&record, kubernetes: kubernetes, agent: agent, now: now)
    let owner = demand.owner(at: now, phase: record.phase, policy: policy)
    turn(&record, to: owner, demand: demand, now: now)
    advance(&record, demand: demand, kubernetes: kubernetes, agent: agent, now: now)
    return moves(for: record, kubernetes: kubernetes, agent: agent, now: now)
  }

  /// Whether a job that holds the node may start its first process.
  public func mayStart(_ record: NodeRecord, demand: BatchDemand, agent: AgentView) -> Bool {
    record.phase == .batch && !demand.holders.isEmpty && agent.epoch == record.epoch
      && agent.isProvenClean
  }

  // MARK: Directions

  /// Somebody has gone further than is remembered, or as far in the other direction, as after the records were
  /// restored from an older copy: goes beyond it, and takes nothing for done.
  private func catchUp(
    _ record: inout NodeRecord, kubernetes: KubernetesView, agent: AgentView, now: Duration
  ) {
    let seen = max(agent.epoch, kubernetes.isCurrent ? kubernetes.epoch : 0)
    let isToBatch = record.phase.isOnTheWayToBatch
    let isContrary =
      agent.isConnected && agent.epoch == record.epoch && agent.isOpen == isToBatch
    guard seen > record.epoch || isContrary else { return }
    record.epoch = seen
    let phase: Phase = record.phase == .fault ? .fault : isToBatch ? .fencing : .opening
    record.turn(to: phase, reason: record.reason, now: now)
  }

  private func turn(
    _ record: inout NodeRecord, to owner: Owner, demand: BatchDemand, now: Duration
  ) {
    switch (owner, record.phase) {
    case (.batch, .lent), (.batch, .opening), (.nobody, .lent), (.nobody, .opening):
      record.turn(to: .closing, reason: reason(of: demand, owner), now: now)
    case (.kubernetes, .closing), (.kubernetes, .draining), (.kubernetes, .fencing),
      (.kubernetes, .batch), (.kubernetes, .fault):
      record.turn(to: .opening, reason: "no job needs it", now: now)
    default: break
    }
  }

  private func reason(of demand: BatchDemand, _ owner: Owner) -> String {
    if let job = demand.holders.min() { return "job \(job) holds it" }
    if demand.order == .reclaim { return "reclaimed by hand" }
    return owner == .nobody ? "it is not lent" : "a job is planned on it"
  }

  // MARK: The next step in a direction

  private func advance(
    _ record: inout NodeRecord, demand: BatchDemand, kubernetes: KubernetesView, agent: AgentView,
    now: Duration
  ) {
    let waited = now - record.since
    switch record.phase {
    case .closing:
      let isMarked =
        kubernetes.isCurrent && kubernetes.epoch == record.epoch
        && kubernetes.marks.map { $0 >= .closed } == true
      let isPressing = demand.isPressing(at: now, policy: policy)
      if isPressing, isMarked || waited >= policy.kubernetesPatience {
        record.go(to: .draining, reason: record.reason, now: now)
      }
    case .draining:
      let isEmpty = kubernetes.isCurrent && kubernetes.pods.allSatisfy(\.mayStay)
      // Nobody ends pods while the API is away: the node ends them.
      let isUseless = !kubernetes.isCurrent && waited >= policy.kubernetesPatience
      if isEmpty || isUseless || waited >= policy.grace {
        record.go(to: .fencing, reason: record.reason, now: now)
      }
    case .fencing, .fault:
      if agent.isConnected, agent.epoch == record.epoch, agent.isProvenClean {
        record.go(
          to: .batch, reason: record.phase == .fault ? "it is clean again" : record.reason, now: now
        )
      } else if record.phase == .fencing, waited >= policy.patience {
        record.go(to: .fault, reason: fault(of: agent), now: now)
      }
    case .batch:
      // An agent that comes back from a reboot has to prove the node anew.
      if agent.isConnected, agent.epoch != record.epoch || !agent.isProvenClean {
        record.go(to: .fencing, reason: record.reason, now: now)
      }
    case .opening:
      let isMarked = kubernetes.isCurrent && kubernetes.marks == Marks.none
      if agent.isConnected, agent.epoch == record.epoch, agent.isOpen, isMarked {
        record.go(to: .lent, reason: record.reason, now: now)
      }
    case .lent: break
    }
  }

  private func fault(of agent: AgentView) -> String {
    if !agent.isConnected { return "its agent can't be reached" }
    return agent.problem.isEmpty
      ? "it did not prove in \(policy.patience) that it is clean" : agent.problem
  }

  // MARK: What is to be done

  private func moves(
    for record: NodeRecord, kubernetes: KubernetesView, agent: AgentView, now: Duration
  ) -> [Move] {
    switch record.phase {
    case .closing: return marks(.closed, record, kubernetes)
    case .draining: return marks(.closed, record, kubernetes) + goodbyes(record, kubernetes, now)
    case .fencing, .fault:
      return marks(.fenced, record, kubernetes) + goodbyes(record, kubernetes, now)
        + (isClosed(agent, record) ? [] : [.close(epoch: record.epoch)])
    case .batch: return marks(.fenced, record, kubernetes)
    case .opening:
      // The node first: Kubernetes must not place what the node would refuse.
      guard agent.isConnected, agent.epoch == record.epoch, agent.isOpen else {
        return [.open(epoch: record.epoch)]
      }
      return marks(.none, record, kubernetes)
    case .lent: return marks(.none, record, kubernetes)
    }
  }

  private func isClosed(_ agent: AgentView, _ record: NodeRecord) -> Bool {
    agent.isConnected && agent.epoch == record.epoch && agent.isProvenClean
  }

  private func marks(
    _ marks: Marks, _ record: NodeRecord, _ kubernetes: KubernetesView
  ) -> [Move] {
    let isDone =
      kubernetes.marks == marks && (marks == .none || kubernetes.epoch == record.epoch)
    return kubernetes.isCurrent && isDone ? [] : [.mark(marks, epoch: record.epoch)]
  }

  /// Pods are asked once they must go, and told when what is left of the grace is short.
  private func goodbyes(
    _ record: NodeRecord, _ kubernetes: KubernetesView, _ now: Duration
  ) -> [Move] {
    guard kubernetes.isCurrent else { return [] }
    let left = record.phase == .draining ? policy.grace - (now - record.since) : .zero
    return kubernetes.pods.filter { !$0.mayStay }.compactMap { pod in
      if left <= Self.tellBefore { return .delete(pod, grace: Self.shortestGrace) }
      return pod.isGoing ? nil : .evict(pod, grace: min(pod.grace, left))
    }
  }
}
