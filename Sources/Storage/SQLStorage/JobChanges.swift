// How the rows of a job change on its way, as OAR changes them.

import ClusterModel
import Storage

/// Writes what happens to jobs that have rows.
struct JobChanges {
  let connection: Connection
  let rows: JobRows

  init(connection: Connection) {
    self.connection = connection
    self.rows = JobRows(connection: connection)
  }

  /// The job enters a state that is not final.
  func enter(_ state: JobState, _ job: JobID, at date: Instant) throws {
    try connection.statement("UPDATE jobs SET state = ? WHERE job_id = ?")
      .bind(state.rawValue).bind(job).run { unknownJob(job) }
    try logState(state, job, at: date)
  }

  /// The job gets its resources and is to be launched.
  func assign(
    _ job: JobID, moldable: MoldableID, resources: [ResourceID], at date: Instant
  ) throws {
    try connection.statement(
      """
      UPDATE jobs SET state = 'toLaunch', start_time = ?, assigned_moldable_job = ?
      WHERE job_id = ?
      """
    ).bind(date).bind(moldable).bind(job).run { unknownJob(job) }
    for resource in resources {
      try connection.statement(
        """
        INSERT INTO assigned_resources (moldable_job_id, resource_id) VALUES (?, ?)
        ON CONFLICT (moldable_job_id, resource_id)
          DO UPDATE SET assigned_resource_index = 'CURRENT'
        """
      ).bind(moldable).bind(resource).run()
    }
    try logState(.toLaunch, job, at: date)
  }

  /// The job ends: its rows become history, and its resources remember the date.
  func end(_ job: JobID, _ state: JobState, exitStatus: Int?, at date: Instant) throws {
    // A reservation that is refused or deleted early has its start in the future. What is deleted while it waits
    // for a start never stops.
    try connection.statement(
      """
      UPDATE jobs SET state = ?, exit_code = ?, stop_time = CASE
        WHEN state IN ('Waiting', 'Hold') AND start_time = 0 THEN stop_time
        WHEN start_time > ? THEN start_time ELSE ? END
      WHERE job_id = ?
      """
    ).bind(state.rawValue).bind(exitStatus).bind(date).bind(date).bind(job)
      .run { unknownJob(job) }
    try logState(state, job, at: date)
    try archiveRequest(of: job)
    try archiveAssignment(of: job, at: date)
    try connection.statement(
      """
      UPDATE frag_jobs SET frag_state = 'FRAGGED'
      WHERE frag_id_job = ? AND frag_state <> 'FRAGGED'
      """
    ).bind(job).run()
  }

  /// The reservation is decided; `start` is its start if it was accepted.
  func setScheduled(_ job: JobID, start: Instant?) throws {
    try connection.statement(
      "UPDATE jobs SET reservation = 'Scheduled', start_time = coalesce(?, start_time) WHERE job_id = ?"
    ).bind(start).bind(job).run { unknownJob(job) }
  }

  func setWalltime(_ walltime: Seconds, of moldable: MoldableID) throws {
    try connection.statement(
      "UPDATE moldable_job_descriptions SET moldable_walltime = ? WHERE moldable_id = ?"
    ).bind(walltime).bind(moldable).run()
  }

  func setWalltimeChange(_ change: WalltimeChange, of job: JobID) throws {
    // OAR has it since 2.5.8.
    guard connection.hasTable("walltime_change") else { return }
    try connection.statement(
      """
      INSERT INTO walltime_change (job_id, pending, force, delay_next_jobs, granted,
        granted_with_force, granted_with_delay_next_jobs)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (job_id) DO UPDATE SET pending = excluded.pending, force = excluded.force,
        delay_next_jobs = excluded.delay_next_jobs, granted = excluded.granted,
        granted_with_force = excluded.granted_with_force,
        granted_with_delay_next_jobs = excluded.granted_with_delay_next_jobs
      """
    ).bind(job).bind(change.pending).bind(change.force ? "YES" : "NO")
      .bind(change.delayNextJobs ? "YES" : "NO").bind(change.granted)
      .bind(change.grantedWithForce).bind(change.grantedWithDelayNextJobs).run()
  }

