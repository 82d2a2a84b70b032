// Jobs as the structures of OAR's `-J`, `-Y`, `-X` and `-D`: OAR's names and types, sorted by name.

import ClusterModel
import CommandLine

/// An entry for each job, keyed by its id.
func jobEntries(
  _ jobs: [JobRecord], full: Bool
) -> some Sequence<OutputEntry> {
  jobs.lazy.map { OutputEntry(String($0.id), full ? fullStructure(of: $0) : structure(of: $0)) }
}

/// The entries of `-s`: the state of each job, keyed by its id.
func stateEntries(_ jobs: [JobRecord]) -> some Sequence<OutputEntry> {
  jobs.lazy.map { OutputEntry(String($0.id), .text($0.state.rawValue)) }
}

private func structure(of job: JobRecord) -> OutputValue {
  .map(commonEntries(of: job))
}

private func fullStructure(of job: JobRecord) -> OutputValue {
  let more = [
    OutputEntry("events", .list(job.events.map(structure))),
    OutputEntry("exit_code", .optional(job.exitCode)),
    OutputEntry("initial_request", .text(job.initialRequest ?? "")),
    OutputEntry("job_user", .text(job.user)),
    OutputEntry(
      "scheduledStart", plannedStart(of: job).map { .integer($0) } ?? .text("no prediction")),
    OutputEntry("stopTime", .integer(job.stopTime)),
    OutputEntry("walltime", .integer(job.walltime)),
    OutputEntry("wanted_resources", .text(wantedResources(of: job))),
  ]
  return .map((commonEntries(of: job) + more).sorted { $0.key < $1.key })
}

private func commonEntries(of job: JobRecord) -> [OutputEntry] {
  [
    OutputEntry("Job_Id", .integer(job.id)),
    OutputEntry("array_id", .integer(job.arrayID)),
    OutputEntry("array_index", .integer(job.arrayIndex)),
    OutputEntry("assigned_network_address", .list(job.assignedHosts)),
    OutputEntry("assigned_resources", .list(job.assignedResources)),
    OutputEntry("command", .text(job.command)),
    OutputEntry("cpuset_name", .text(job.cpusetName)),
    OutputEntry("dependencies", .list(job.dependencies)),
    OutputEntry("jobType", .text(job.kind.rawValue)),
    OutputEntry("launchingDirectory", .text(job.directory)),
    OutputEntry("message", .text(job.message)),
    OutputEntry("name", .optional(job.name)),
    OutputEntry("owner", .text(job.user)),
    OutputEntry("project", .text(job.project)),
    OutputEntry("properties", .text(job.properties)),
    OutputEntry("queue", .text(job.queue)),
    OutputEntry("reservation", .text(job.reservation.rawValue)),
    OutputEntry("resubmit_job_id", .integer(job.resubmittedFrom)),
    OutputEntry("startTime", .integer(job.startTime)),
    OutputEntry("state", .text(job.state.rawValue)),
    OutputEntry("stderr_file", .text(job.stderr)),
    OutputEntry("stdout_file", .text(job.stdout)),
    OutputEntry("submissionTime", .integer(job.submissionTime)),
    OutputEntry("types", .list(job.types)),
  ]
}

private func structure(of event: JobEvent) -> OutputValue {
  [
    "date": .integer(event.date), "description": .text(event.text),
    "job_id": .integer(event.job), "type": .text(event.type),
  ]
}
