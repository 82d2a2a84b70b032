// What users and projects had in the past, for fair shares.

import ClusterModel
import Storage

/// Adds up the use of resources.
struct UsageReader {
  let connection: Connection

  /// What jobs that ended had from `begin` to `end`. Times outside count for nothing.
  func pastUse(from begin: Instant, to end: Instant) throws -> [PastUse] {
    try connection.statement(
      """
      SELECT job_user, project, queue_name,
        SUM(size * MAX(0, MIN(stop_time, ?2) - MAX(start_time, ?1))),
        SUM(size * MAX(0, MIN(start_time + moldable_walltime, ?2) - MAX(start_time, ?1)))
      FROM (
        SELECT job_user, project, queue_name, start_time, stop_time, moldable_walltime,
          (SELECT COUNT(*) FROM assigned_resources
            WHERE moldable_job_id = assigned_moldable_job) AS size
        FROM jobs JOIN moldable_job_descriptions ON moldable_id = assigned_moldable_job
        WHERE stop_time > ?1 AND start_time > 0 AND start_time < ?2
          AND +state IN ('Terminated', 'Error')
      )
      GROUP BY job_user, project, queue_name ORDER BY job_user, project, queue_name
      """
    ).bind(begin).bind(end).rows { row in
      PastUse(
        user: row.text(0), project: row.text(1), queue: row.text(2), used: row.integer(3),
        asked: row.integer(4))
    }
  }
}
