// The lender: hears what the batch system wants and what is seen of nodes, decides for each host, and sees to it.
// Level-triggered: whatever was lost or came twice, the next look puts it right.

import Encoding
import KubernetesClient
import Wire

/// Lends the hosts of one batch system to one Kubernetes. An actor on the loop of whoever runs it.
public actor Lender {
  public nonisolated let loop: EventLoop
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let settings: LenderSettings
  let client: KubernetesClient
  let side: LenderSide
  let reconciler: Reconciler
  private let file: IntentFile

  var hosts: [String: LentHost] = [:]
  /// What Kubernetes has, by the names of nodes.
  var nodes: [String: Node] = [:]
  var pods: [String: [String: Pod]] = [:]
  /// The node of each host, and the host of each node.
  private(set) var nodeOfHost: [String: String] = [:]
  private(set) var hostOfNode: [String: String] = [:]
  /// Which of them are told up to now.
  var following = Following()
  public internal(set) var counts = LenderCounts()
  var countedUntil = Lender.now
  /// Since when pods run on lent hosts, by uid.
  var podsSince: [String: Duration] = [:]

  /// What is on the disk, of hosts that are known and of others.
  private var intents: [String: IntentFile.Intent] = [:]
  private var isWriting = false
  private var isReading = true
  private var isMatching = false
  /// Administrators whose words are not on the disk yet.
  private var awaitingDisk: [(names: [String], whenKept: @Sendable () -> Void)] = []
  private var tasks: [Task<Void, Never>] = []
  private var isStopped = false

  /// Seconds between two looks at hosts on their way, and at all hosts.
  private static let step = 0.05
  private static let round = 1.0

  /// - Throws: ``IntentFileError``.
  public init(
    _ settings: LenderSettings, client: KubernetesClient, loop: EventLoop, side: LenderSide
  ) throws {
    (self.settings, self.client, self.loop, self.side) = (settings, client, loop, side)
    reconciler = Reconciler(policy: settings.policy)
    file = try IntentFile(path: settings.intentPath)
  }

  /// The clock of all its decisions.
  public nonisolated static var now: Duration {
    .nanoseconds(Int64(EventLoop.monotonicNanoseconds))
  }

  // MARK: Start and stop

  /// Takes up what was intended, and follows Kubernetes from now on. What can't be read is set aside: then every
  /// node has to prove itself anew.
  public func start() async {
    do {
      for intent in try await file.read() { intents[intent.host] = intent }
    } catch {
      side.say("\(error); it is kept beside as .broken, and every node proves itself anew")
      await file.setAside()
    }
    isReading = false
    for name in hosts.keys { takeUp(name) }
    tasks = [Task { await followNodes() }, Task { await followPods() }]
    look()
    lookAtAll()
  }

  /// Hosts stay as they are.
  public func stop() {
    isStopped = true
    for task in tasks { task.cancel() }
  }

  private func look() {
    guard !isStopped else { return }
    for (name, host) in hosts where host.isOnItsWay { reconsider(name) }
    loop.after(Self.step) { self.assumeIsolated { $0.look() } }
  }

  private func lookOnce() {
    for name in hosts.keys { reconsider(name) }
  }

  private func lookAtAll() {
    guard !isStopped else { return }
    countTime()
    lookOnce()
    for name in hosts.keys { amendOrder(of: name) }
    loop.after(Self.round) { self.assumeIsolated { $0.lookAtAll() } }
  }

  // MARK: What the batch system says

  /// These hosts are the batch system's, and no others.
  public func setHosts(_ names: Set<String>) {
    for name in hosts.keys where !names.contains(name) { hosts[name] = nil }
    for name in names where hosts[name] == nil {
      hosts[name] = LentHost(.unknown(name, now: Self.now))
      if !isReading { takeUp(name) }
    }
    matchNodes()
  }

  private func takeUp(_ name: String) {
    guard let intent = intents[name] else { return }
    let wish = intent.wish.flatMap { BatchDemand.Order(rawValue: $0) }
    hosts[name]?.record = NodeRecord(
      name: name, phase: intent.isToBatch ? .closing : .opening, epoch: intent.epoch,
      reason: intent.reason, since: Self.now)
    hosts[name]?.writtenEpoch = intent.epoch
    hosts[name]?.demand.order = wish
    hosts[name]?.writtenWish = wish
  }

  /// A job is about to use hosts.
  public func hold(_ job: String, _ names: some Sequence<String>) {
    for name in names {
      if hosts[name]?.demand.holders.isEmpty == true {
        hosts[name]?.wantedSince = Self.now
        hosts[name]?.phaseSince = Self.now
      }
      hosts[name]?.demand.holders.insert(job)
      reconsider(name)
    }
  }

  /// A job has left its hosts.
  public func letGo(_ job: String, _ names: some Sequence<String>) {
    for name in names where hosts[name]?.demand.holders.remove(job) != nil { reconsider(name) }
  }

  /// When the next job is planned to begin on each host; none on others.
  public func plan(_ starts: [String: Duration]) {
    for name in hosts.keys where hosts[name]?.demand.nextStart != starts[name] {
      hosts[name]?.demand.nextStart = starts[name]
      reconsider(name)
    }
  }

  /// Which hosts may be lent at all: the others are alive no more, or an administrator's.
  public func setLendable(_ names: Set<String>) {
    for (name, host) in hosts where host.demand.isLendable != names.contains(name) {
      hosts[name]?.demand.isLendable.toggle()
      reconsider(name)
    }
  }

  /// Whether it knows what was intended before: until then no word about hosts can be kept.
  public var isReady: Bool { !isReading }

  /// An administrator's word about hosts; nil takes it back. It is kept until then.
  ///
  /// - Parameter whenKept: called once it is on the disk, on the loop.
  public func wish(
    _ wish: LendingWish?, _ names: [String], whenKept: @escaping @Sendable () -> Void
  ) {
    for name in names {
      hosts[name]?.demand.order = wish.flatMap { BatchDemand.Order(rawValue: $0.rawValue) }
      reconsider(name)
    }
    awaitingDisk.append((names, whenKept))
    tellKept()
  }

  /// Tells those whose words are on the disk.
  private func tellKept() {
    let waiting = awaitingDisk
    awaitingDisk = []
    for (names, whenKept) in waiting {
      if names.allSatisfy({ hosts[$0]?.isWritten ?? true }) {
        whenKept()
      } else {
        awaitingDisk.append((names, whenKept))
      }
    }
  }

  // MARK: What hosts say

  public func hear(_ report: LendingReport, from name: String) {
    countIntruders(report, on: name)
    hosts[name]?.agent = AgentView(
      isConnected: true, epoch: report.epoch, isProvenClean: report.isProvenClean,
      isOpen: report.isOpen, problem: report.problem)
    reconsider(name)
  }

  /// The agent of a host is connected, or no more. It says how it stands after that, if it was ever told anything.
  public func connected(_ isConnected: Bool, _ name: String) {
    hosts[name]?.agent = AgentView(isConnected: isConnected)
    hosts[name]?.order = nil
    reconsider(name)
  }

  // MARK: Answers

  /// Whether jobs that hold a host may begin.
  public func mayStart(on name: String) -> Bool {
    guard let host = hosts[name] else { return true }
    return host.isWritten
      && reconciler.mayStart(host.record, demand: host.demand, agent: host.agent)
  }

  /// Why a host can't be had; nil if it can, or will.
  public func fault(of name: String) -> String? {
    guard let host = hosts[name], host.record.phase == .fault, host.isWritten else { return nil }
    return host.record.reason
  }

  /// Whether a host is where it should be: free of pods for jobs, or lent.
  public func isSound(_ name: String) -> Bool {
    guard let host = hosts[name], host.isWritten else { return false }
    return host.record.phase == .batch || host.record.phase == .lent
  }

  // MARK: Deciding

  /// Pairs hosts and nodes anew, once for all that is heard in a round.
  func matchNodesSoon() {
    guard !isMatching else { return }
    isMatching = true
    loop.afterThisRound {
      self.assumeIsolated {
        $0.isMatching = false
        $0.matchNodes()
        $0.lookOnce()
      }
    }
  }

  private func matchNodes() {
    let names = NodeNames(nodes.keys)
    nodeOfHost = [:]
    for host in hosts.keys { nodeOfHost[host] = settings.node(of: host, among: names) }
    // Two hosts that claim one node get none.
    let claims = Dictionary(grouping: nodeOfHost.keys) { nodeOfHost[$0] ?? "" }
    hostOfNode = claims.compactMapValues { $0.count == 1 ? $0[0] : nil }
    nodeOfHost = nodeOfHost.filter { hostOfNode[$0.value] == $0.key }
  }

  func view(of name: String) -> KubernetesView {
    guard let nodeName = nodeOfHost[name], let node = nodes[nodeName] else {
      // Nothing of it is in Kubernetes, as far as that is known.
      return KubernetesView(isCurrent: following.isCurrent, marks: Marks.none)
    }
    let pods = (pods[nodeName] ?? [:]).values.compactMap {
      PodView($0, allowing: settings.daemonSets)
    }
    var view = KubernetesView(of: node, pods: pods)
    view.isCurrent = following.isCurrent
    return view
  }

  /// Looks at a host, and does what is to be done.
  func reconsider(_ name: String) {
    guard !isReading, var host = hosts[name] else { return }
    let now = Self.now
    let moves = reconciler.decide(
      &host.record, demand: host.demand, kubernetes: view(of: name), agent: host.agent, now: now)
    hosts[name] = host
    if host.isWritten {
      for move in moves { perform(move, on: name, now: now) }
      publish(name, now: now)
    } else {
      write()
    }
    tell(name)
  }

  private func tell(_ name: String) {
    guard let host = hosts[name] else { return }
    let isClear = mayStart(on: name)
    let phase = host.record.phase
    guard host.toldClear != isClear || host.toldPhase != phase else { return }
    hosts[name]?.toldClear = isClear
    countPhase(of: name, before: host.toldPhase)
    if isClear { countDelay(of: name) }
    hosts[name]?.toldPhase = phase
    if host.toldPhase != phase { note(host.record, before: host.toldPhase, on: name) }
    side.changed(name)
  }

  // MARK: The disk

  /// Writes what changed, one write at a time.
  private func write() {
    guard !isWriting, !isStopped else { return }
    var changed: [String: (epoch: Int64, wish: BatchDemand.Order?)] = [:]
    for (name, host) in hosts where !host.isWritten {
      let record = host.record
      intents[name] = IntentFile.Intent(
        host: name, epoch: record.epoch, isToBatch: record.phase.isOnTheWayToBatch,
        reason: record.reason, wish: host.demand.order?.rawValue)
      changed[name] = (record.epoch, host.demand.order)
    }
    guard !changed.isEmpty else { return }
    isWriting = true
    let content = intents.values.sorted { $0.host < $1.host }
    Task {
      do {
        try await file.write(content)
        isWriting = false
        for (name, written) in changed {
          hosts[name]?.writtenEpoch = written.epoch
          hosts[name]?.writtenWish = written.wish
          reconsider(name)
        }
        tellKept()
      } catch {
        side.say("\(error); no node changes hands until it can be")
        loop.after(Self.round) {
          self.assumeIsolated {
            $0.isWriting = false
            $0.write()
          }
        }
      }
    }
  }
}

extension LentHost {
  /// Whether time alone may bring it further.
  fileprivate var isOnItsWay: Bool { record.phase != .lent && record.phase != .batch }
}
