// The queues of an OAR 2 server in a pass: those that name our planner in one go, those that name a scheduler
// of OAR 2's by calling it. Each sees what was decided before it.

import ClusterModel
import Kamelot
import Kao
import Storage
import Wire

/// A part of a pass.
enum QueueStep: Equatable {
  /// Our planner plans the jobs of these queues.
  case ours(Set<String>)
  /// The scheduler that a queue names plans its jobs; its new reservations are decided by us, as by OAR 2.
  case program(Queue)

  /// The parts for queues in descending priority; neighbours that are ours are one.
  static func steps(for queues: [Queue], isOurs: (Queue) -> Bool) -> [QueueStep] {
    var steps: [QueueStep] = []
    for queue in queues.sorted(by: { ($1.priority, $0.name) < ($0.priority, $1.name) }) {
      if !isOurs(queue) {
        steps.append(.program(queue))
      } else if case .ours(let names) = steps.last {
        steps[steps.count - 1] = .ours(names.union([queue.name]))
      } else {
        steps.append(.ours([queue.name]))
      }
    }
    return steps
  }
}

/// What was decided in the parts so far.
private struct Decisions {
  /// Jobs with a place, as reservations that keep it in the parts that follow.
  var placed: [WaitingJob] = []
  var accepted: [JobID] = []
  var refused: [JobID] = []
  var reasons = Reasons()
  var nextLook: Instant?
}

extension MetaschedulerPass {
  /// Plans all queues.
  mutating func planQueues() async throws -> Plan {
    let steps = QueueStep.steps(for: state.queues, isOurs: settings.isOurs)
    let busy = Set(state.jobs.values.lazy.filter { $0.state == .waiting }.map(\.queue))
    let needed = steps.filter { step in
      if case .program(let queue) = step { return queue.isActive && busy.contains(queue.name) }
      return true
    }
    // The usual case: everything is ours.
    if needed.allSatisfy({ if case .ours = $0 { true } else { false } }),
      needed.count == steps.count
    {
      return Kao.plan(snapshot())
    }
    var decisions = Decisions()
    for step in needed {
      if case .program(let queue) = step {
        try await runScheduler(of: queue, after: decisions.placed)
        decisions.placed += try await placesFromTables(of: queue)
        decide(.program(queue), &decisions)
      } else {
        decide(step, &decisions)
      }
    }
    return finish(decisions)
  }

  private mutating func snapshot() -> Snapshot {
    state.snapshotBesideOAR2(settings: settings.planner, ended: ended, at: now)
  }

  /// Lets our planner do a part, with everything that was decided before in its place.
  private mutating func decide(_ step: QueueStep, _ decisions: inout Decisions) {
    var part = snapshot()
    part.waiting = part.waiting.filter { job in
      if job.reservation?.promised != nil { return true }
      return switch step {
      case .ours(let names): names.contains(job.queue)
      case .program(let queue): queue.name == job.queue && job.reservation != nil
      }
    }
    let own = part.waiting.filter { $0.reservation?.promised == nil }
    part.waiting += decisions.placed
    let plan = Kao.plan(part)
    decisions.accepted += plan.accepted
    decisions.refused += plan.refused
    for job in own { if let reason = plan.reasons[job.id] { decisions.reasons[job.id] = reason } }
    decisions.nextLook = [decisions.nextLook, plan.nextLook].compactMap(\.self).min()
    let places = Dictionary(
      (plan.starts + plan.predictions).map { ($0.job, $0) }, uniquingKeysWith: { first, _ in first }
    )
    decisions.placed += own.compactMap { job in places[job.id].map { job.keeping($0) } }
  }

  /// What starts now, and who gives way for it, when every job has its place.
  private mutating func finish(_ decisions: Decisions) -> Plan {
    var last = snapshot()
    last.waiting = last.waiting.filter { $0.reservation?.promised != nil } + decisions.placed
    var plan = Kao.plan(last)
    plan.accepted = decisions.accepted
    plan.refused += decisions.refused
    plan.reasons.update(with: decisions.reasons)
    if let look = decisions.nextLook { plan.lookAgain(at: look) }
    return plan
  }

  // MARK: Schedulers of OAR 2's

