// One pass of the metascheduler over the database of an OAR 2 server: the story from what is stored to what
// starts.

import ClusterModel
import Kamelot
import Kao
import Storage

/// What Almighty does after a pass: the exit codes that it knows.
enum PassResult: Int32 {
  case goOn = 0
  /// Another pass at once.
  case again = 1
  /// Leon: jobs are to be ended.
  case endJobs = 2
}

/// One pass.
struct MetaschedulerPass {
  let settings: MetaschedulerSettings
  let storage: any SharedStorage
  let log: MetaschedulerLog
  /// The date of all that is decided in this pass.
  let now: Instant
  var state: ClusterState
  /// The plan that the pass before left.
  var former = StoredPlan()
  /// Where interactive jobs and reservations are waited for.
  var clients: [JobID: WaitingClient] = [:]
  /// Jobs that others wait for and that have ended.
  var ended: Set<JobID> = []
  /// Jobs of whose start Almighty was told in this pass.
  var told: Set<JobID> = []
  var result = PassResult.goOn
  /// When the next pass is due though nothing may have happened; `nil` for whenever something happens.
  var nextPass: Instant?

  /// Reads everything that the pass depends on.
  init(
    settings: MetaschedulerSettings, storage: any SharedStorage, log: MetaschedulerLog,
    clock: Instant
  ) async throws {
    self.settings = settings
    self.storage = storage
    self.log = log
    let stored: StoredCluster
    (stored, former) = try await storage.loadWithPlan()
    for problem in stored.problems { log.info(problem) }
    state = ClusterState(stored: stored)
    state.isBesideOAR2 = true
    now = Self.passDate(clock, after: former.date, log)
    clients = try await storage.waitingClients().compactMapValues(WaitingClient.init(info:))
  }

  /// Makes changes durable. OAR 2's modules are to see what happened, save changes of walltimes.
  func commit(_ changes: [Change]) async throws {
    try await storage.commit(
      changes.map { change in
        if case .event(let event) = change, event.type != "WALLTIME" { return .eventToCheck(event) }
        return change
      })
  }

  /// Does it all.
  mutating func run() async throws -> PassResult {
    // 1. What our planner wants to know besides: what users had, who is giving way already.
    try await readUsage()
    try await readFarewells()
    ended = try await endedDependencies()
    // 2. The queues, highest priority first: ours in one go, others by their own schedulers.
    let plan = try await planQueues()
    // 3. What starts, what is promised or refused, who gives way; durable before anybody hears of it.
    try await settle(plan)
    // 4. Almighty starts the jobs that have their resources, also those that a pass before left.
    tellAlmighty()
    // 5. Those who wait at a terminal hear what became of their jobs.
    try await tellClients()
    // 6. Suspended jobs go on where nobody else is.
    try await resumeJobs()
    // 7. Hosts wake for what is planned, and sleep when there is nothing for them.
    manageSleep()
    // 8. Jobs that are to end need Leon; what is due soon needs a pass on its second.
    try await decideResult()
    return result
  }

  /// The date of a pass: never before the last one's by a step of the clock that is small; after a large one
  /// the clock is right.
  static func passDate(_ clock: Instant, after last: Instant, _ log: MetaschedulerLog) -> Instant {
    guard last > clock else { return clock }
    if last - clock <= smallStep { return last }
    log.info(
      "the clock went back by \(last - clock) s since the last pass; planning from its time on")
    return clock
  }

  /// Seconds by which clocks are set without anybody's doing; OAR 2's own metascheduler dates its pass one
  /// second ahead.
  private static let smallStep: Seconds = 5

  // MARK: 1

  private mutating func readUsage() async throws {
    let order = settings.planner.order
    guard order.needsUsage else { return }
    let begin = now - order.fairShare.window
    state.count(try await storage.pastUse(from: begin, to: now), from: begin, at: now)
  }

  /// Besteffort jobs that can save their work: what they were told still counts.
  private mutating func readFarewells() async throws {
    var filter = JobFilter()
    let ids = state.holding.filter { id in
      guard let job = state.jobs[id] else { return false }
      return job.request.checkpoint > 0 && job.types.contains("besteffort")
    }.sorted()
    guard !ids.isEmpty else { return }
    filter.ids = ids
    for record in try await storage.jobs(matching: filter, limit: ids.count) {
      state.adopt(record.events, of: record.id)
    }
  }

  // MARK: 3

  private mutating func settle(_ plan: Plan) async throws {
    var outcome = Outcome()
    let waiting = Set(state.jobs.values.lazy.filter { $0.state == .waiting }.map(\.id))
    state.apply(plan, .whole, at: now, &outcome)
    writeMessages(plan, of: waiting, &outcome)
    state.grantWalltimes(settings: settings.planner, at: now, &outcome)
    for id in waiting.sorted() where state.jobs[id]?.state == .toLaunch {
      raisePriorities(for: id, &outcome)
    }
    var changes = outcome.changes
    if settings.logsDecisions { changes.insert(.planLogged, at: 0) }
    changes.append(.predictions(state.predictions, at: now))
    try await commit(changes)
    report(plan)
    if !plan.victims.isEmpty { result = .endJobs }
    saveWork(outcome.effects)
  }

  private func report(_ plan: Plan) {
    for start in plan.starts { log.debug("job \(start.job) starts") }
    for victim in plan.victims { log.info("besteffort job \(victim) gives way") }
    for problem in plan.pluginProblems { log.info(problem) }
  }

  /// Tells besteffort jobs to save their work, by OAR 2's own command.
  private func saveWork(_ effects: [Effect]) {
    for case .signal(let id, _) in effects {
      let command = OAR2Program(
        path: settings.directory + "/oardel", arguments: ["-c", String(id)])
      if let problem = command.start() {
        log.error("job \(id) can't be told to save its work: \(problem)")
      }
    }
  }

  // MARK: 4

  /// Where Almighty listens.
  var almighty: AlmightyPort {
    AlmightyPort(host: settings.almighty.host, port: settings.almighty.port)
  }

  private mutating func tellAlmighty() {
    let jobs = state.jobs.values.filter { $0.state == .toLaunch && !told.contains($0.id) }
    var words: [AlmightyPort.Word] = jobs.map(\.id).sorted().map { .run($0) }
    if result == .endJobs { words.append(.checkStates) }
    // What it does not take now, the next pass says again.
    if !almighty.send(words) {
      log.error("\(almighty.host):\(almighty.port) does not take the words of this pass")
    }
  }

  // MARK: 8

  private mutating func decideResult() async throws {
    if result != .endJobs, try await storage.hasDeletionsForLeon() { result = .endJobs }
    let starts = state.placements.values.lazy.map(\.start).filter { [now] in $0 > now }.min()
    let patience = settings.planner.planning.reservationPatience
    let reservation = state.nextReservationDate(after: now, patience: patience)
    let look = state.nextLook.flatMap { $0 > now ? $0 : nil }
    nextPass = [starts, reservation, look].compactMap(\.self).min()
  }
}
