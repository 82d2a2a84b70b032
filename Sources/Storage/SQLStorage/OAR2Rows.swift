// Rows that only a metascheduler of OAR 2 reads and writes.

import ClusterModel
import Storage

/// Reads and writes them.
struct OAR2Rows {
  let connection: Connection

  /// Whether Leon has something to do.
  func hasDeletions() throws -> Bool {
    try connection.statement(
      """
      SELECT count(*) FROM frag_jobs JOIN jobs ON job_id = frag_id_job
      WHERE frag_state = 'LEON' AND state NOT IN ('Terminated', 'Error')
      """
    ).firstRow { $0.integer(0) } ?? 0 > 0
  }

  /// Keeps the plan that the tables hold, under the date of the pass that wrote it.
  func logPlan() throws {
    try connection.statement(
      """
      INSERT INTO gantt_jobs_predictions_log (sched_date, moldable_job_id, start_time)
      SELECT d.start_time, g.moldable_job_id, g.start_time
      FROM gantt_jobs_predictions g, gantt_jobs_predictions d
      WHERE d.moldable_job_id = 0 AND g.moldable_job_id <> 0
        AND NOT EXISTS (
          SELECT 1 FROM gantt_jobs_predictions_log l
          WHERE l.sched_date = d.start_time AND l.moldable_job_id = g.moldable_job_id)
      """
    ).run()
    try connection.statement(
      """
      INSERT INTO gantt_jobs_resources_log (sched_date, moldable_job_id, resource_id)
      SELECT d.start_time, g.moldable_job_id, g.resource_id
      FROM gantt_jobs_resources g, gantt_jobs_predictions d
      WHERE d.moldable_job_id = 0
        AND NOT EXISTS (
          SELECT 1 FROM gantt_jobs_resources_log l
          WHERE l.sched_date = d.start_time AND l.moldable_job_id = g.moldable_job_id
            AND l.resource_id = g.resource_id)
      """
    ).run()
  }

  /// Adds to the priority of resources, whatever others made of it meanwhile.
  func raisePriority(of resources: [ResourceID], by amount: Int) throws {
    let condition = connection.dialect.isListed("resource_id")
    try connection.prepare(
      "UPDATE resources SET scheduler_priority = scheduler_priority + ? WHERE \(condition)"
    ).bind(amount).bind(connection.dialect.list(resources)).run()
  }

  /// Resources without a suspended job say so.
  func endSuspensions() throws {
    try connection.statement(
      """
      UPDATE resources SET suspended_jobs = 'NO' WHERE suspended_jobs = 'YES' AND resource_id NOT IN (
        SELECT resource_id FROM assigned_resources
          JOIN jobs ON assigned_moldable_job = moldable_job_id
        WHERE assigned_resource_index = 'CURRENT' AND state IN ('Suspended', 'Resuming'))
      """
    ).run()
  }
}
