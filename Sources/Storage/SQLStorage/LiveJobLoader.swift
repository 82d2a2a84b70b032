// The jobs that have not ended, read in a few passes over OAR's tables. Equal requests become one
// object, so that the jobs of an array share theirs again.

import ClusterModel
import Storage

/// Reads live jobs; used once.
struct LiveJobLoader {
  /// What is said of rows that can't be understood; their jobs are left out.
  private(set) var problems: [String]
  private let connection: Connection
  private let jobs: Statement
  private let shapes: LiveShapes
  private let types: [JobID: [String]]
  private let dependencies: [JobID: [JobID]]
  private let assigned: [MoldableID: [ResourceID]]
  private let deletions: [JobID: Instant]
  private let reservationStarts: [JobID: Instant]
  private let walltimeChanges: [JobID: WalltimeChange]
  private var requests: [Fingerprint: JobRequest] = [:]
  private var lastRequest: (fingerprint: Fingerprint, request: JobRequest)?
  private var fingerprint = Fingerprint()
  // The last values, to share those that repeat.
  private var lastCommand = ""
  private var lastMessage = ""

  init(_ questions: LiveJobQuestions, problems: [String]) throws {
    let connection = questions.connection
    let reader = RequestReader(connection: connection)
    self.connection = connection
    self.problems = problems
    jobs = questions.jobs
    shapes = try reader.liveShapes(questions.shapes)
    types = try Self.liveTypes(questions.types)
    dependencies = try Self.lists(questions.dependencies)
    assigned = try Self.lists(questions.assigned)
    deletions = try Self.numbers(questions.deletions)
    reservationStarts = try Self.numbers(questions.reservationStarts)
    walltimeChanges = try reader.liveWalltimeChanges(questions.walltimeChanges)
    try questions.states.forEachRow { row in
      guard JobState(rawValue: row.text(0)) == nil else { return }
      self.problems.append(
        "the jobs in the state \"\(row.text(0))\" were set aside: it is not known")
    }
  }

  /// The live jobs that have rows, by id.
  mutating func load() throws -> [Job] {
    var loaded: [Job] = []
    try jobs.forEachRow { row in
      if let job = try job(row) { loaded.append(job) }
    }
    loaded.sort { $0.id < $1.id }
    try addPromises(to: &loaded)
    return loaded
  }

  /// What waiting reservations were promised. Asked by number: right after many rows came, a database whose
  /// figures of the tables are older joins the plan with the jobs row by row.
  private func addPromises(to jobs: inout [Job]) throws {
    let waiting = jobs.indices.filter {
      jobs[$0].reservation == .scheduled
        && (jobs[$0].state == .waiting || jobs[$0].state == .toAckReservation)
    }
    if waiting.isEmpty { return }
    let dialect = connection.dialect
    let rows = try connection.statement("promises", "gantt_jobs_resources") {
      """
      SELECT moldable_job_id, resource_id FROM gantt_jobs_resources
      WHERE \(dialect.isListed("moldable_job_id")) ORDER BY 1, 2
      """
    }.bind(dialect.list(waiting.map { jobs[$0].firstMoldableID }))
    let promises = try Self.lists(rows)
    for index in waiting { jobs[index].promised = promises[jobs[index].firstMoldableID] ?? [] }
  }

  private mutating func job(_ row: Statement) throws -> Job? {
    let id = row.integer(0)
    guard let state = JobState(rawValue: row.text(4)),
      let reservation = ReservationState(rawValue: row.text(5))
    else {
      problems.append("job \(id) was set aside: its state \(row.text(4)) is not known")
      return nil
    }
    guard let entry = shapes.entries[id] else {
      // OAR's commands write the rows of a job one after the other, and hold it until all are there.
      if !connection.isShared || state != .hold {
        problems.append("job \(id) was set aside: it has no resource description")
      }
      return nil
    }
    row.hasBrokenText = false
    share(row, 3, &lastCommand)
    let request = request(row, of: id, shape: entry.shape)
    if let problem = problem(row, shapes.shapes[entry.shape]) {
      problems.append("job \(id) was set aside: \(problem)")
      return nil
    }
    share(row, 10, &lastMessage)
    var job = Job(
      id: id, arrayID: row.integer(1), arrayIndex: row.integer(2), request: request,
      command: lastCommand, state: state,
      queue: row.text(6), types: types[id] ?? [], submissionTime: row.integer(7),
      firstMoldableID: entry.firstMoldable, message: lastMessage)
    job.scatteredMoldableIDs = entry.scattered
    job.reservation = reservation
    job.startTime = row.integer(8)
    job.resubmittedFrom = row.integer(11)
    job.deletionAsked = deletions[id] ?? 0
    job.walltimeChange = walltimeChanges[id]
    assign(row.integer(9), to: &job)
    job.wasSuspended = row.isYes(12)
    if job.wasSuspended { try addSuspensions(to: &job) }
    return job
  }

  /// Why no job can be made of a row; `nil` if one can.
  private func problem(_ row: Statement, _ shape: LiveShapes.Shape) -> String? {
    if let problem = shape.problem { return problem }
    if row.integer(0) <= 0 { return "its number is not positive" }
    for (column, name) in [(7, "submission time"), (8, "start time")] where row.integer(column) < 0
    {
      return "its \(name) is \(row.integer(column))"
    }
    return row.hasBrokenText ? "one of its texts is not in UTF-8" : nil
  }

  private func assign(_ moldable: MoldableID, to job: inout Job) {
    guard moldable != 0, let index = job.moldableIndex(of: moldable) else { return }
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
    for column in LiveJobRow.requestColumns {
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
      ?? LiveJobRow.request(
        row, moldables: shapes.shapes[shape].moldables, dependencies: required,
        reservationStart: reservationStart)
    if row.hasBrokenText { return request }
    requests[fingerprint] = request
    lastRequest = (fingerprint, request)
    return request
  }

  // MARK: Tables as dictionaries

  /// The text of a column, as the same string as before if it is the same.
  private func share(_ row: Statement, _ column: Int, _ last: inout String) {
    if !row.textBytes(column).elementsEqual(last.utf8) { last = row.text(column) }
  }

  private static func liveTypes(_ answer: Statement) throws -> [JobID: [String]] {
    var types: [JobID: [String]] = [:]
    try answer.forEachRow { types[$0.integer(0), default: []].append($0.text(1)) }
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
