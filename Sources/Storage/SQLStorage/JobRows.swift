// The rows of new jobs, as OAR writes them at a submission.

import ClusterModel

/// Writes new jobs into OAR's tables.
struct JobRows {
  let connection: Connection

  /// Writes every row of jobs that were just submitted.
  func insert(_ jobs: some Collection<Job>) throws {
    let groups = jobs.reduce(0) { sum, job in
      job.request.moldables.reduce(sum) { $0 + $1.groups.count }
    }
    var rows = Buffers(
      groups: try connection.takeIDs("res_group_id", "job_resource_groups", count: groups))
    for job in jobs { rows.add(job) }
    try rows.write(to: connection)
    let moldables = jobs.lazy.map { $0.firstMoldableID + $0.request.moldables.count - 1 }
    try connection.gaveIDs(upTo: jobs.lazy.map(\.id).max() ?? 0, "job_id", "jobs")
    try connection.gaveIDs(
      upTo: moldables.max() ?? 0, "moldable_id", "moldable_job_descriptions")
  }

  /// Writes the types of a job.
  func insertTypes(_ types: [String], of job: JobID) throws {
    for type in types {
      try connection.statement("INSERT INTO job_types (job_id, type) VALUES (?, ?)")
        .bind(job).bind(type).run()
    }
  }

  /// Opens the log row of a state that a job enters.
  func openStateLog(_ job: JobID, _ state: JobState, at date: Instant) throws {
    try connection.statement(
      "INSERT INTO job_state_logs (job_id, job_state, date_start) VALUES (?, ?, ?)"
    ).bind(job).bind(state.rawValue).bind(date).run()
  }
}

/// The rows of new jobs by table.
private struct Buffers {
  /// The numbers of the groups to come.
  private var newGroups: ArraySlice<Int>
  private var jobs = RowBuffer(
    "jobs", "job_id", "array_id", "array_index", "initial_request", "job_name", "job_type",
    "info_type", "state", "reservation", "message", "job_user", "project", "command", "queue_name",
    "properties", "launching_directory", "submission_time", "start_time", "notify", "checkpoint",
    "checkpoint_signal", "stdout_file", "stderr_file", "resubmit_job_id", "suspended")
  private var moldables = RowBuffer(
    "moldable_job_descriptions", "moldable_id", "moldable_job_id", "moldable_walltime")
  private var groups = RowBuffer(
    "job_resource_groups", "res_group_id", "res_group_moldable_id", "res_group_property")
  private var levels = RowBuffer(
    "job_resource_descriptions", "res_job_group_id", "res_job_resource_type", "res_job_value",
    "res_job_order")
  private var types = RowBuffer("job_types", "job_id", "type")
  private var dependencies = RowBuffer("job_dependencies", "job_id", "job_id_required")
  private var states = RowBuffer("job_state_logs", "job_id", "job_state", "date_start")
  private var challenges = RowBuffer("challenges", "job_id", "challenge")
  private var extras = RowBuffer("liburna_jobs", "job_id", "reservation_start")

  init(groups: [Int]) { newGroups = groups[...] }

  mutating func add(_ job: Job) {
    addJob(job)
    for (index, moldable) in job.request.moldables.enumerated() {
      add(moldable, id: job.firstMoldableID + index, job: job.id)
    }
    for type in job.types { types.add(.integer(job.id), .text(type)) }
    // A job may be named twice; it is one dependency.
    var seen: Set<JobID> = []
    for required in job.request.dependencies where seen.insert(required).inserted {
      dependencies.add(.integer(job.id), .integer(required))
    }
    states.add(.integer(job.id), .text(job.state.rawValue), .integer(job.submissionTime))
    challenges.add(.integer(job.id), .text(String(Int.random(in: 1...1_000_000_000_000))))
    if job.request.reservationStart != 0 {
      extras.add(.integer(job.id), .integer(job.request.reservationStart))
    }
  }

  private mutating func addJob(_ job: Job) {
    let request = job.request
    jobs.add(
      .integer(job.id), .integer(job.arrayID), .integer(job.arrayIndex),
      .text(request.initialRequest), .optional(request.name), .text(request.kind.rawValue),
      .text(request.submissionHost + ":"), .text(job.state.rawValue),
      .text(job.reservation.rawValue), .text(shortened(job.message)), .text(request.user),
      .text(request.project), .text(job.command), .text(job.queue), .text(request.properties))
    jobs.add(
      .text(request.directory), .integer(job.submissionTime), .integer(job.startTime),
      notify(of: job), .integer(request.checkpoint), .integer(request.checkpointSignal),
      .text(request.stdout), .text(request.stderr), .integer(job.resubmittedFrom),
      .text(job.wasSuspended ? "YES" : "NO"))
  }

  /// OAR leaves the column empty for a job that repeats another one, and unset for any other.
  private func notify(of job: Job) -> SQLValue {
    job.resubmittedFrom == 0
      ? .optional(job.request.notify) : .text(job.request.notify ?? "")
  }

  private mutating func add(_ moldable: Moldable, id: MoldableID, job: JobID) {
    moldables.add(.integer(id), .integer(job), .integer(moldable.walltime))
    for group in moldable.groups {
      guard let number = newGroups.popFirst() else { return }
      groups.add(.integer(number), .integer(id), .text(group.properties))
      for (order, level) in group.levels.enumerated() {
        levels.add(
          .integer(number), .text(level.property), .integer(level.count.stored),
          .integer(order))
      }
    }
  }

  func write(to connection: Connection) throws {
    for buffer in [
      jobs, challenges, moldables, groups, levels, types, dependencies, states, extras,
    ] {
      try buffer.write(to: connection)
    }
  }
}
