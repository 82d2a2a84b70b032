// The jobs that have not ended, read in a few passes over OAR's tables. Equal requests become one
// object, so that the jobs of an array share theirs again.

import ClusterModel
import Storage

/// Reads live jobs; used once.
struct LiveJobLoader {
  /// What is said of rows that can't be understood; their jobs are left out.
  private(set) var problems: [String]
  private let connection: Connection
  private let shapes: LiveShapes
  private let types: [JobID: [String]]
  private let dependencies: [JobID: [JobID]]
  private let assigned: [MoldableID: [ResourceID]]
  private let deletions: [JobID: Instant]
  private let reservationStarts: [JobID: Instant]
  /// What waiting reservations were promised.
  private let promises: [MoldableID: [ResourceID]]
  private let walltimeChanges: [JobID: WalltimeChange]
  private var requests: [Fingerprint: JobRequest] = [:]
  private var lastRequest: (fingerprint: Fingerprint, request: JobRequest)?
  private var fingerprint = Fingerprint()
  // The last values, to share those that repeat.
  private var lastCommand = ""
  private var lastMessage = ""

  init(connection: Connection, problems: [String]) throws {
    self.connection = connection
    self.problems = problems
    shapes = try RequestReader(connection: connection).liveShapes()
    types = try Self.liveTypes(connection)
    dependencies = try Self.lists(
      connection.prepare(
        """
        SELECT job_id, job_id_required FROM job_dependencies
        WHERE job_dependency_index = 'CURRENT' ORDER BY \(connection.dialect.insertionOrder)
        """))
    assigned = try Self.lists(
      connection.statement(
        """
        SELECT moldable_job_id, resource_id FROM assigned_resources
        WHERE assigned_resource_index = 'CURRENT' ORDER BY moldable_job_id, resource_id
        """))
    deletions = try Self.numbers(
      connection.statement(
        """
        SELECT frag_id_job, frag_date FROM frag_jobs
        WHERE frag_state IN ('LEON', 'TIMER_ARMED', 'LEON_EXTERMINATE')
        """))
    reservationStarts =
      connection.hasTable("liburna_jobs")
      ? try Self.numbers(
        connection.statement("SELECT job_id, reservation_start FROM liburna_jobs")) : [:]
    promises = try Self.lists(
      connection.statement(
        """
        SELECT moldable_id, g.resource_id FROM jobs
          JOIN moldable_job_descriptions m ON m.moldable_job_id = job_id
          JOIN gantt_jobs_resources g ON g.moldable_job_id = moldable_id
        WHERE reservation = 'Scheduled' AND state IN ('Waiting', 'toAckReservation')
        ORDER BY 1, 2
        """))
    walltimeChanges = try RequestReader(connection: connection).liveWalltimeChanges()
  }

  /// The live jobs that have rows, by id.
  mutating func load() throws -> [Job] {
    let states = ClusterLoader.liveStates.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    let statement = try connection.prepare(
      """
      SELECT job_id, array_id, array_index, command, state, reservation, queue_name,
        submission_time, start_time, assigned_moldable_job, message, resubmit_job_id, suspended,
        job_user, job_name, project, job_type, properties, launching_directory, stdout_file,
        stderr_file, checkpoint, checkpoint_signal, notify, initial_request, info_type
      FROM jobs WHERE state IN (\(states))
      """)
    var jobs: [Job] = []
    try statement.forEachRow { row in
      if let job = try job(row) { jobs.append(job) }
    }
    jobs.sort { $0.id < $1.id }
    return jobs
  }

  private mutating func job(_ row: Statement) throws -> Job? {
    let id = row.integer(0)
    guard let state = JobState(rawValue: row.text(4)),
      let reservation = ReservationState(rawValue: row.text(5))
    else {
      problems.append("job \(id) was set aside: its state \(row.text(4)) is not known")
      return nil
    }
    guard let entry = entry(of: id, assigned: row.integer(9)) else {
      problems.append("job \(id) was set aside: it has no resource description")
      return nil
    }
    share(row, 3, &lastCommand)
    share(row, 10, &lastMessage)
    var job = Job(
      id: id, arrayID: row.integer(1), arrayIndex: row.integer(2),
      request: request(row, of: id, shape: entry.shape), command: lastCommand, state: state,
      queue: row.text(6), types: types[id] ?? [], submissionTime: row.integer(7),
      firstMoldableID: entry.firstMoldable, message: lastMessage)
    job.reservation = reservation
    job.startTime = row.integer(8)
    job.resubmittedFrom = row.integer(11)
    job.deletionAsked = deletions[id] ?? 0
    job.promised = promises[job.firstMoldableID] ?? []
    job.walltimeChange = walltimeChanges[id]
    assign(row.integer(9), to: &job)
    job.wasSuspended = row.isYes(12)
    if job.wasSuspended { try addSuspensions(to: &job) }
    return job
  }