  /// Calls the scheduler of a queue, which reads the tables and writes the places of its jobs there.
  private mutating func runScheduler(of queue: Queue, after placed: [WaitingJob]) async throws {
    try await commit([.unfinishedPlan(rows(with: placed), at: now)])
    let name = queue.policy
    guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
      return try await disable(queue, "\"\(name)\" is no name of a scheduler")
    }
    let program = OAR2Program(
      path: settings.schedulers + "/" + name, arguments: [queue.name, String(now), date(now)])
    log.debug("queue \(queue.name): \(name)")
    Watchdog.allow(settings.schedulerLimit)
    defer { Watchdog.allow(0) }
    let launcher = EarlyLaunches(queue: queue.name, isWanted: settings.launchesEarly)
    let end = try await program.run(limit: settings.schedulerLimit) { line in
      guard let launch = launcher.launch(line) else { return log.debug("\(name): \(line)") }
      try await start(launch)
    }
    switch end {
    case .exited(0): break
    case .exited(1): log.info("queue \(queue.name): its scheduler \(name) gave up (exit code 1)")
    case .tookTooLong:
      log.error(
        "queue \(queue.name): its scheduler \(name) was ended after \(settings.schedulerLimit) s; "
          + "what it had planned counts")
    case .exited, .signalled, .notStarted:
      try await disable(queue, "its scheduler \(name) \(end)")
    }
  }

  /// What the tables have to hold for a scheduler: jobs that have resources, reservations, jobs of queues
  /// before.
  private func rows(with placed: [WaitingJob]) -> [Prediction] {
    let own = placed.compactMap { job -> Prediction? in
      guard let reservation = job.reservation, let promise = reservation.promised,
        reservation.start < endOfTime
      else { return nil }
      return state.jobs[job.id].map {
        Prediction(
          moldable: $0.moldableID(at: promise.moldable), start: reservation.start,
          resources: promise.resources)
      }
    }
    return state.predictions + own
  }

  /// The places that a scheduler gave to the jobs of its queue.
  private func placesFromTables(of queue: Queue) async throws -> [WaitingJob] {
    var jobs: [MoldableID: (job: JobID, index: Int)] = [:]
    for job in state.jobs.values
    where job.queue == queue.name && job.state == .waiting && job.reservation == .none {
      for index in job.request.moldables.indices {
        jobs[job.moldableID(at: index)] = (job.id, index)
      }
    }
    return try await storage.plan().predictions.compactMap { row in
      guard let (id, index) = jobs[row.moldable], let job = state.jobs[id], !row.resources.isEmpty
      else { return nil }
      var waiting = state.waitingJob(job)
      waiting.reservation = Reservation(
        start: max(now, row.start), promised: .init(moldable: index, resources: row.resources))
      return waiting
    }.sorted { $0.id < $1.id }
  }

  /// OAR 2's answer to a scheduler that fails: its queue starts nothing until an admin says so.
  private mutating func disable(_ queue: Queue, _ reason: String) async throws {
    log.error(
      "queue \(queue.name) is not active any more: \(reason); `oarnotify -E` makes it active again")
    var inactive = queue
    inactive.isActive = false
    try await commit([.queueSet(inactive)])
  }

  /// Starts a job that the scheduler of its queue wants to start at once, if nothing stands in its way.
  private mutating func start(_ launch: EarlyLaunch) async throws {
    guard let job = state.jobs[launch.job], let index = launch.index(in: job), mayStart(job, launch)
    else { return log.debug("job \(launch.job) does not start before its scheduler is done") }
    var outcome = Outcome()
    state.assign(job.id, moldable: index, resources: launch.resources, at: now, &outcome)
    raisePriorities(for: job.id, &outcome)
    try await commit(outcome.changes)
    if almighty.send([.run(job.id)]) { told.insert(job.id) }
  }

  private func mayStart(_ job: Job, _ launch: EarlyLaunch) -> Bool {
    guard job.queue == launch.queue, job.state == .waiting, job.reservation == .none,
      !job.hasType("inner"), !job.hasType("timesharing")
    else { return false }
    let wanted = Set(launch.resources)
    let isUp = wanted.allSatisfy { state.resources[$0]?.state == .alive }
    let isFree = state.holding.allSatisfy { id in
      state.jobs[id].map { $0.state == .suspended || wanted.isDisjoint(with: $0.assignedResources) }
        ?? true
    }
    return isUp && isFree
  }
}

extension WaitingJob {
  /// The same with a place that it keeps.
  fileprivate func keeping(_ placement: Placement) -> WaitingJob {
    var job = self
    job.reservation = Reservation(
      start: placement.start,
      promised: .init(moldable: placement.moldable, resources: placement.resources))
    return job
  }
}
