// The open database with all that is remembered about it: what the store's actor works with.

import ClusterModel
import Storage

/// A database in use by a server. Used by the storage thread alone.
final class Database {
  /// How long the background work may hold up a commit.
  private static let slice = Duration.milliseconds(6)

  /// How long users' conditions may keep the storage thread from commits.
  private static let conditionLimit = Duration.seconds(2)

  let connection: Connection
  private let jobs: JobChanges
  private let resources: ResourceChanges
  private let events: EventLog
  private var plan: PlanWriter
  private(set) var pending: PendingArrays
  private let clock: @Sendable () -> Instant
  // The first numbers that nobody reserved.
  private var nextJob: JobID = 1
  private var nextMoldable: MoldableID = 1

  init(_ connection: Connection, clock: @escaping @Sendable () -> Instant) throws {
    self.connection = connection
    jobs = JobChanges(connection: connection)
    resources = ResourceChanges(connection: connection)
    events = EventLog(connection: connection)
    plan = PlanWriter(connection: connection)
    pending = try PendingArrays(connection: connection)
    self.clock = clock
  }

  // MARK: Changes

  /// Writes all changes, or none.
  func commit(_ changes: [Change]) throws {
    try undoable(durable: true) {
      // What comes one after the other is written together, which takes half the time and less.
      var submissions: [[Job]] = []
      var messages: [(id: JobID, text: String)] = []
      for change in changes {
        switch change {
        case .jobsSubmitted(let jobs):
          try say(&messages)
          submissions.append(jobs)
        case .jobMessage(let job, let text):
          try submit(&submissions)
          messages.append((job, text))
        default:
          try submit(&submissions)
          try say(&messages)
          try apply(change)
        }
      }
      try submit(&submissions)
      try say(&messages)
    }
  }

  /// Writes some of the rows that arrays still lack; they are durable as arrays already, so the disk
  /// is not waited for.
  func writeSomeRows() throws {
    try undoable(durable: false) { try pending.writeSome(until: Deadline(after: Self.slice)) }
  }

  /// A transaction over the database and what is remembered of it. With a connection that was lost nothing
  /// was written: it is tried once more.
  private func undoable(durable: Bool, _ body: () throws -> Void) throws {
    do {
      try attempt(durable, body)
    } catch let failure as StorageFailure where failure.kind == .lost {
      try attempt(durable, body)
    }
  }

  private func attempt(_ durable: Bool, _ body: () throws -> Void) throws {
    let before = pending
    do {
      try connection.transaction(durable: durable, body)
    } catch {
      pending = before
      plan.forget()
      throw error
    }
  }

  /// Writes messages that came one after the other.
  private func say(_ messages: inout [(id: JobID, text: String)]) throws {
    if messages.isEmpty { return }
    for message in messages { try pending.ensureRows(of: message.id) }
    try jobs.setMessages(messages)
    messages = []
  }

  /// Writes submissions that came one after the other.
  private func submit(_ submissions: inout [[Job]]) throws {
    if submissions.isEmpty { return }
    try pending.submit(submissions)
    submissions = []
  }

  private func apply(_ change: Change) throws {
    switch change {
    case .jobsSubmitted(let jobs): try pending.submit([jobs])
    case .event(let event): try events.insert(event)
    case .eventsChecked(let numbers): try events.check(numbers)
    case .stateWished(let state, let host): try resources.wish(state, of: host)
    case .wishesDone(let ids, let state): try resources.endWishes(of: ids, state)
    case .predictions(let predictions, let date): try plan.write(predictions, at: date)
    case .placed(let predictions): try plan.place(predictions)
    case .withdrawn(let moldables):
      plan.forget()
      try QueueRows(connection: connection).withdraw(moldables)
    case .eventToCheck(let event): try events.insert(event, isToCheck: true)
    case .unfinishedPlan(let predictions, let date):
      try plan.writeUnfinished(predictions, at: date)
    case .planLogged: try OAR2Rows(connection: connection).logPlan()
    case .schedulerPriority(let resources, let amount):
      try OAR2Rows(connection: connection).raisePriority(of: resources, by: amount)
    case .suspensionsEnded: try OAR2Rows(connection: connection).endSuspensions()
    case .resourceAdded(let resource): try resources.add(resource, at: clock())
    case .resourceRemoved(let resource): try resources.remove(resource)
    case .resourceChanged(let resource, let column, let date):
      try resources.set(column, of: resource, at: date)
    case .propertyAdded(let property): try resources.addProperty(property)
    case .propertyRemoved(let name): try resources.removeProperty(name)
    case .propertyRenamed(let name, let new): try resources.renameProperty(name, to: new)
    case .queueSet(let queue): try resources.setQueue(queue)
    case .queueRemoved(let name): try resources.removeQueue(name)
    default: try applyToJob(change)
    }
  }

