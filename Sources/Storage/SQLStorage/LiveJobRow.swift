// The columns of `jobs` from which a server makes a job that has not ended, and what they alone say.

import ClusterModel

/// A row of `jobs` with these columns.
enum LiveJobRow {
  static let columns = [
    "job_id", "array_id", "array_index", "command", "state", "reservation", "queue_name",
    "submission_time", "start_time", "assigned_moldable_job", "message", "resubmit_job_id",
    "suspended", "job_user", "job_name", "project", "job_type", "properties",
    "launching_directory", "stdout_file", "stderr_file", "checkpoint", "checkpoint_signal",
    "notify", "initial_request", "info_type",
  ]

  /// The places of the columns that are about what was asked for.
  static let requestColumns = 13...25

  /// What was asked for, with what other tables say of it.
  static func request(
    _ row: Statement, moldables: [Moldable] = [], dependencies: [JobID] = [],
    reservationStart: Instant = 0
  ) -> JobRequest {
    JobRequest(
      user: row.text(13), name: row.optionalText(14), project: row.text(15),
      kind: JobKind(rawValue: row.text(16)) ?? .passive, properties: row.text(17),
      moldables: moldables, directory: row.text(18), stdout: row.text(19), stderr: row.text(20),
      dependencies: dependencies, checkpoint: row.integer(21), checkpointSignal: row.integer(22),
      notify: row.optionalText(23), initialRequest: row.text(24),
      reservationStart: reservationStart, submissionHost: submissionHost(ofInfo: row.text(25)))
  }
}
