// The table of `oarstat`: one line a job, in OAR's two forms, with or without array columns.

import ClusterModel
import CommandLine

/// How jobs are listed.
struct JobTable {
  enum Form {
    /// Name, user, submission date, state, queue.
    case submission
    /// State, user, duration, system message; OAR's default.
    case message
  }

  var form = Form.message
  /// Whether the columns of arrays are shown.
  var showsArrays = false
  /// Whether the listed jobs of an array share one line.
  var isCompact = false
  var zone = DateZone.local

  /// The table of jobs by id; nothing for no jobs, as in OAR.
  func text(_ jobs: [JobRecord], now: Instant) -> [UInt8] {
    guard !jobs.isEmpty else { return [] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity((jobs.count + 2) * 100)
    bytes.append(text: header)
    var listedJobs: [JobID: Int] = [:]
    if isCompact {
      for job in jobs { listedJobs[job.arrayID, default: 0] += 1 }
    }
    for job in jobs {
      let count = isCompact ? listedJobs.updateValue(0, forKey: job.arrayID) ?? 0 : 1
      guard count > 0 else { continue }
      let id = count > 1 ? "\(count)@\(job.arrayID)" : String(job.id)
      let state = count > 1 ? "-" : String(job.state.letter)
      append(job, id: id, state: state, now: now, to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  private func append(
    _ job: JobRecord, id: String, state: String, now: Instant, to bytes: inout [UInt8]
  ) {
    switch (form, showsArrays) {
    case (.message, false):
      bytes.append(column: id, 9)
      appendMessageColumns(job, state: state, now: now, to: &bytes)
    case (.message, true):
      bytes.append(column: id, 9)
      bytes.append(column: String(job.arrayID), 9)
      bytes.append(column: String(job.arrayIndex), 5)
      appendMessageColumns(job, state: state, now: now, to: &bytes)
    case (.submission, false):
      bytes.append(column: id, 10)
      bytes.append(column: job.name ?? "", 14)
      bytes.append(column: job.user, 14)
      bytes.append(column: LocalDate(job.submissionTime, in: zone).text, 19)
      bytes.append(column: state, 1)
      bytes.append(left: job.queue, width: 10)
    case (.submission, true):
      bytes.append(column: id, 9)
      bytes.append(column: String(job.arrayID), 9)
      bytes.append(column: String(job.arrayIndex), 9)
      bytes.append(column: job.name ?? "", 10)
      bytes.append(column: job.user, 8)
      bytes.append(column: LocalDate(job.submissionTime, in: zone).text, 19)
      bytes.append(column: state, 1)
      bytes.append(left: job.queue, width: 8)
    }
  }

  private func appendMessageColumns(
    _ job: JobRecord, state: String, now: Instant, to bytes: inout [UInt8]
  ) {
    bytes.append(column: state, 1)
    bytes.append(column: job.user, 8)
    bytes.append(right: job.duration(at: now).paddedDuration, width: 10)
    bytes.append(UInt8(ascii: " "))
    bytes.append(printable: job.message)
  }

  private var header: String {
    switch (form, showsArrays) {
    case (.message, false):
      """
      Job id    S User     Duration   System message
      --------- - -------- ---------- ------------------------------------------------

      """
    case (.message, true):
      """
      Job id    A. id     index S User     Duration   System message
      --------- --------- ----- - -------- ---------- --------------------------------

      """
    case (.submission, false):
      """
      Job id     Name           User           Submission Date     S Queue
      ---------- -------------- -------------- ------------------- - ----------

      """
    case (.submission, true):
      """
      Job id    A. id     A. index  Name       User     Submission Date     S Queue
      --------- --------- --------- ---------- -------- ------------------- - --------

      """
    }
  }
}

extension [UInt8] {
  /// Appends a column and the blank after it.
  fileprivate mutating func append(column text: String, _ width: Int) {
    append(left: text, width: width)
    append(UInt8(ascii: " "))
  }
}