  private func applyToJob(_ change: Change) throws {
    if let job = change.job { try pending.ensureRows(of: job) }
    switch change {
    case .jobState(let job, let state, let date): try jobs.enter(state, job, at: date)
    case .jobAssigned(let job, let moldable, _, let resources, let date):
      try jobs.assign(job, moldable: moldable, resources: resources, at: date)
    case .jobEnded(let job, let state, let exitStatus, let date):
      try jobs.end(job, state, exitStatus: exitStatus, at: date)
    case .reservationAccepted(let job, let moldable, let start, let resources):
      try jobs.setScheduled(job, start: start)
      try plan.add(Prediction(moldable: moldable, start: start, resources: resources))
    case .reservationRefused(let job): try jobs.setScheduled(job, start: nil)
    case .jobWalltime(_, let moldable, let walltime): try jobs.setWalltime(walltime, of: moldable)
    case .walltimeChange(let job, let change): try jobs.setWalltimeChange(change, of: job)
    case .jobTypes(let job, let types, let queue): try jobs.setTypes(types, queue: queue, of: job)
    case .jobSuspended(let job): try jobs.setSuspended(job)
    case .jobDeletion(let job, let state, let date):
      try jobs.setDeletion(state, of: job, at: date)
    default: break
    }
  }

  // MARK: Numbers

  /// Numbers for new jobs and moldables, each without gaps.
  func reserve(
    jobs: Int, moldables: Int
  ) throws -> (job: JobID, moldable: MoldableID) {
    guard connection.isShared else {
      let arrays = pending.arrays
      let job = max(
        nextJob, arrays.map(\.jobs.upperBound).max() ?? 1,
        try connection.nextID("job_id", "jobs"))
      let moldable = max(
        nextMoldable, arrays.map(\.nextMoldable).max() ?? 1,
        try connection.nextID("moldable_id", "moldable_job_descriptions"))
      nextJob = job + jobs
      nextMoldable = moldable + moldables
      return (job, moldable)
    }
    return (
      try connection.takeConsecutiveIDs("job_id", "jobs", count: jobs),
      try connection.takeConsecutiveIDs(
        "moldable_id", "moldable_job_descriptions", count: moldables)
    )
  }

  // MARK: Questions

  func storedPlan() throws -> StoredPlan { try connection.snapshot { try plan.stored() } }

  func load() throws -> StoredCluster {
    try connection.snapshot { try ClusterLoader(connection: connection).load(pending) }
  }

  func loadWithPlan() throws -> (cluster: StoredCluster, plan: StoredPlan) {
    try connection.snapshot { (try load(), try storedPlan()) }
  }

  func records(matching filter: JobFilter, limit: Int) throws -> [JobRecord] {
    let reader = RecordReader(connection: connection)
    guard filter.condition != nil else {
      return try connection.snapshot {
        try reader.records(matching: filter, limit: limit, pending: pending)
      }
    }
    do {
      return try connection.withPatience(Self.conditionLimit) {
        try reader.records(matching: filter, limit: limit, pending: pending)
      }
    } catch let failure as StorageFailure where failure.kind == .interrupted {
      throw StorageError.badCondition(
        "the condition takes longer than \(Self.conditionLimit) to judge: ask for fewer jobs")
    } catch let failure as StorageFailure where failure.kind == .refused {
      throw StorageError.badCondition("the condition is not accepted: \(failure.text)")
    }
  }

  func request(of job: JobID) throws -> JobRequest? {
    try pending.jobWithoutRows(job)?.request
      ?? connection.snapshot { try RecordReader(connection: connection).request(of: job) }
  }

  func events(_ filter: EventFilter) throws -> [JobEvent] {
    try connection.snapshot {
      switch filter {
      case .job(let job): try events.events(of: job)
      case .host(let host, let limit): try events.events(of: host, limit: limit)
      }
    }
  }

  // MARK: The end

  /// Writes what is pending and leaves the database in good order.
  func finish() throws {
    while !pending.isEmpty { try writeSomeRows() }
    try connection.finish()
  }
}

extension Change {
  /// The job that the change is about, if it changes one that exists.
  fileprivate var job: JobID? {
    switch self {
    case .jobState(let job, _, _), .jobAssigned(let job, _, _, _, _), .jobEnded(let job, _, _, _),
      .jobMessage(let job, _), .jobTypes(let job, _, _), .jobSuspended(let job),
      .jobDeletion(let job, _, _), .reservationAccepted(let job, _, _, _),
      .reservationRefused(let job), .jobWalltime(let job, _, _), .walltimeChange(let job, _):
      job
    default: nil
    }
  }
}
