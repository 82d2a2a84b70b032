// A site for tests: a real API server, a real lender on a loop of its own, and hosts whose agents and kubelets stand
// for real ones. What runs on a host is known here, whatever anybody says: the witness of every promise.

import Dispatch
import Encoding
import Glibc
import KubernetesClient
import KubernetesFixture
import Synchronization
import Testing
import Wire

@testable import Bebida

/// One host: what its disk remembers, and which pods have processes on it.
struct StandInHost {
  var order: LendingOrder?
  var isOpen = true
  var running: Set<String> = []
  var isAgentUp = true
  /// The job that runs on it.
  var job: String?

  /// The pods on it that may not be there beside a job.
  var intruders: Set<String> { running.subtracting(order?.keeping.spared ?? []) }
}

/// Everything on one loop.
actor Site {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let name: String
  let client: KubernetesClient
  private let settings: LenderSettings
  private let access: ClusterAccess
  private(set) var lender: Lender?
  private(set) var hosts: [String: StandInHost] = [:]
  private var waiters: [(isOver: () -> Bool, then: CheckedContinuation<Void, Never>)] = []
  private var kubelet: Task<Void, Never>?
  /// Pods of which a process ran beside a job.
  private(set) var violations: [String] = []
  private(set) var said: [String] = []

  /// - Parameters:
  ///   - relay: the way of the lender to the API server, if it is one that can be cut.
  ///   - server: the API server; nil for that of the process.
  ///   - lender: who the lender is there; nil for somebody who may do everything.
  init(
    _ name: String, hosts count: Int, policy: LendingPolicy = LendingPolicy(grace: .seconds(3)),
    daemonSets: Set<String> = [], relay: Relay? = nil, server: ApiServer? = nil,
    lender: ClusterAccess? = nil
  ) async throws {
    // It runs before the rest of this initializer, which goes on there.
    let loop = EventLoop()
    self.loop = loop
    DispatchQueue(label: name).async { loop.run() }
    let api: ApiServer
    if let server { api = server } else { api = try await ApiServer.running() }
    self.name = name
    let authority = try api.file("ca.crt")
    client = try KubernetesClient(Self.access(api.url, authority))
    access = lender ?? Self.access(relay?.url ?? api.url, authority)
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var settings = LenderSettings(intentPath: "\(directory)/liburna-bebida-\(getpid())-\(name)")
    settings.policy = policy
    settings.daemonSets = daemonSets
    self.settings = settings
    unlink(settings.intentPath)
    for number in 1...count {
      let host = "\(name)-n\(number)"
      hosts[host] = StandInHost()
      try await client.create(
        Node.self, .fields(["metadata": .fields(["name": .string(host)])]))
    }
  }

  private static func access(_ url: String, _ authority: [UInt8]) -> ClusterAccess {
    ClusterAccess(
      server: url, authority: authority, token: Secret("admin-token"), source: "the test")
  }

  // MARK: The lender

  /// Starts a lender, as the server does: it knows hosts and jobs before it looks at anything.
  func startLender() async throws {
    let side = LenderSide(
      order: { order, host in self.assumeIsolated { $0.obey(order, on: host) } },
      changed: { _ in self.assumeIsolated { $0.look() } },
      say: { text in self.assumeIsolated { $0.said.append(text) } })
    let lender = try Lender(
      settings, client: try KubernetesClient(access, settings: LenderSettings.client), loop: loop,
      side: side)
    self.lender = lender
    await lender.setHosts(Set(hosts.keys))
    for (name, host) in hosts {
      if let job = host.job { await lender.hold(job, [name]) }
      await greet(name)
    }
    await lender.start()
    if kubelet == nil { kubelet = Task { await runKubelets() } }
  }

  /// As kill -9 of the server: what it had under way may still come through.
  func killLender() async {
    await lender?.stop()
    lender = nil
  }

  /// As a disk does it.
  func breakIntents() throws {
    let file = try #require(fopen(settings.intentPath, "we"))
    fputs("nonsense", file)
    fclose(file)
  }

  func stop() async {
    await killLender()
    kubelet?.cancel()
    unlink(settings.intentPath)
    unlink(settings.intentPath + ".broken")
    for host in hosts.keys { _ = try? await client.delete(Node.self, host) }
    loop.stop()
  }

  /// An administrator's word: returns once it is kept.
  func wish(_ wish: LendingWish?, _ host: String) async {
    await withCheckedContinuation { continuation in
      lender?.assumeIsolated { $0.wish(wish, [host]) { continuation.resume() } }
    }
  }

  // MARK: Agents

  private func greet(_ host: String) async {
    guard hosts[host]?.isAgentUp == true else { return }
    await lender?.connected(true, host)
    if let report = report(host) { await lender?.hear(report, from: host) }
  }

  private func report(_ name: String) -> LendingReport? {
    guard let host = hosts[name], let order = host.order else { return nil }
    return LendingReport(
      epoch: order.epoch, isOpen: host.isOpen, isProvenClean: !host.isOpen && host.intruders.isEmpty
    )
  }

  /// As the agent does it: no order of an earlier epoch is obeyed, and the answer comes a moment later.
  private func obey(_ order: LendingOrder, on name: String) {
    guard let host = hosts[name], host.isAgentUp else { return }
    let known = host.order?.epoch ?? 0
    if order.epoch > known || (order.epoch == known && order.opens == host.order?.opens) {
      hosts[name]?.order = order
      hosts[name]?.isOpen = order.opens
      if !order.opens { hosts[name]?.running.formIntersection(order.keeping.spared) }
    }
    loop.after(0.002) {
      self.assumeIsolated { site in
        guard let report = site.report(name) else { return }
        site.lender?.assumeIsolated { $0.hear(report, from: name) }
      }
    }
  }

  func setAgent(_ isUp: Bool, on host: String) async {
    hosts[host]?.isAgentUp = isUp
    await lender?.connected(isUp, host)
    if isUp { await greet(host) }
  }

  // MARK: Kubelets

  private func runKubelets() async {
    for await change in client.follow(Pod.self) {
      switch change {
      case .added(let pod), .changed(_, let pod): heed(pod)
      case .deleted(let pod): hosts[pod.nodeName]?.running.remove(pod.metadata.uid)
      default: break
      }
    }
  }

  private func heed(_ pod: Pod) {
    guard hosts[pod.nodeName] != nil else { return }
    if pod.isTerminating { return end(pod) }
    guard !pod.isAnyContainerRunning else { return }
    begin(pod)
  }

  /// A kubelet starts what is bound to its node, taints or not; a closed host lets nothing run.
  private func begin(_ pod: Pod) {
    guard hosts[pod.nodeName]?.isOpen == true else { return }
    hosts[pod.nodeName]?.running.insert(pod.metadata.uid)
    witness(pod.nodeName)
    let running = JSONValue.fields([
      "status": .fields([
        "phase": .string("Running"),
        "conditions": .array([.fields(["type": .string("Ready"), "status": .string("True")])]),
        "containerStatuses": .array([
          .fields([
            "name": .string("main"), "ready": .bool(true), "image": .string("none"),
            "imageID": .string(""), "restartCount": .number("0"),
            "state": .fields(["running": .fields([:])]),
          ])
        ]),
      ])
    ])
    Task {
      _ = try? await client.patch(
        Pod.self, pod.name, in: pod.metadata.namespace, .strategic(running), part: "status")
    }
  }

  /// A stubborn pod takes all of its grace.
  private func end(_ pod: Pod) {
    let grace = Double(pod.metadata.deletionGrace ?? 0)
    loop.after(pod.name.hasPrefix("stubborn") ? grace : min(0.03, grace)) {
      self.assumeIsolated { site in
        site.hosts[pod.nodeName]?.running.remove(pod.metadata.uid)
        let client = site.client
        Task {
          _ = try? await client.delete(
            Pod.self, pod.name, in: pod.metadata.namespace, grace: 0, ifUID: pod.metadata.uid)
        }
      }
    }
  }

  /// No pod beside a job, ever.
  private func witness(_ name: String) {
    guard let host = hosts[name], let job = host.job, !host.intruders.isEmpty else { return }
    violations.append("\(host.intruders.count) pods run beside \(job) on \(name)")
  }

  // MARK: Jobs

  /// Runs a job on hosts: returns once it began.
  ///
  /// - Returns: seconds until then.
  @discardableResult
  func begin(_ job: String, _ names: [String]) async -> Double {
    let began = Lender.now
    await lender?.hold(job, names)
    await wait {
      names.allSatisfy { name in
        self.lender?.assumeIsolated { $0.mayStart(on: name) } == true
      }
    }
    for name in names {
      hosts[name]?.job = job
      witness(name)
    }
    return seconds(since: began)
  }

  /// Ends a job.
  func end(_ job: String, _ names: [String]) async {
    for name in names {
      witness(name)
      hosts[name]?.job = nil
    }
    await lender?.letGo(job, names)
  }

  /// Seconds until hosts are lent.
  @discardableResult
  func lent(_ names: [String]) async -> Double {
    let began = Lender.now
    await wait {
      names.allSatisfy { name in
        self.lender?.assumeIsolated { $0.hosts[name]?.record.phase } == .lent
      }
    }
    return seconds(since: began)
  }

  private func seconds(since began: Duration) -> Double {
    let (seconds, atto) = (Lender.now - began).components
    return Double(seconds) + Double(atto) * 1e-18
  }

  /// Returns once a condition holds; looks whenever the lender says that something changed.
  func wait(_ isOver: @escaping () -> Bool) async {
    if isOver() { return }
    await withCheckedContinuation { waiters.append((isOver, $0)) }
  }

  private func look() {
    guard !waiters.isEmpty else { return }
    let over = waiters.indices.filter { waiters[$0].isOver() }
    for index in over.reversed() { waiters.remove(at: index).then.resume() }
  }

  // MARK: Pods and nodes

  /// Binds a pod to a node without asking the scheduler, as anybody may.
  ///
  /// - Parameters:
  ///   - daemonSet: the DaemonSet that it is of.
  ///   - finalizer: who keeps its object.
  func place(
    _ pod: String, on host: String, grace: Int = 30, of daemonSet: String? = nil,
    finalizer: String? = nil
  ) async throws {
    let owners = daemonSet.map { name in
      JSONValue.fields([
        "apiVersion": .string("apps/v1"), "kind": .string("DaemonSet"), "name": .string(name),
        "uid": .string("00000000-0000-0000-0000-000000000001"), "controller": .bool(true),
      ])
    }
    try await client.create(
      Pod.self,
      .fields([
        "metadata": .fields([
          "name": .string(pod), "labels": .fields(["app": .string(name)]),
          "ownerReferences": .array([owners].compactMap { $0 }),
          "finalizers": .array([finalizer].compactMap { $0.map { .string($0) } }),
        ]),
        "spec": .fields([
          "nodeName": .string(host), "terminationGracePeriodSeconds": .number("\(grace)"),
          "containers": .array([.fields(["name": .string("main"), "image": .string("none")])]),
        ]),
      ]))
  }

  /// A pod ends well, as its kubelet tells.
  func succeed(_ pod: String) async throws {
    _ = try await client.patch(
      Pod.self, pod, in: "default",
      .strategic(.fields(["status": .fields(["phase": .string("Succeeded")])])), part: "status")
  }

  func node(_ host: String) async throws -> Node { try await client.get(Node.self, host) }

  func isRunning(on host: String) -> Bool { hosts[host]?.running.isEmpty == false }
}
