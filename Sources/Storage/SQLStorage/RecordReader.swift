// Jobs as people ask for them, live or ended long ago.

import ClusterModel
import Storage

/// Answers questions about jobs.
struct RecordReader {
  let connection: Connection

  /// Read in this order.
  private static let columns = [
    "job_id", "array_id", "array_index", "job_name", "project", "job_user", "state", "job_type",
    "queue_name", "command", "properties", "launching_directory", "stdout_file", "stderr_file",
    "reservation", "exit_code", "submission_time", "start_time", "stop_time", "message",
    "initial_request", "resubmit_job_id", "assigned_moldable_job",
  ]

  /// Jobs that match, by id.
  func records(
    matching filter: JobFilter, limit: Int, pending: PendingArrays
  ) throws -> [JobRecord] {
    guard limit > 0, let query = try JobQuery(filter, connection.dialect) else { return [] }
    var records = try written(query, limit: limit)
    if !pending.isEmpty {
      let others = try pending.jobs(matching: filter, limit: limit)
      records += try others.map(record)
      records.sort { $0.id < $1.id }
      records.removeLast(max(0, records.count - limit))
    }
    if filter.ids != nil {
      let log = EventLog(connection: connection)
      for index in records.indices { records[index].events = try log.events(of: records[index].id) }
    }
    return records
  }

  private func written(_ query: JobQuery, limit: Int) throws -> [JobRecord] {
    let statement = try connection.prepare(
      """
      SELECT \(connection.list(Self.columns, of: "jobs"))
      FROM jobs \(query.clause) ORDER BY job_id LIMIT ?
      """)
    for value in query.values { statement.bind(value) }
    return try statement.bind(limit).rows(record).compactMap { $0 }
  }

  // MARK: One record

  private func record(_ row: Statement) throws -> JobRecord? {
    guard let state = JobState(rawValue: row.text(6)) else { return nil }
    let id = row.integer(0)
    let name = row.optionalText(3)
    let (arrayID, arrayIndex) = (row.integer(1), row.integer(2))
    func file(_ column: Int) -> String {
      resolveFilePattern(
        row.text(column), job: id, name: name, arrayID: arrayID, arrayIndex: arrayIndex)
    }
    let request = try RequestReader(connection: connection).moldables(of: id)
    var record = JobRecord(
      id: id, arrayID: arrayID, arrayIndex: arrayIndex, name: name, project: row.text(4),
      user: row.text(5), state: state, kind: JobKind(rawValue: row.text(7)) ?? .passive,
      queue: row.text(8), command: row.text(9), properties: row.text(10),
      moldables: request.moldables, types: try types(of: id),
      dependencies: try dependencies(of: id),
      directory: row.text(11), stdout: file(12), stderr: file(13),
      reservation: ReservationState(rawValue: row.text(14)) ?? .none,
      exitCode: row.optionalInteger(15), submissionTime: row.integer(16),
      startTime: row.integer(17), stopTime: row.integer(18), message: row.text(19),
      initialRequest: row.optionalText(20), scheduledStart: nil, resubmittedFrom: row.integer(21))
    record.walltimeChange = try RequestReader(connection: connection).walltimeChange(of: id)
    if let index = request.ids.firstIndex(of: row.integer(22)) {
      try addAssignment(row.integer(22), index: index, to: &record)
    }
    if !state.isFinal { record.scheduledStart = try plannedStart(of: request.ids) }
    return record
  }

  /// The record of a job that has no rows yet.
  private func record(_ job: Job) throws -> JobRecord {
    let request = job.request
    func file(_ pattern: String) -> String {
      resolveFilePattern(
        pattern, job: job.id, name: request.name, arrayID: job.arrayID, arrayIndex: job.arrayIndex)
    }
    return JobRecord(
      id: job.id, arrayID: job.arrayID, arrayIndex: job.arrayIndex, name: request.name,
      project: request.project, user: request.user, state: job.state, kind: request.kind,
      queue: job.queue, command: job.command, properties: request.properties,
      moldables: request.moldables, types: job.types, dependencies: request.dependencies,
      directory: request.directory, stdout: file(request.stdout), stderr: file(request.stderr),
      reservation: job.reservation, exitCode: nil, submissionTime: job.submissionTime,
      startTime: job.startTime, stopTime: 0, message: job.message,
      initialRequest: request.initialRequest,
      scheduledStart: try plannedStart(
        of: request.moldables.indices.map { job.moldableID(at: $0) }),
      resubmittedFrom: job.resubmittedFrom)
  }

  // MARK: Its parts

  private func types(of job: JobID) throws -> [String] {
    try connection.statement("SELECT type FROM job_types WHERE job_id = ? ORDER BY job_type_id")
      .bind(job).rows { $0.text(0) }
  }

  func dependencies(of job: JobID) throws -> [JobID] {
    try connection.statement("dependencies", "job_dependencies") {
      """
      SELECT job_id_required FROM job_dependencies WHERE job_id = ?
      ORDER BY \(connection.dialect.insertionOrder)
      """
    }.bind(job).rows { $0.integer(0) }
  }

  private func addAssignment(
    _ moldable: MoldableID, index: Int, to record: inout JobRecord
  ) throws {
    record.assignedMoldable = index
    var resources: [ResourceID] = []
    var hosts: [String] = []
    try connection.statement(
      """
      SELECT a.resource_id, network_address
      FROM assigned_resources a LEFT JOIN resources r ON r.resource_id = a.resource_id
      WHERE moldable_job_id = ? ORDER BY a.resource_id
      """
    ).bind(moldable).forEachRow { row in
      resources.append(row.integer(0))
      let host = row.text(1)
      if !host.isEmpty && hosts.last != host && !hosts.contains(host) { hosts.append(host) }
    }
    record.assignedResources = resources
    record.assignedHosts = hosts
  }

  /// When the plan lets the job start, in whichever of its moldables.
  private func plannedStart(of moldables: [MoldableID]) throws -> Instant? {
    for moldable in moldables {
      let start = try connection.statement(
        "SELECT start_time FROM gantt_jobs_predictions_visu WHERE moldable_job_id = ?"
      ).bind(moldable).firstRow { $0.integer(0) }
      if let start { return start }
    }
    return nil
  }
}

extension PendingArrays {
  /// Jobs without rows that match, by id; a condition can't be judged here: it needs rows.
  func jobs(matching filter: JobFilter, limit: Int) throws -> [Job] {
    func matches(_ job: Job) -> Bool {
      filter.arrays?.contains(job.arrayID) ?? true
        && filter.users?.contains(job.request.user) ?? true
        && filter.states?.contains(job.state) ?? true
    }
    if let ids = filter.ids {
      let jobs = try Set(ids).sorted().compactMap { try jobWithoutRows($0) }
      return Array(jobs.lazy.filter(matches).prefix(limit))
    }
    // All jobs of an array have the same user and state.
    let candidates = arrays.filter { !$0.isComplete && matches($0.job(at: 0)) }
    var jobs: [Job] = []
    for array in candidates where jobs.count < limit {
      jobs += try jobsWithoutRows(of: array, limit: limit - jobs.count)
    }
    return jobs
  }
}
