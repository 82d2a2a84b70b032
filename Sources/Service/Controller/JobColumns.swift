// The columns of OAR's table `jobs`, as conditions (`--sql`) see a job that has not ended.

import ClusterModel

enum JobColumns {
  /// Every column that a condition may name.
  static let names: Set<String> = [
    "job_id", "array_id", "array_index", "initial_request", "job_name", "job_env", "job_type",
    "info_type", "state", "reservation", "message", "scheduler_info", "job_user", "project",
    "job_group", "command", "exit_code", "queue_name", "properties", "launching_directory",
    "submission_time", "start_time", "stop_time", "file_id", "accounted", "notify",
    "assigned_moldable_job", "checkpoint", "checkpoint_signal", "stdout_file", "stderr_file",
    "resubmit_job_id", "suspended",
  ]

  static func value(_ column: String, of job: Job) -> PropertyValue? {
    let request = job.request
    return switch column {
    case "job_id": .integer(job.id)
    case "array_id": .integer(job.arrayID)
    case "array_index": .integer(job.arrayIndex)
    case "initial_request": .text(request.initialRequest)
    case "job_name": request.name.map { .text($0) } ?? .null
    case "job_type": .text(request.kind.rawValue)
    case "info_type": .text(request.submissionHost)
    case "state": .text(job.state.rawValue)
    case "reservation": .text(job.reservation.rawValue)
    case "message": .text(job.message)
    case "scheduler_info", "job_group": .text("")
    case "job_user": .text(request.user)
    case "project": .text(request.project)
    case "command": .text(job.command)
    case "queue_name": .text(job.queue)
    case "properties": .text(request.properties)
    case "launching_directory": .text(request.directory)
    case "submission_time": .integer(job.submissionTime)
    case "start_time": .integer(job.startTime)
    case "stop_time": .integer(0)
    case "accounted": .text("NO")
    case "notify": request.notify.map { .text($0) } ?? .null
    case "assigned_moldable_job": .integer(job.assignedMoldableID ?? 0)
    case "checkpoint": .integer(request.checkpoint)
    case "checkpoint_signal": .integer(request.checkpointSignal)
    case "stdout_file": .text(request.stdout)
    case "stderr_file": .text(request.stderr)
    case "resubmit_job_id": .integer(job.resubmittedFrom)
    case "suspended": .text(job.wasSuspended ? "YES" : "NO")
    case "job_env", "exit_code", "file_id": .null
    default: nil
    }
  }
}
