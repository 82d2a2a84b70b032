// Jobs that others submitted to a shared database. Their rows come one after the other: a job is there when
// the log row of its state is, and says the same as the job (OAR's `oarsub` writes one of the two last).

import ClusterModel
import Storage

/// Reads new jobs.
struct ForeignJobReader {
  let connection: Connection

  /// What was read of one job.
  private struct Row {
    var job: Job
    var info: String
    var assignedMoldable: MoldableID
    /// The columns of the request.
    var request: JobRequest
  }

  func read(after mark: NewsMark, into news: inout News) throws {
    var rows: [Row] = []
    let columns = connection.list(LiveJobRow.columns, of: "jobs")
    let new = try connection.statement("new jobs", "jobs") {
      "SELECT \(columns) FROM jobs WHERE job_id >= ? ORDER BY job_id LIMIT ?"
    }
    try new.bind(mark.nextJob).bind(News.jobLimit).forEachRow { read($0, &rows, &news) }
    if !mark.missingJobs.isEmpty {
      let missing = try connection.statement("missing jobs", "jobs") {
        "SELECT \(columns) FROM jobs WHERE \(connection.dialect.isListed("job_id"))"
      }
      try missing.bind(connection.dialect.list(mark.missingJobs))
        .forEachRow { read($0, &rows, &news) }
    }
    news.lastJob = (rows.map(\.job.id) + news.endedJobs).max() ?? 0
    guard !rows.isEmpty else { return }
    try complete(rows, into: &news)
  }

  /// Reads a row of `jobs`; its moldables are not known yet.
  private func read(_ row: Statement, _ rows: inout [Row], _ news: inout News) {
    let id = row.integer(0)
    guard let state = JobState(rawValue: row.text(4)),
      let reservation = ReservationState(rawValue: row.text(5))
    else {
      news.problems.append("job \(id) was set aside: its state \(row.text(4)) is not known")
      return news.endedJobs.append(id)
    }
    if state.isFinal { return news.endedJobs.append(id) }
    let request = LiveJobRow.request(row)
    var job = Job(
      id: id, arrayID: row.integer(1), arrayIndex: row.integer(2), request: request,
      command: row.text(3), state: state, queue: row.text(6), types: [],
      submissionTime: row.integer(7), firstMoldableID: 0, message: row.text(10))
    job.reservation = reservation
    job.startTime = row.integer(8)
    job.resubmittedFrom = row.integer(11)
    job.wasSuspended = row.isYes(12)
    rows.append(
      Row(
        job: job, info: row.text(25), assignedMoldable: row.integer(9), request: request))
  }

  /// Adds what other tables say of the jobs, and leaves out those that are not complete.
  private func complete(_ rows: [Row], into news: inout News) throws {
    let ids = rows.map(\.job.id)
    let logged = try loggedStates(ids)
    let types = try lists(
      "types", "job_types", ids,
      "SELECT job_id, type FROM job_types WHERE \(listed("job_id")) ORDER BY job_type_id"
    ) { $0.text(1) }
    let dependencies = try lists(
      "dependencies", "job_dependencies", ids,
      "SELECT job_id, job_id_required FROM job_dependencies WHERE \(listed("job_id"))"
    ) { $0.integer(1) }
    let moldables = try lists(
      "moldables", "moldable_job_descriptions", ids,
      """
      SELECT moldable_job_id, moldable_id FROM moldable_job_descriptions
      WHERE \(listed("moldable_job_id")) ORDER BY moldable_id
      """
    ) { $0.integer(1) }
    let reader = RequestReader(connection: connection)
    for var row in rows {
      let id = row.job.id
      let (described, numbers) = try reader.moldables(of: id)
      guard logged[id] == row.job.state, let first = numbers.first,
        numbers.count == moldables[id]?.count
      else {
        news.incompleteJobs.append(id)
        continue
      }
      row.job.types = types[id] ?? []
      row.job.firstMoldableID = first
      // Another submission may have come between its moldables.
      let isInARow = numbers.enumerated().allSatisfy { $1 == first + $0 }
      row.job.scatteredMoldableIDs = isInARow ? [] : numbers
      row.job.request = row.request.with(described, dependencies: dependencies[id] ?? [])
      try assign(row.assignedMoldable, to: &row.job)
      news.jobs.append(row.job)
      news.clients[id] = row.info
    }
    news.jobs.sort { $0.id < $1.id }
  }

  private func assign(_ moldable: MoldableID, to job: inout Job) throws {
    guard moldable != 0, let index = job.moldableIndex(of: moldable) else { return }
    job.assignedMoldable = index
    job.assignedResources = try connection.statement(
      """
      SELECT resource_id FROM assigned_resources
      WHERE moldable_job_id = ? AND assigned_resource_index = 'CURRENT' ORDER BY resource_id
      """
    ).bind(moldable).rows { $0.integer(0) }
  }

  // MARK: Parts

  private func loggedStates(_ ids: [JobID]) throws -> [JobID: JobState] {
    var states: [JobID: JobState] = [:]
    try connection.statement("open states", "job_state_logs") {
      """
      SELECT job_id, job_state FROM job_state_logs
      WHERE \(listed("job_id")) AND date_stop = 0 ORDER BY job_state_log_id
      """
    }.bind(connection.dialect.list(ids)).forEachRow { row in
      states[row.integer(0)] = JobState(rawValue: row.text(1))
    }
    return states
  }

  private func listed(_ column: String) -> String { connection.dialect.isListed(column) }

  private func lists<Value>(
    _ purpose: String, _ table: String, _ ids: [JobID], _ sql: @autoclosure () -> String,
    _ value: (Statement) -> Value
  ) throws -> [JobID: [Value]] {
    var lists: [JobID: [Value]] = [:]
    try connection.statement("new \(purpose)", table, sql)
      .bind(connection.dialect.list(ids))
      .forEachRow { lists[$0.integer(0), default: []].append(value($0)) }
    return lists
  }
}

extension JobRequest {
  /// The same with moldables and dependencies that were read apart.
  fileprivate func with(_ moldables: [Moldable], dependencies: [JobID]) -> JobRequest {
    JobRequest(
      user: user, name: name, project: project, kind: kind, properties: properties,
      moldables: moldables, directory: directory, stdout: stdout, stderr: stderr,
      dependencies: dependencies, checkpoint: checkpoint, checkpointSignal: checkpointSignal,
      notify: notify, initialRequest: initialRequest, submissionHost: submissionHost)
  }
}
