// One node in a world of its own: a Kubernetes, an agent with a disk, pods with processes, and a batch system, all
// of which may stop, forget and come late. The reconciler sees of it what it would see of a real one.

import Bebida

/// Chance that is the same for the same seed.
struct Chance {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}

/// A pod, and its process on the node if there is one.
struct WorldPod {
  var view: PodView
  var ignoresTermination: Bool
  var isRunning = false
  /// When its process ends, once it was told to go.
  var end: Duration?
}

struct World {
  var now = Duration.zero
  var chance: Chance
  let reconciler: Reconciler

  /// What is on the server's disk, and what its process knows; nil between its end and its start.
  var disk: NodeRecord
  var memory: NodeRecord?
  var demand = BatchDemand()
  /// Whether the job that holds the node has begun.
  var isJobRunning = false

  var isAPIUp = true
  var marks = Marks.none
  var markEpoch: Int64 = 0
  var pods: [WorldPod] = []
  var podsMade = 0

  var isAgentUp = true
  /// On the node's disk.
  var agentEpoch: Int64 = 0
  var isNodeOpen = true
  /// Lost in a reboot: the node has to look again.
  var isProven = false

  /// Moves that were decided and are still under way, as of a process that ended since.
  var late: [Move] = []

  init(seed: UInt64, policy: LendingPolicy) {
    chance = Chance(seed: seed)
    reconciler = Reconciler(policy: policy)
    disk = NodeRecord.unknown("node1", now: .zero)
    memory = disk
  }

  // MARK: What the reconciler sees

  var kubernetes: KubernetesView {
    KubernetesView(
      isCurrent: isAPIUp, marks: marks, epoch: markEpoch, pods: isAPIUp ? pods.map(\.view) : [])
  }

  var agent: AgentView {
    guard isAgentUp else { return AgentView(isConnected: false) }
    return AgentView(
      isConnected: true, epoch: agentEpoch, isProvenClean: isProven, isOpen: isNodeOpen)
  }

  // MARK: What the server does

  /// One decision. What it says is done now, or some of it later or never.
  mutating func decide(losing: Bool = false) {
    guard var record = memory else { return }
    let moves = reconciler.decide(
      &record, demand: demand, kubernetes: kubernetes, agent: agent, now: now)
    disk = record
    memory = record
    for move in moves {
      if losing, chance.below(4) == 0 { late.append(move) } else { perform(move) }
    }
    start()
  }

  /// The batch system asks whether its job may start.
  mutating func start() {
    guard let memory, !demand.holders.isEmpty else { return }
    if reconciler.mayStart(memory, demand: demand, agent: agent) { isJobRunning = true }
  }

  mutating func perform(_ move: Move) {
    switch move {
    case .mark(let wanted, let epoch):
      guard isAPIUp, epoch >= markEpoch else { return }
      (marks, markEpoch) = (wanted, epoch)
      if wanted == .fenced { for pod in pods { tell(pod.view, .seconds(30)) } }
    case .evict(let pod, let grace): if isAPIUp, chance.below(5) > 0 { tell(pod, grace) }
    case .delete(let pod, let grace): if isAPIUp { tell(pod, grace) }
    case .close(let epoch):
      guard isAgentUp, epoch >= agentEpoch, !(epoch == agentEpoch && isNodeOpen && epoch > 0) else {
        return
      }
      (agentEpoch, isNodeOpen, isProven) = (epoch, false, true)
      for index in pods.indices { pods[index].isRunning = pods[index].view.mayStay }
    case .open(let epoch):
      guard isAgentUp, epoch >= agentEpoch, !(epoch == agentEpoch && !isNodeOpen) else { return }
      (agentEpoch, isNodeOpen, isProven) = (epoch, true, false)
    }
  }

  private mutating func tell(_ pod: PodView, _ grace: Duration) {
    guard let index = pods.firstIndex(where: { $0.view.uid == pod.uid }) else { return }
    pods[index].view.isGoing = true
    let end = now + (pods[index].ignoresTermination ? grace : min(grace, .milliseconds(300)))
    pods[index].end = min(pods[index].end ?? end, end)
  }

  // MARK: What happens by itself

  /// Time goes by in small steps.
  mutating func pass(_ duration: Duration, deciding: Bool = false) {
    let step = Duration.milliseconds(50)
    let end = now + duration
    while now < end {
      now += step
      for index in pods.indices where isNodeOpen {
        // kubelet is what ends and starts processes; it knows what the API told it last.
        if let end = pods[index].end, end <= now { pods[index].isRunning = false }
        let isWanted = pods[index].end == nil && isAPIUp && marks < .fenced
        if isWanted { pods[index].isRunning = true }
      }
      pods.removeAll { isAPIUp && !$0.isRunning && $0.end.map { $0 <= now } == true }
      if deciding { decide() }
    }
  }

  /// A pod is put on the node, by the scheduler or past it.
  mutating func place(pastScheduler: Bool) {
    guard isAPIUp, pastScheduler || marks == .none, pods.count < 6 else { return }
    podsMade += 1
    let view = PodView(
      namespace: "default", name: "pod\(podsMade)", uid: "\(podsMade)",
      grace: .seconds(chance.below(40)))
    pods.append(WorldPod(view: view, ignoresTermination: chance.below(3) == 0))
  }

  mutating func reboot() {
    for index in pods.indices { pods[index].isRunning = false }
    isProven = false
  }

  /// Whether a process of a pod runs that may not stay.
  var isAnyPodRunning: Bool { pods.contains { $0.isRunning && !$0.view.mayStay } }
}
