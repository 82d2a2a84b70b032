// Jobs whose command never ran, and jobs that are submitted again.

import ClusterModel
import Storage
import Wire

extension Controller {
  /// A job that every host fails is not tried for ever.
  private static let resubmissionLimit = 5

  /// Something else than the first host fails a job that is being prepared. When the first host may have
  /// begun it all the same, it is asked first.
  func abandon(_ id: JobID, _ reason: String, suspects: [String]) {
    guard executions[id]?.mayHaveBegun == true else {
      return failLaunch(id, .host, reason, suspects: suspects)
    }
    doomed[id] = reason
    var outcome = Outcome()
    state.suspectHosts(suspects, at: Self.now, &outcome)
    commit(outcome)
  }

  /// A job whose command never ran: its end is recorded; after trouble of a host it is submitted again.
  func failLaunch(_ id: JobID, _ failure: LaunchFailure, _ text: String, suspects: [String]) {
    guard let job = state.jobs[id] else { return }
    let now = Self.now
    var outcome = Outcome()
    let type = failure.eventType
    outcome.changes.append(
      .event(JobEvent(type, job: id, at: now, String(text.prefix(255)), hosts: suspects)))
    log.say("job \(id) could not start: \(text)")
    if failure.isOfHost {
      state.suspectHosts(suspects, at: now, &outcome)
      state.setMessage(id, "One or several nodes are not responding correctly", &outcome)
      resubmitAutomatically(job, because: type, at: now, &outcome)
    } else {
      state.setMessage(id, text, &outcome)
    }
    endUnstarted(job, at: now, &outcome)
  }

  /// A job whose end was asked for before it could begin.
  func finishUnstarted(_ id: JobID) {
    guard let job = state.jobs[id] else { return }
    let now = Self.now
    var outcome = Outcome()
    if state.victims.contains(id), isRepeatable(job) { repeatIdempotent(job, at: now, &outcome) }
    state.setMessage(id, "Job killed by Leon directly", &outcome)
    endUnstarted(job, at: now, &outcome)
  }

  /// Nothing of the job runs anywhere: its hosts clean up while its resources are free already.
  private func endUnstarted(_ job: Job, at now: Instant, _ outcome: inout Outcome) {
    for host in executions[job.id]?.hosts ?? [] { release(job, on: host) }
    state.end(job.id, as: .error, status: nil, at: now, &outcome)
    commit(outcome)
  }

  // MARK: Again

  /// OAR's rule for jobs that a host failed: passive ones are submitted again, a bounded number of times.
  func resubmitAutomatically(
    _ job: Job, because cause: String, at now: Instant, _ outcome: inout Outcome
  ) {
    let tries = resubmissions[job.id] ?? 0
    guard job.request.kind == .passive, job.reservation == .none, job.deletionAsked == 0,
      !job.hasType("deploy"), !job.hasType("cosystem"), tries < Self.resubmissionLimit
    else { return }
    resubmit(
      OwedJob(job: job, reason: "due to event \(cause)", tries: tries + 1), at: now, &outcome)
  }

  /// Whether the job is of those that run again after they were lost or gave way.
  func isRepeatable(_ job: Job) -> Bool {
    job.hasType("idempotent") && job.request.kind == .passive && job.reservation == .none
  }

  func repeatIdempotent(_ job: Job, at now: Instant, _ outcome: inout Outcome) {
    resubmit(OwedJob(job: job, reason: "type idempotent", tries: 0), at: now, &outcome)
  }

  /// Beside OAR 2 the new job comes once the database has given its ids, a moment after the end of the old
  /// one; otherwise both are one change.
  private func resubmit(_ owed: OwedJob, at now: Instant, _ outcome: inout Outcome) {
    if withOAR2 == nil { repeatJob(owed, at: now, &outcome) } else { owe(owed) }
  }

  func repeatJob(_ owed: OwedJob, at now: Instant, _ outcome: inout Outcome) {
    let job = owed.job
    let new = state.resubmit(
      state.record(of: job), request: job.request, message: job.message, at: now, &outcome)
    if owed.tries > 0 { resubmissions[new] = owed.tries }
    outcome.changes.append(
      .event(
        JobEvent(
          "RESUBMIT_JOB_AUTOMATICALLY", job: job.id, at: now,
          "Resubmitting job \(job.id) => \(new) (\(owed.reason))")))
  }
}

extension LaunchFailure {
  /// OAR's word.
  fileprivate var eventType: String {
    switch self {
    case .directory: "WORKING_DIRECTORY"
    case .outputFile: "OUTPUT_FILES"
    case .user: "USER_SHELL"
    case .prologue: "PROLOGUE_ERROR"
    case .confinement, .host, .interrupted: "CPUSET_ERROR"
    }
  }

  /// Whether the host is to blame, not the job.
  fileprivate var isOfHost: Bool {
    self == .confinement || self == .prologue || self == .host || self == .interrupted
  }
}
