// Rows that the scheduler of one queue needs beside those of the live jobs.

import ClusterModel
import Storage

/// Reads and writes them.
struct QueueRows {
  let connection: Connection

  /// Takes moldables out of the plan, and leaves the copies for readers to the metascheduler.
  func withdraw(_ moldables: [MoldableID]) throws {
    let dialect = connection.dialect
    for table in ["gantt_jobs_predictions", "gantt_jobs_resources"] {
      try connection.prepare(
        "DELETE FROM \(table) WHERE \(dialect.isListed("moldable_job_id"))"
      ).bind(dialect.list(moldables)).run()
    }
  }

  /// Those of these jobs that there are.
  func existing(_ jobs: [JobID]) throws -> Set<JobID> {
    let dialect = connection.dialect
    var found: Set<JobID> = []
    try connection.prepare("SELECT job_id FROM jobs WHERE \(dialect.isListed("job_id"))")
      .bind(dialect.list(jobs)).forEachRow { found.insert($0.integer(0)) }
    return found
  }
}
