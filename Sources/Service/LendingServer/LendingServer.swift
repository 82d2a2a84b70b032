// The server that lends the nodes of a batch system which knows nothing of it: looks at the batch system, answers its
// hooks, and tells the lender. What hooks say comes sooner; what a look shows is what counts.

import Bebida
import ClusterModel
import Glibc
import NodeConnections
import Wire

actor LendingServer {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let settings: LendingServerSettings
  let side: any BatchSide
  let log: @Sendable (String) -> Void
  private(set) var lender: Lender?
  private var connections: NodeConnections?
  let clients: LendingClients

  private var picture = BatchPicture()
  /// The hosts that each job holds, as the lender was told.
  private var held: [String: Set<String>] = [:]
  /// Jobs that a hook told of, with the number of the first look that knows of them.
  private var hooked: [String: (hosts: Set<String>, look: Int)] = [:]
  private var looks = 0
  private var isLooking = false
  private var isLookWanted = false
  private var toldTrouble = ""
  /// Hooks that wait for their hosts.
  private var waiting: [WaitingHook] = []
  /// Hosts that we took out of the batch system's hands.
  private var excluded: Set<String> = []

  private struct WaitingHook {
    let job: String
    let hosts: Set<String>
    let answer: LendingAnswer
    let deadline: UInt64
  }

  init(
    _ settings: LendingServerSettings, side: any BatchSide, loop: EventLoop,
    log: @escaping @Sendable (String) -> Void
  ) throws {
    (self.settings, self.side, self.loop, self.log) = (settings, side, loop, log)
    clients = try LendingClients(path: settings.socketPath, loop: loop)
  }

  /// Serves from now on.
  func start() async throws {
    let side = LenderSide(
      order: { order, host in
        self.assumeIsolated { _ = $0.connections?.send(.lend(order), to: host) }
      },
      changed: { host in self.assumeIsolated { $0.changed(host) } }, say: log)
    let lender = try Lender(
      settings.lending.lender, client: try settings.lending.client(), loop: loop, side: side)
    self.lender = lender
    connections = NodeConnections(
      loop: loop, template: settings.nodeCommand, settings: ConnectionSettings()
    ) { host, news in self.hear(news, from: host) }
    clients.start { request, asker, answer in
      self.assumeIsolated { $0.serve(request, asker, answer) }
    }
    // Nothing is lent before it is known who has what.
    while await !look() { try await Task.sleep(for: .seconds(settings.pause)) }
    await lender.start()
    log("ready: \(picture.hosts.count) hosts, \(picture.jobs.count) jobs")
    tick()
  }

  private func tick() {
    expireHooks()
    lookSoon()
    loop.after(settings.pause) { self.assumeIsolated { $0.tick() } }
  }

  // MARK: Agents

  private func hear(_ news: HostNews, from host: String) {
    switch news {
    case .connected: lender?.assumeIsolated { $0.connected(true, host) }
    case .disconnected(let reason):
      lender?.assumeIsolated { $0.connected(false, host) }
      log("\(host) is not reached: \(reason)")
    case .report(.lending(let report)): lender?.assumeIsolated { $0.hear(report, from: host) }
    case .report(.remark(let text)): log("\(host): \(text)")
    case .report, .channelData: break
    }
  }

  // MARK: Looking

  private func lookSoon() {
    guard !isLooking else {
      isLookWanted = true
      return
    }
    Task { await look() }
  }

  /// - Returns: whether the batch system answered.
  @discardableResult
  private func look() async -> Bool {
    isLooking = true
    looks += 1
    let number = looks
    do {
      let seen = try await side.look()
      if !toldTrouble.isEmpty { log("the batch system answers again") }
      toldTrouble = ""
      take(seen, number)
    } catch {
      let trouble = "\(error)"
      if trouble != toldTrouble {
        log("the batch system does not answer: \(trouble); what was seen last holds")
      }
      toldTrouble = trouble
    }
    isLooking = false
    if isLookWanted {
      isLookWanted = false
      lookSoon()
    }
    return toldTrouble.isEmpty
  }

  private func take(_ seen: BatchPicture, _ number: Int) {
    picture = seen
    // A look that began after a hook knows of its job.
    hooked = hooked.filter { $0.value.look > number }
    let names = Set(seen.hosts.keys).intersection(settings.hosts ?? Set(seen.hosts.keys))
    let lendable = names.filter { seen.hosts[$0] == true }
    let clock = Lender.now
    let starts = seen.starts.mapValues { clock + .milliseconds(Int($0 * 1000)) }
    lender?.assumeIsolated {
      $0.setHosts(names)
      $0.setLendable(lendable)
    }
    connections?.setHosts(names)
    hold()
    lender?.assumeIsolated { $0.plan(starts) }
  }

  /// Tells the lender who holds what, as far as that has changed.
  private func hold() {
    var wanted = picture.jobs
    for (job, told) in hooked { wanted[job, default: []].formUnion(told.hosts) }
    let before = held
    held = wanted
    for (job, hosts) in wanted {
      let new = hosts.subtracting(before[job] ?? [])
      if !new.isEmpty { lender?.assumeIsolated { $0.hold(job, new) } }
    }
    for (job, hosts) in before {
      let gone = hosts.subtracting(wanted[job] ?? [])
      if !gone.isEmpty { lender?.assumeIsolated { $0.letGo(job, gone) } }
    }
  }

  // MARK: Hooks

  func prolog(
    _ job: String, _ hosts: Set<String>, seconds: Double, answer: @escaping LendingAnswer
  ) {
    let ours = hosts.filter { picture.hosts[$0] != nil && settings.hosts?.contains($0) ?? true }
    hooked[job] = (ours, looks + 1)
    hold()
    waiting.append(
      WaitingHook(
        job: job, hosts: ours, answer: answer,
        deadline: EventLoop.monotonicNanoseconds + UInt64(seconds * 1e9)))
    settleHooks()
  }

  /// A job has ended somewhere: a look tells where.
  func epilog() { lookSoon() }

  private func settleHooks() {
    let hooks = waiting
    waiting = []
    for hook in hooks {
      let fault = hook.hosts.compactMap { host in
        (lender?.assumeIsolated { $0.fault(of: host) } ?? nil).map { "\(host): \($0)" }
      }.min()
      if let fault {
        hook.answer(.refused(Refusal(.unavailable, fault)))
      } else if isClean(hook.hosts) {
        hook.answer(.done)
      } else {
        waiting.append(hook)
      }
    }
  }

  private func isClean(_ hosts: Set<String>) -> Bool {
    lender?.assumeIsolated { lender in hosts.allSatisfy { lender.mayStart(on: $0) } } ?? false
  }

  private func expireHooks() {
    let now = EventLoop.monotonicNanoseconds
    for hook in waiting where hook.deadline <= now {
      let late = hook.hosts.filter { !isClean([$0]) }.sorted().joined(separator: ", ")
      hook.answer(.refused(Refusal(.unavailable, "\(late) could not be taken back in time")))
    }
    waiting.removeAll { $0.deadline <= now }
  }

  private func changed(_ host: String) {
    if !waiting.isEmpty { settleHooks() }
    let fault = lender?.assumeIsolated { $0.fault(of: host) } ?? nil
    if let fault, excluded.insert(host).inserted {
      exclude(host, true, fault)
    } else if fault == nil, excluded.remove(host) != nil {
      exclude(host, false, "")
    }
  }

  private func exclude(_ host: String, _ isExcluded: Bool, _ reason: String) {
    Task {
      do {
        try await side.setUsable(!isExcluded, host, reason: reason)
      } catch {
        log(
          "\(host) can't be \(isExcluded ? "taken from" : "given back to") the batch system: \(error)"
        )
      }
    }
  }
}