  /// What a job may run in. Of moldables whose numbers are apart those count that go with the one that it has.
  private mutating func entry(of job: JobID, assigned: MoldableID) -> LiveShapes.Entry? {
    guard let first = shapes.entries[job] else { return nil }
    guard let others = shapes.others[job] else { return first }
    problems.append(
      "the moldables of job \(job) have numbers that are apart: not all of them are considered")
    return others.last { $0.firstMoldable <= assigned } ?? first
  }

  private func assign(_ moldable: MoldableID, to job: inout Job) {
    let index = moldable - job.firstMoldableID
    guard moldable != 0, job.request.moldables.indices.contains(index) else { return }
    job.assignedMoldable = index
    job.assignedResources = assigned[moldable] ?? []
  }

  /// How long the job was suspended, from its log: from each suspension until it ran again.
  private func addSuspensions(to job: inout Job) throws {
    try connection.statement(
      """
      SELECT job_state, date_start FROM job_state_logs WHERE job_id = ? ORDER BY job_state_log_id
      """
    ).bind(job.id).forEachRow { row in
      switch JobState(rawValue: row.text(0)) {
      case .suspended, .resuming:
        if job.suspendedSince == 0 { job.suspendedSince = row.integer(1) }
      default:
        if job.suspendedSince != 0 { job.suspendedSeconds += row.integer(1) - job.suspendedSince }
        job.suspendedSince = 0
      }
    }
  }

  // MARK: Requests

  private mutating func request(_ row: Statement, of job: JobID, shape: Int) -> JobRequest {
    let required = dependencies[job] ?? []
    let reservationStart = reservationStarts[job] ?? 0
    fingerprint.removeAll()
    for column in 13...25 {
      // A missing value is not an empty one.
      fingerprint.add(row.isNull(column) ? 0 : 1)
      fingerprint.add(row.textBytes(column))
    }
    fingerprint.add(reservationStart)
    fingerprint.add(shape)
    for job in required { fingerprint.add(job) }
    // Most jobs are like the one before, and comparing is cheaper than hashing.
    if let last = lastRequest, last.fingerprint == fingerprint { return last.request }
    let request =
      requests[fingerprint]
      ?? newRequest(row, shape: shape, dependencies: required, reservationStart: reservationStart)
    requests[fingerprint] = request
    lastRequest = (fingerprint, request)
    return request
  }

  private func newRequest(
    _ row: Statement, shape: Int, dependencies: [JobID], reservationStart: Instant
  ) -> JobRequest {
    JobRequest(
      user: row.text(13), name: row.optionalText(14), project: row.text(15),
      kind: JobKind(rawValue: row.text(16)) ?? .passive, properties: row.text(17),
      moldables: shapes.shapes[shape], directory: row.text(18), stdout: row.text(19),
      stderr: row.text(20), dependencies: dependencies, checkpoint: row.integer(21),
      checkpointSignal: row.integer(22), notify: row.optionalText(23),
      initialRequest: row.text(24), reservationStart: reservationStart,
      submissionHost: submissionHost(ofInfo: row.text(25)))
  }

  // MARK: Tables as dictionaries

  /// The text of a column, as the same string as before if it is the same.
  private func share(_ row: Statement, _ column: Int, _ last: inout String) {
    if !row.textBytes(column).elementsEqual(last.utf8) { last = row.text(column) }
  }

  private static func liveTypes(_ connection: Connection) throws -> [JobID: [String]] {
    var types: [JobID: [String]] = [:]
    try connection.statement(
      "SELECT job_id, type FROM job_types WHERE types_index = 'CURRENT' ORDER BY job_type_id"
    ).forEachRow { types[$0.integer(0), default: []].append($0.text(1)) }
    // Equal lists are kept once.
    var shared: [[String]: [String]] = [:]
    return types.mapValues { list in
      if let same = shared[list] { return same }
      shared[list] = list
      return list
    }
  }

  private static func lists(_ statement: Statement) throws -> [Int: [Int]] {
    var lists: [Int: [Int]] = [:]
    try statement.forEachRow { lists[$0.integer(0), default: []].append($0.integer(1)) }
    return lists
  }

  private static func numbers(_ statement: Statement) throws -> [Int: Int] {
    var numbers: [Int: Int] = [:]
    try statement.forEachRow { numbers[$0.integer(0)] = $0.integer(1) }
    return numbers
  }
}
