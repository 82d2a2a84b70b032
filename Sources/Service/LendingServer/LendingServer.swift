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
  /// Whether the batch system was seen since the start: before that nothing is known of any host.
  private var hasSeen = false
  private var isLooking = false
  private var isLookWanted = false
  private var toldTrouble = ""
  /// Hooks that wait for their hosts.
  private var waiting: [WaitingHook] = []
  /// Hosts that the batch system is being told of.
  private var beingExcluded: Set<String> = []

  private struct WaitingHook {
    let job: String
    /// `nil` if a look has to tell: the one of this number.
    var hosts: Set<String>?
    let look: Int
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
    hasSeen = true
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
    for (index, hook) in waiting.enumerated() where hook.hosts == nil && hook.look <= number {
      waiting[index].hosts = seen.jobs[hook.job] ?? []
    }
    settleHooks()
    beingExcluded = []
    for host in names { exclude(host) }
  }

  /// Tells the lender who holds what, as far as that has changed.
  private func hold() {
    var wanted = picture.jobs
    for (job, told) in hooked { wanted[job, default: []].formUnion(ours(told.hosts)) }
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

  /// A job is about to begin.
  ///
  /// - Parameter hosts: `nil` if the hook does not know them.
  func prolog(
    _ job: String, _ hosts: Set<String>?, seconds: Double, answer: @escaping LendingAnswer
  ) {
    let hook = WaitingHook(
      job: job, hosts: hosts, look: looks + 1, answer: answer,
      deadline: EventLoop.monotonicNanoseconds + UInt64(seconds * 1e9))
    waiting.append(hook)
    guard let hosts else { return lookSoon() }
    hooked[job] = (hosts, hook.look)
    hold()
    settleHooks()
  }

  private func ours(_ hosts: Set<String>) -> Set<String> {
    hosts.filter { picture.hosts[$0] != nil && settings.hosts?.contains($0) ?? true }
  }

  func knows(_ host: String) -> Bool { !ours([host]).isEmpty }

  /// A job has ended somewhere: a look tells where.
  func epilog() { lookSoon() }

  private func settleHooks() {
    let hooks = waiting
    waiting = []
    for hook in hooks {
      guard hasSeen, let hosts = hook.hosts.map(ours) else {
        waiting.append(hook)
        continue
      }
      let faults = hosts.filter { fault(of: $0) != nil }
      if let host = faults.min() {
        refuse(hook, bad: faults, "\(host): \(fault(of: host) ?? "")")
      } else if isClean(hosts) {
        hook.answer(.done)
      } else {
        waiting.append(hook)
      }
    }
  }

  /// The launch of a job was ended while we were away.
  func abandon(_ job: String, _ answer: @escaping LendingAnswer) {
    giveUp(job, bad: [], "nobody could say whether its hosts are free of pods") { answer(.done) }
  }

  /// Says that a job can't begin, once it is seen to that it begins elsewhere.
  private func refuse(_ hook: WaitingHook, bad: Set<String>, _ reason: String) {
    giveUp(hook.job, bad: bad, reason) {
      hook.answer(.refused(Refusal(.unavailable, reason)))
    }
  }

  private func giveUp(
    _ job: String, bad: Set<String>, _ reason: String, then: @escaping @Sendable () -> Void
  ) {
    Task {
      log("job \(job) can't begin: \(reason)")
      var told = ""
      while true {
        do {
          try await side.giveUp(job, bad: bad, reason: reason)
          return then()
        } catch {
          if told != "\(error)" { log("the batch system can't be told so: \(error)") }
          told = "\(error)"
        }
        try await Task.sleep(for: .seconds(settings.pause))
      }
    }
  }

  private func fault(of host: String) -> String? {
    lender?.assumeIsolated { $0.fault(of: host) } ?? nil
  }

  private func isClean(_ hosts: Set<String>) -> Bool {
    lender?.assumeIsolated { lender in hosts.allSatisfy { lender.mayStart(on: $0) } } ?? false
  }

  private func expireHooks() {
    let now = EventLoop.monotonicNanoseconds
    let late = waiting.filter { $0.deadline <= now }
    waiting.removeAll { $0.deadline <= now }
    for hook in late {
      let bad = ours(hook.hosts ?? []).filter { !isClean([$0]) }
      let reason =
        bad.isEmpty
        ? "the batch system did not say in time on which hosts job \(hook.job) is"
        : "\(bad.sorted().joined(separator: ", ")) could not be taken back in time"
      refuse(hook, bad: bad, reason)
    }
  }

  private func changed(_ host: String) {
    if !waiting.isEmpty { settleHooks() }
    exclude(host)
  }

  /// Sees to it that the batch system gives no job to a host that can't be had, and has it again once it is in
  /// order. One that an administrator took out of its hands is left alone. A word that is lost is said again after
  /// the next look.
  private func exclude(_ host: String) {
    guard !beingExcluded.contains(host) else { return }
    let fault = fault(of: host)
    if let fault, picture.hosts[host] == true {
      setUsable(false, host, fault)
    } else if fault == nil, picture.excluded.contains(host),
      lender?.assumeIsolated({ $0.isSound(host) }) == true
    {
      setUsable(true, host, "")
    }
  }

  private func setUsable(_ isUsable: Bool, _ host: String, _ reason: String) {
    beingExcluded.insert(host)
    Task {
      do {
        try await side.setUsable(isUsable, host, reason: reason)
        log("\(host) is \(isUsable ? "given back to" : "taken from") the batch system \(reason)")
      } catch {
        let what = isUsable ? "given back to" : "taken from"
        log("\(host) can't be \(what) the batch system: \(error)")
      }
    }
  }
}
