// The request of a job that ended, to submit it again.

import ClusterModel
import Storage

extension RecordReader {
  /// What a job with rows asked for, with its file names as patterns; `nil` if there is no such job.
  func request(of job: JobID) throws -> JobRequest? {
    let shape = try RequestReader(connection: connection).moldables(of: job)
    let dependencies = try dependencies(of: job)
    let reservationStart =
      connection.hasTable("liburna_jobs")
      ? try connection.statement("SELECT reservation_start FROM liburna_jobs WHERE job_id = ?")
        .bind(job).firstRow { $0.integer(0) } : nil
    return try connection.statement(
      """
      SELECT job_user, job_name, project, job_type, properties, launching_directory, stdout_file,
        stderr_file, checkpoint, checkpoint_signal, notify, initial_request, info_type
      FROM jobs WHERE job_id = ?
      """
    ).bind(job).firstRow { row in
      JobRequest(
        user: row.text(0), name: row.optionalText(1), project: row.text(2),
        kind: JobKind(rawValue: row.text(3)) ?? .passive, properties: row.text(4),
        moldables: shape.moldables, directory: row.text(5), stdout: row.text(6),
        stderr: row.text(7), dependencies: dependencies, checkpoint: row.integer(8),
        checkpointSignal: row.integer(9), notify: row.optionalText(10),
        initialRequest: row.text(11), reservationStart: reservationStart ?? 0,
        submissionHost: submissionHost(ofInfo: row.text(12)))
    }
  }
}
