// The server's loop: receive → decide → commit → perform. The only writer of the cluster's state.

import CLinux
import ClusterModel
import Glibc
import NodeConnections
import Storage
import Wire

/// The server. An actor on its event loop: sockets, timers, agents and commits all come back to one thread.
public actor Controller {
  /// Liburna's version.
  public static let version = liburnaVersion

  public nonisolated let loop: EventLoop
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let settings: ServerSettings
  let storage: any Storage
  let log: ServerLog
  var state = ClusterState()
  let committer: Committer

  // Hosts and what runs on them.
  var connections: (any Agents)?
  var links: [String: HostLink] = [:]
  var executions: [JobID: Execution] = [:]
  /// Jobs that a lost host dooms, with the reason.
  var doomed: [JobID: String] = [:]
  /// Answers that hosts owe, each with an end.
  var waits = Waits()
  /// The site's programs on the server, and how many prologues failed since one did not.
  let hookPrograms: ServicePrograms
  var failedPrologues = 0
  /// How often a job was submitted again by the server.
  var resubmissions: [JobID: Int] = [:]
  /// The terminals that interactive jobs were submitted from.
  var terminals: [JobID: TerminalSpecification] = [:]
  /// The secrets of jobs that are being launched; none without OAR 2.
  var secrets: [JobID: JobSecrets] = [:]
  /// What waits for them to be read.
  var secretWaiters: [JobID: [() -> Void]] = [:]

  // Commands.
  var clients: [Int: ClientConnection] = [:]
  var followers: [Follower] = []
  var channels: [Int: Channel] = [:]
  var attachers: [JobID: Attacher] = [:]
  var nextClient = 1
  /// Submissions that are being planned without being made.
  var dryRuns = 0
  var nextChannel = 1
  var userNames = UserNames()
  private var listeners: [Int32] = []
  private(set) var isStopping = false
  /// Whether jobs are planned; not while the server only brings to an end what it began.
  private var isPlanning = true

  /// What stands in the place of OAR 2's Almighty; `nil` on a database of our own.
  var withOAR2: OAR2Side?

  /// What others write to a database of our own; `nil` if nobody tells.
  var outsiders: Outsiders?
  /// Lending to Kubernetes; `nil` where nothing is lent.
  var lending: ServerLending?
  /// Submissions that are not durable yet.
  var submissions = 0

  /// When what users and projects had was last asked for.
  var usageDate: Instant = 0

  /// When a pass is due for a reservation.
  var awaitedReservation: Instant?

  /// When idle hosts are looked at again, and what was said about the settings last.
  var nextSleepDecision: Instant = 0
  var sleepProblems: [String] = []

  // Rhythm.
  private var isPumpScheduled = false
  private var isRetryScheduled = false
  private var passes = 0
  private var lastPassNanoseconds: UInt64 = 0
  private var nextPassAllowed: UInt64 = 0
  private var isPassPostponed = false
  private var nextWholePass: UInt64 = 0
  private var isWholePassAwaited = false
  private var predictionsAreStale = false
  private let startedAt: Instant

  /// Prepares a server over an open store.
  public init(settings: ServerSettings, storage: any Storage, loop: EventLoop) {
    self.settings = settings
    self.storage = storage
    self.loop = loop
    log = ServerLog()
    committer = Committer(storage: storage, log: log)
    hookPrograms = ServicePrograms(loop: loop, atOnce: ServerHooks.atOnce)
    startedAt = Self.now
  }

  /// Seconds since the epoch. The only clock of the server's decisions.
  static var now: Instant { time(nil) }

  // MARK: Start and stop

  /// Loads the state, listens and connects to the hosts.
  public func start() async throws {
    try settings.refuseBesideAlmighty()
    // The port is ours before anything is decided: an Almighty that is started meanwhile can't have it.
    try openListeners()
    try await connectToHosts(listening: true)
    scheduleWork()
  }

  /// Loads the state and connects to the hosts; without listening nobody asks for anything, and nothing is
  /// planned.
  func connectToHosts(listening: Bool) async throws {
    let connections = NodeConnections(
      loop: loop, template: settings.nodeCommand, settings: settings.connections
    ) { host, news in self.hear(news, from: host) }
    try await load(reaching: connections)
    if listening { listen() } else { isPlanning = false }
    refreshHosts()
  }

  /// Takes up the stored state; nobody is connected yet.
  func load(reaching agents: any Agents) async throws {
    let stored = try await storage.load()
    for problem in stored.problems { log.say(problem) }
    state = ClusterState(stored: stored)
    for problem in state.quotas(settings)?.problems ?? [] {
      log.say("QUOTAS_CONF_FILE: \(problem)")
    }
    if settings.order.needsUsage { try await loadUsage(at: Self.now) }
    try await adoptVictims()
    try await beginWithOAR2(over: stored)
    await beginHearingOutsiders()
    connections = agents
    var outcome = Outcome()
    state.finishInterrupted(at: Self.now, &outcome)
    commit(outcome)
    try prepareLending()
    adoptHeldJobs()
    tickLater()
    log.say("ready: \(state.resources.count) resources, \(state.jobs.count) jobs")
  }

  private func openListeners() throws {
    listeners.append(try Sockets.listen(path: settings.socketPath))
    if settings.port > 0 { listeners.append(try Sockets.listen(port: settings.port)) }
  }

  private func listen() {
    for (index, listener) in listeners.enumerated() {
      _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK)
      loop.watch(listener, for: .read) { _ in self.accept(from: listener, isLocal: index == 0) }
    }
  }

  /// Stops: jobs go on, what was decided is written, the store is closed.
  public func stop() async {
    guard !isStopping else { return }
    for listener in listeners {
      loop.unwatch(listener)
      close(listener)
    }
    listeners = []
    isStopping = true
    isPlanning = false
    unlink(settings.socketPath)
    for client in clients.values { client.stream.closeAfterFlush() }
    endWithOAR2()
    hookPrograms.stop()
    tellLender { $0.stop() }
    await leaveToOAR2()
    connections?.endAll()
    while committer.isWriting { await Task.yield() }
    while committer.hasWork, await committer.writeBatch() {}
    await storage.close()
    loop.stop()
  }

  private func tickLater() {
    loop.after(1) { self.tick() }
  }

  /// What time alone brings about.
  private func tick() {
    guard !isStopping else { return }
    let now = Self.now
    endNoopJobs(at: now)
    tickWithOAR2(at: now)
    planReservations(at: now)
    grantWalltimes(at: now)
    manageSleepIfDue(at: now)
    checkSilentHosts(at: now)
    tellLenderThePlan(at: now)
    endWaits(at: EventLoop.monotonicNanoseconds, now)
    state.heedTime(now)
    if predictionsAreStale || committer.trouble != nil { writePredictions(at: now) }
    scheduleWork()
    tickLater()
  }

  /// Writes the plan for others to see. It may be refused, so it also tells when the store has room again.
  private func writePredictions(at now: Instant) {
    predictionsAreStale = false
    commit(
      Outcome(changes: [.predictions(state.predictions, at: now)]),
      whenRefused: { _ in self.predictionsAreStale = true })
  }

  // MARK: Commit and perform

  /// Hands an outcome to the store; its effects follow when it is durable, then `whenDurable`.
  func commit(
    _ outcome: Outcome, whenRefused: ((StorageError) -> Void)? = nil,
    whenDelayed: ((StorageError) -> Void)? = nil, whenDurable: @escaping () -> Void = {}
  ) {
    let words = clientDeliveries(after: outcome.changes)
    if outcome.changes.isEmpty {
      perform(outcome.effects)
      whenDurable()
    } else {
      committer.add(
        PendingCommit(
          changes: outcome.changes,
          whenDurable: {
            self.perform(outcome.effects)
            self.tellClients(words)
            whenDurable()
          }, whenRefused: whenRefused, whenDelayed: whenDelayed))
    }
    scheduleWork()
  }

  /// Plans and writes once, after everything that is ready now was heard.
  func scheduleWork() {
    guard !isPumpScheduled else { return }
    isPumpScheduled = true
    loop.afterThisRound {
      self.isPumpScheduled = false
      self.pump()
    }
  }

  private func pump() {
    planIfNeeded()
    guard committer.hasWork, !committer.isWriting else { return }
    Task {
      let former = committer.trouble
      if await committer.writeBatch() {
        if former != nil { log.say("the database can be written again") }
        scheduleWork()
      } else {
        if let trouble = committer.trouble, former == nil {
          log.say("cannot write the database: \(trouble)")
        }
        retryLater()
      }
    }
  }

  /// One retry at a time: every event tries as well.
  private func retryLater() {
    guard !isRetryScheduled else { return }
    isRetryScheduled = true
    loop.after(1) {
      self.isRetryScheduled = false
      self.scheduleWork()
    }
  }

  private func perform(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .launch(let id): launch(id)
      case .kill(let id): kill(id)
      case .exterminate(let id): exterminate(id)
      case .signal(let id, let number): signal(id, number)
      case .suspend(let id): stopProcesses(of: id)
      case .resume(let id): continueProcesses(of: id)
      case .walltime(let id): sendWalltime(of: id)
      case .wakeHosts(let hosts): wake(hosts)
      case .haltHosts(let hosts): halt(hosts)
      case .hostsChanged: refreshHosts()
      case .notice(let notice): tellFollowers(notice)
      case .tellUser(let job, let tag): tellUser(of: job, tag)
      case .jobsDurable(let limit):
        state.durableBelow = max(state.durableBelow, limit)
        state.hasNewcomers = true
      case .forget(let id): forget(id)
      }
    }
  }

  // MARK: Planning

  /// Plans when something changed. Passes are kept apart so that planning takes a quarter of the loop at most.
  private func planIfNeeded() {
    // What can't be written can't start: until there is room, planning would only hold resources.
    guard state.needsPlan || state.hasNewcomers, committer.trouble == nil, isPlanning else {
      return
    }
    let began = EventLoop.monotonicNanoseconds
    guard began >= nextPassAllowed else { return postponePass(by: nextPassAllowed - began) }
    state.needsPlan = false
    let now = Self.now
    var outcome = Outcome()
    state.resumeJobs(as: settings.planning, at: now, &outcome)
    state.grantWalltimes(settings: settings, at: now, &outcome)
    let wanted = began >= nextWholePass ? PassDepth.whole : .front
    var depth = wanted
    let plan = state.plan(settings: settings, at: now, &depth)
    state.apply(plan, depth, at: now, &outcome)
    predictionsAreStale = true
    awaitReservations(after: now)
    let ended = EventLoop.monotonicNanoseconds
    passes += 1
    lastPassNanoseconds = ended - began
    rest(after: depth, wanted: wanted, at: ended)
    if depth == .whole { refreshUsage(at: now) }
    commit(outcome)
    tellPredictions(at: now)
    lending?.isPlanNew = true
    tellLenderThePlan(at: now)
    if depth != .front { manageSleep(at: now) }
  }

  /// While jobs come and go, whole passes are so many times their own length apart, or this many
  /// nanoseconds; those over the front so many times theirs.
  private static let wholePassRest: UInt64 = 30
  private static let longestRest: UInt64 = 1_000_000_000
  private static let frontPassRest: UInt64 = 3

  /// Leaves the loop to others, so that planning takes about a quarter of it at most.
  private func rest(after depth: PassDepth, wanted: PassDepth, at now: UInt64) {
    switch depth == .newcomers ? depth : wanted {
    case .whole:
      nextWholePass = now + min(Self.wholePassRest * lastPassNanoseconds, Self.longestRest)
    case .front, .newcomers: nextPassAllowed = now + Self.frontPassRest * lastPassNanoseconds
    }
    let interval = UInt64(settings.passInterval) * 1_000_000_000
    if interval > 0 { nextPassAllowed = max(nextPassAllowed, now + interval) }
    if depth == .front { planWholeLater(at: nextWholePass, now: now) }
  }

  /// After a pass over the front, a whole one follows even if nothing happens.
  private func planWholeLater(at time: UInt64, now: UInt64) {
    guard !isWholePassAwaited else { return }
    isWholePassAwaited = true
    loop.after(Double(time - min(time, now)) / 1e9) {
      self.isWholePassAwaited = false
      self.state.needsPlan = true
      self.scheduleWork()
    }
  }

  private func postponePass(by nanoseconds: UInt64) {
    guard !isPassPostponed else { return }
    isPassPostponed = true
    loop.after(Double(nanoseconds) / 1e9) {
      self.isPassPostponed = false
      self.scheduleWork()
    }
  }

  /// What the server says of itself.
  func status() -> ServerStatus {
    ServerStatus(
      version: Self.version, startedAt: startedAt,
      jobsWaiting: state.jobs.count - state.holding.count, jobsRunning: state.holding.count,
      resources: state.resources.count,
      hostsConnected: links.filter(\.value.isConnected).keys.sorted(),
      hostsLost: links.filter { !$0.value.isConnected }.keys.sorted(), passes: passes,
      lastPassMilliseconds: Double(lastPassNanoseconds) / 1e6, commits: committer.count,
      residentBytes: residentBytes())
  }
}

/// The memory of this process, in bytes; 0 if the kernel does not say.
private func residentBytes() -> Int {
  let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return 0 }
  defer { close(descriptor) }
  var buffer = [UInt8](repeating: 0, count: 256)
  let count = read(descriptor, &buffer, buffer.count)
  let fields = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
}
