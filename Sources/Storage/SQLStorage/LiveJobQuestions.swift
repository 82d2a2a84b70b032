// What is asked about the jobs that have not ended: all at once, so that a database works on the next
// answer while the last is read.

import ClusterModel

/// Questions whose answers are awaited in this order.
struct LiveJobQuestions {
  let connection: Connection
  let shapes: LiveRequestRows
  let types: Statement
  let dependencies: Statement
  let assigned: Statement
  let deletions: Statement
  let reservationStarts: Statement
  let walltimeChanges: Statement?
  /// The words in `jobs.state`.
  let states: Statement
  let jobs: Statement

  init(connection: Connection) throws {
    self.connection = connection
    shapes = try LiveRequestRows(connection)
    types = try connection.statement(
      "SELECT job_id, type FROM job_types WHERE types_index = 'CURRENT' ORDER BY job_type_id"
    ).ask()
    dependencies = try connection.statement("live", "job_dependencies") {
      """
      SELECT job_id, job_id_required FROM job_dependencies
      WHERE job_dependency_index = 'CURRENT' ORDER BY \(connection.dialect.insertionOrder)
      """
    }.ask()
    assigned = try connection.statement(
      """
      SELECT moldable_job_id, resource_id FROM assigned_resources
      WHERE assigned_resource_index = 'CURRENT' ORDER BY moldable_job_id, resource_id
      """
    ).ask()
    deletions = try connection.statement(
      """
      SELECT frag_id_job, frag_date FROM frag_jobs
      WHERE frag_state IN ('LEON', 'TIMER_ARMED', 'LEON_EXTERMINATE')
      """
    ).ask()
    // Where OAR alone writes, a reservation that has not started has its date in its own row.
    reservationStarts =
      try
      (connection.hasTable("liburna_jobs")
      ? connection.statement("SELECT job_id, reservation_start FROM liburna_jobs")
      : connection.statement(
        """
        SELECT job_id, start_time FROM jobs
        WHERE reservation <> 'None' AND state NOT IN ('Terminated', 'Error')
        """)).ask()
    walltimeChanges = try RequestReader(connection: connection).askLiveWalltimeChanges()
    states = try Self.states(connection)
    jobs = try Self.jobs(connection)
  }

  /// From each word to the next by the index: reading them all would be reading all jobs that ever were.
  private static func states(_ connection: Connection) throws -> Statement {
    try connection.statement(
      """
      WITH RECURSIVE words (word) AS (
        SELECT (SELECT MIN(state) FROM jobs)
        UNION ALL
        SELECT (SELECT MIN(state) FROM jobs WHERE state > word) FROM words WHERE word IS NOT NULL)
      SELECT word FROM words WHERE word IS NOT NULL
      """
    ).ask()
  }

  private static func jobs(_ connection: Connection) throws -> Statement {
    let states = ClusterLoader.liveStates.map { literal($0.rawValue) }.joined(separator: ", ")
    return try connection.prepare(
      "SELECT \(connection.list(LiveJobRow.columns, of: "jobs")) FROM jobs WHERE state IN (\(states))"
    ).ask()
  }
}