  func setMessages(_ messages: [(id: JobID, text: String)]) throws {
    guard messages.count == 1, let (job, text) = messages.first else {
      // Of two for the same job the last counts.
      let last = Dictionary(messages.map { ($0.id, $0.text) }) { $1 }
      return try connection.setTexts(
        in: "jobs", key: "job_id", "message",
        last.sorted { $0.key < $1.key }.map { ($0.key, shortened($0.value)) })
    }
    try connection.statement("UPDATE jobs SET message = ? WHERE job_id = ?")
      .bind(shortened(text)).bind(job).run { unknownJob(job) }
  }

  /// Replaces the types of a live job, and its queue.
  func setTypes(_ types: [String], queue: String, of job: JobID) throws {
    try connection.statement("UPDATE jobs SET queue_name = ? WHERE job_id = ?")
      .bind(queue).bind(job).run { unknownJob(job) }
    try connection.statement("DELETE FROM job_types WHERE job_id = ?").bind(job).run()
    try rows.insertTypes(types, of: job)
  }

  func setSuspended(_ job: JobID) throws {
    try connection.statement("UPDATE jobs SET suspended = 'YES' WHERE job_id = ?").bind(job).run {
      unknownJob(job)
    }
  }

  /// The end of the job is asked for, or has come a step further; the date of the first asking stays.
  func setDeletion(_ state: DeletionState, of job: JobID, at date: Instant) throws {
    try connection.statement(
      """
      INSERT INTO frag_jobs (frag_id_job, frag_date, frag_state) VALUES (?, ?, ?)
      ON CONFLICT (frag_id_job) DO UPDATE SET frag_state = excluded.frag_state
      """
    ).bind(job).bind(date).bind(state.rawValue).run()
  }

  // MARK: Parts

  private func logState(_ state: JobState, _ job: JobID, at date: Instant) throws {
    try connection.statement(
      "UPDATE job_state_logs SET date_stop = ? WHERE job_id = ? AND date_stop = 0"
    ).bind(date).bind(job).run()
    try rows.openStateLog(job, state, at: date)
  }

  private func archiveRequest(of job: JobID) throws {
    try connection.statement(
      """
      UPDATE job_resource_descriptions SET res_job_index = 'LOG' WHERE res_job_group_id IN (
        SELECT res_group_id FROM job_resource_groups JOIN moldable_job_descriptions
          ON res_group_moldable_id = moldable_id
        WHERE moldable_job_id = ?)
      """
    ).bind(job).run()
    try connection.statement(
      """
      UPDATE job_resource_groups SET res_group_index = 'LOG' WHERE res_group_moldable_id IN (
        SELECT moldable_id FROM moldable_job_descriptions WHERE moldable_job_id = ?)
      """
    ).bind(job).run()
    try connection.statement(
      "UPDATE moldable_job_descriptions SET moldable_index = 'LOG' WHERE moldable_job_id = ?"
    ).bind(job).run()
    try connection.statement("UPDATE job_types SET types_index = 'LOG' WHERE job_id = ?")
      .bind(job).run()
    try connection.statement(
      "UPDATE job_dependencies SET job_dependency_index = 'LOG' WHERE job_id = ?"
    ).bind(job).run()
  }

  private func archiveAssignment(of job: JobID, at date: Instant) throws {
    try connection.statement(
      """
      UPDATE resources SET last_job_date = ? WHERE resource_id IN (
        SELECT resource_id FROM jobs
          JOIN assigned_resources ON moldable_job_id = assigned_moldable_job
        WHERE job_id = ?)
      """
    ).bind(date).bind(job).run()
    try connection.statement(
      """
      UPDATE assigned_resources SET assigned_resource_index = 'LOG'
      WHERE moldable_job_id IN (SELECT assigned_moldable_job FROM jobs WHERE job_id = ?)
      """
    ).bind(job).run()
  }

  /// A change of a job that nobody submitted is a mistake of the caller; nothing of it is kept.
  private func unknownJob(_ job: JobID) -> StorageError {
    .failed("job \(job) is not in the database: a change of it can't be written")
  }
}
