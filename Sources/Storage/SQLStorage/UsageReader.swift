// What users and projects had in the past, for fair shares: all jobs are read, in slices, so that commits
// need not wait for the whole.

import ClusterModel
import Storage

/// Adds up the use of resources from one instant to another. Times outside count for nothing.
struct UsageReader {
  /// Jobs of so many consecutive ids are read at a time: some hundredths of a second.
  static let sliceLength = 10_000

  let begin: Instant
  let end: Instant
  private var sums: [Owner: PastUse] = [:]
  /// The first id that is not read yet; `nil` before the first slice.
  private var next: JobID?

  private struct Owner: Hashable {
    var user: String
    var project: String
    var queue: String
  }

  init(from begin: Instant, to end: Instant) {
    self.begin = begin
    self.end = end
  }

  /// What was found so far, by user, project and queue.
  var pastUse: [PastUse] {
    sums.values.sorted { ($0.user, $0.project, $0.queue) < ($1.user, $1.project, $1.queue) }
  }

  /// Reads some jobs; whether there are more.
  mutating func readSlice(_ connection: Connection) throws -> Bool {
    let bounds = try connection.statement("SELECT MIN(job_id), MAX(job_id) FROM jobs")
      .firstRow { ($0.integer(0), $0.integer(1)) }
    guard let bounds else { return false }
    let first = max(next ?? bounds.0, bounds.0)
    let last = min(bounds.1, first + Self.sliceLength - 1)
    guard first <= last else { return false }
    for use in try use(ofJobs: first, last, connection) { add(use) }
    next = last + 1
    return last < bounds.1
  }

  private mutating func add(_ use: PastUse) {
    let owner = Owner(user: use.user, project: use.project, queue: use.queue)
    guard var sum = sums[owner] else {
      sums[owner] = use
      return
    }
    sum.used += use.used
    sum.asked += use.asked
    sums[owner] = sum
  }

  private func use(
    ofJobs first: JobID, _ last: JobID, _ connection: Connection
  ) throws -> [PastUse] {
    try connection.statement("use", "jobs") { Self.sql(connection.dialect) }.bind(begin).bind(end)
      .bind(first).bind(last).rows { row in
        PastUse(
          user: row.text(0), project: row.text(1), queue: row.text(2), used: row.integer(3),
          asked: row.integer(4))
      }
  }

  /// Parameters: begin, end, the first and the last job.
  private static func sql(_ dialect: Dialect) -> String {
    let (least, greatest) = (dialect.least, dialect.greatest)
    let start = "\(greatest)(start_time, ?1)"
    let state = dialect.withoutIndex("state")
    return """
      SELECT job_user, project, queue_name,
        CAST(SUM(size * \(greatest)(0, \(least)(stop_time, ?2) - \(start))) AS bigint),
        CAST(SUM(size * \(greatest)(0, \(least)(start_time + moldable_walltime, ?2) - \(start)))
          AS bigint)
      FROM (
        SELECT job_user, project, queue_name, start_time, stop_time, moldable_walltime,
          (SELECT COUNT(*) FROM assigned_resources
            WHERE moldable_job_id = assigned_moldable_job) AS size
        FROM jobs JOIN moldable_job_descriptions ON moldable_id = assigned_moldable_job
        WHERE job_id BETWEEN ?3 AND ?4 AND stop_time > ?1 AND start_time > 0 AND start_time < ?2
          AND \(state) IN ('Terminated', 'Error')
      ) AS ended
      GROUP BY job_user, project, queue_name
      """
  }
}
