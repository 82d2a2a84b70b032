// What others wrote to a shared database and nobody has acted upon: a few questions, each by an index.

import ClusterModel
import Storage

/// Reads news.
struct ForeignReader {
  let connection: Connection

  /// All news since a mark, as one state of the database.
  func news(after mark: NewsMark) throws -> News {
    try connection.snapshot {
      var news = News()
      try ForeignJobReader(connection: connection).read(after: mark, into: &news)
      news.watched = try watched(mark.watchedJobs)
      news.deletions = try deletions()
      news.events = try EventLog(connection: connection).uncheckedEvents(limit: News.eventLimit)
      news.wantedStates = try wantedStates()
      news.queues = try ClusterLoader(connection: connection).queues()
      news.walltimeChanges = try RequestReader(connection: connection).pendingWalltimeChanges()
      news.resourceMark = try resourceMark()
      return news
    }
  }

  /// What whoever runs a job has to know and nobody else.
  func secrets(of job: JobID) throws -> JobSecrets? {
    try connection.statement(
      "SELECT challenge, ssh_private_key, ssh_public_key FROM challenges WHERE job_id = ?"
    )
    .bind(job).firstRow {
      JobSecrets(challenge: $0.text(0), privateKey: $0.text(1), publicKey: $0.text(2))
    }
  }

  /// Where somebody waits for news of jobs.
  func waitingClients() throws -> [JobID: String] {
    let states = ClusterLoader.liveStates.map { literal($0.rawValue) }.joined(separator: ", ")
    var clients: [JobID: String] = [:]
    try connection.prepare(
      """
      SELECT job_id, info_type FROM jobs
      WHERE state IN (\(states)) AND (job_type = 'INTERACTIVE' OR reservation <> 'None')
      """
    ).forEachRow { clients[$0.integer(0)] = $0.text(1) }
    return clients
  }

  /// The jobs that have not ended and have rows.
  func liveJobs() throws -> [JobID] {
    let states = ClusterLoader.liveStates.map { literal($0.rawValue) }.joined(separator: ", ")
    return try connection.statement("live jobs", "jobs") {
      "SELECT job_id FROM jobs WHERE state IN (\(states)) ORDER BY job_id"
    }.rows { $0.integer(0) }
  }

  // MARK: Parts

  private func watched(_ jobs: [JobID]) throws -> [JobID: WatchedJob] {
    guard !jobs.isEmpty else { return [:] }
    var watched: [JobID: WatchedJob] = [:]
    try connection.statement("watched jobs", "jobs") {
      """
      SELECT job_id, state, start_time, stop_time, exit_code FROM jobs
      WHERE \(connection.dialect.isListed("job_id"))
      """
    }.bind(connection.dialect.list(jobs)).forEachRow { row in
      guard let state = JobState(rawValue: row.text(1)) else { return }
      watched[row.integer(0)] = WatchedJob(
        state: state, startTime: row.integer(2), stopTime: row.integer(3),
        exitStatus: row.optionalInteger(4))
    }
    return watched
  }

  private func deletions() throws -> [JobID: DeletionState] {
    var deletions: [JobID: DeletionState] = [:]
    try connection.statement(
      """
      SELECT frag_id_job, frag_state FROM frag_jobs
      WHERE frag_state IN ('LEON', 'TIMER_ARMED', 'LEON_EXTERMINATE')
      """
    ).forEachRow { deletions[$0.integer(0)] = DeletionState(rawValue: $0.text(1)) }
    return deletions
  }

  private func wantedStates() throws -> [WantedState] {
    try connection.statement(
      """
      SELECT resource_id, next_state, next_finaud_decision FROM resources
      WHERE next_state IN ('Alive', 'Dead', 'Absent', 'Suspected') ORDER BY resource_id
      """
    ).rows { row -> WantedState? in
      ResourceState(rawValue: row.text(1)).map {
        WantedState(resource: row.integer(0), state: $0, byServer: row.isYes(2))
      }
    }.compactMap { $0 }
  }

  /// Whoever changes a resource logs it; a removed one leaves the count, a new column its name.
  private func resourceMark() throws -> ResourceMark {
    var mark = ResourceMark()
    mark.count =
      try connection.statement("SELECT count(*) FROM resources").firstRow { $0.integer(0) } ?? 0
    mark.lastLog =
      try connection.statement("SELECT max(resource_log_id) FROM resource_logs")
      .firstRow { $0.integer(0) } ?? 0
    // Not kept: a statement with a star ends when a column comes or goes.
    mark.columns =
      try connection.prepare("SELECT * FROM resources LIMIT 1").firstRow { row in
        (0..<row.columnCount).map { row.name($0) }.joined(separator: ",")
      } ?? ""
    return mark
  }
}

extension EventLog {
  /// Events that somebody is to act upon, oldest first, with their hosts.
  func uncheckedEvents(limit: Int) throws -> [NumberedEvent] {
    let rows = try connection.statement(
      """
      SELECT event_id, type, job_id, date, description FROM event_logs
      WHERE to_check = 'YES' ORDER BY event_id LIMIT ?
      """
    ).bind(limit).rows(event)
    return try rows.map { NumberedEvent(id: $0.id, event: try withHosts($0)) }
  }

  /// Events were acted upon.
  func check(_ events: [Int]) throws {
    try connection.statement("events checked", "event_logs") {
      "UPDATE event_logs SET to_check = 'NO' WHERE \(connection.dialect.isListed("event_id"))"
    }.bind(connection.dialect.list(events)).run()
  }
}

extension ResourceChanges {
  /// Asks the server to give the resources of a host a state.
  func wish(_ state: ResourceState, of host: String) throws {
    try connection.statement(
      "UPDATE resources SET next_state = ?, next_finaud_decision = 'NO' WHERE network_address = ?"
    ).bind(state.rawValue).bind(host).run()
  }

  /// What was wished of resources is done; a wish that came meanwhile is another.
  func endWishes(of resources: [ResourceID], _ state: ResourceState) throws {
    try connection.statement("wishes done", "resources") {
      """
      UPDATE resources SET next_state = 'UnChanged', next_finaud_decision = 'NO'
      WHERE \(connection.dialect.isListed("resource_id")) AND next_state = ?
      """
    }.bind(connection.dialect.list(resources)).bind(state.rawValue).run()
  }
}

extension RequestReader {
  /// What is asked of the walltimes of jobs that run and not granted.
  func pendingWalltimeChanges() throws -> [JobID: WalltimeChange] {
    var changes: [JobID: WalltimeChange] = [:]
    try connection.statement(
      """
      SELECT pending, force, delay_next_jobs, granted, granted_with_force,
        granted_with_delay_next_jobs, job_id
      FROM walltime_change WHERE pending <> 0
      """
    ).forEachRow { changes[$0.integer(6)] = Self.change($0) }
    return changes
  }
}
