// A large array as one row: what its jobs share, once, and the command of each.

import ClusterModel
import Encoding
import Storage

/// An array of which not all jobs have rows of their own yet.
struct StoredArray {
  let first: JobID
  let count: Int
  /// Jobs before this place (from 0) all have rows; of the others some do.
  var nextIndex: Int
  private let template: Template
  private let commands: CommandList

  /// What all jobs of the array have in common.
  private struct Template: Codable {
    var request: JobRequest
    var arrayID: JobID
    var firstArrayIndex: Int
    var state: JobState
    var reservation: ReservationState
    var queue: String
    var types: [String]
    var submissionTime: Instant
    var startTime: Instant
    var firstMoldableID: MoldableID
    var message: String
    var resubmittedFrom: JobID
  }

  var jobs: Range<JobID> { first..<first + count }
  var isComplete: Bool { nextIndex >= count }
  var nextMoldable: MoldableID {
    template.firstMoldableID + count * template.request.moldables.count
  }

  /// The job at `index`, from 0.
  func job(at index: Int) -> Job {
    var job = Job(
      id: first + index, arrayID: template.arrayID, arrayIndex: template.firstArrayIndex + index,
      request: template.request, command: commands[index], state: template.state,
      queue: template.queue, types: template.types, submissionTime: template.submissionTime,
      firstMoldableID: template.firstMoldableID + index * template.request.moldables.count,
      message: template.message)
    job.reservation = template.reservation
    job.startTime = template.startTime
    job.resubmittedFrom = template.resubmittedFrom
    return job
  }

  // MARK: From jobs

  /// The jobs as one array; `nil` if they differ in more than their place and command.
  init?(_ jobs: [Job]) {
    guard let head = jobs.first else { return nil }
    let moldables = head.request.moldables.count
    for (index, job) in jobs.enumerated() {
      guard job.request === head.request, job.id == head.id + index,
        job.arrayIndex == head.arrayIndex + index,
        job.firstMoldableID == head.firstMoldableID + index * moldables,
        job.hasSameStart(as: head)
      else { return nil }
    }
    first = head.id
    count = jobs.count
    nextIndex = 0
    template = Template(
      request: head.request, arrayID: head.arrayID, firstArrayIndex: head.arrayIndex,
      state: head.state, reservation: head.reservation, queue: head.queue, types: head.types,
      submissionTime: head.submissionTime, startTime: head.startTime,
      firstMoldableID: head.firstMoldableID, message: head.message,
      resubmittedFrom: head.resubmittedFrom)
    commands = CommandList(jobs.lazy.map(\.command))
  }

  // MARK: Rows of liburna_arrays and liburna_array_requests

  /// The arrays that have jobs without rows.
  static func all(in connection: Connection) throws -> [StoredArray] {
    try connection.statement(
      """
      SELECT first_job_id, job_count, next_index, template, commands
      FROM liburna_arrays LEFT JOIN liburna_array_requests USING (first_job_id)
      ORDER BY first_job_id
      """
    ).rows { try StoredArray($0) }
  }

  private init(_ row: Statement) throws {
    first = row.integer(0)
    count = row.integer(1)
    nextIndex = row.integer(2)
    do {
      template = try CBORDecoder().decode(Template.self, from: row.blob(3))
    } catch {
      throw StorageError.unusable(
        "the row of array \(first) in liburna_array_requests is damaged: \(error)")
    }
    guard let commands = CommandList(encoded: row.blob(4)), commands.count == count else {
      throw StorageError.unusable(
        "the row of array \(first) in liburna_array_requests is damaged: its \(count) commands don't fit"
      )
    }
    self.commands = commands
  }

  func insert(into connection: Connection) throws {
    try connection.statement(
      "INSERT INTO liburna_arrays (first_job_id, job_count, next_index) VALUES (?, ?, ?)"
    ).bind(first).bind(count).bind(nextIndex).run()
    try connection.statement(
      "INSERT INTO liburna_array_requests (first_job_id, template, commands) VALUES (?, ?, ?)"
    ).bind(first).bind(CBOREncoder().encode(template)).bind(commands.encoded).run()
  }

  /// Writes how far the array has come; its rows go when it is complete.
  func updateProgress(in connection: Connection) throws {
    if isComplete {
      try connection.statement("DELETE FROM liburna_arrays WHERE first_job_id = ?")
        .bind(first).run()
      try connection.statement("DELETE FROM liburna_array_requests WHERE first_job_id = ?")
        .bind(first).run()
    } else {
      try connection.statement("UPDATE liburna_arrays SET next_index = ? WHERE first_job_id = ?")
        .bind(nextIndex).bind(first).run()
    }
  }
}

extension Job {
  /// Whether the job starts its way as `other` does.
  fileprivate func hasSameStart(as other: Job) -> Bool {
    arrayID == other.arrayID && state == other.state && reservation == other.reservation
      && queue == other.queue && types == other.types && submissionTime == other.submissionTime
      && startTime == other.startTime && message == other.message
      && resubmittedFrom == other.resubmittedFrom && !wasSuspended && assignedMoldable == nil
      && deletionAsked == 0
  }
}
