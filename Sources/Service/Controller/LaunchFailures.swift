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
    let isOfHost = failure.isOfHost
    failLaunch(
      id, failure.eventType, text,
      message: isOfHost ? "One or several nodes are not responding correctly" : text,
      suspects: suspects, isItsOwn: !isOfHost)
  }

  /// The same with OAR's word for what failed it. A job that is not to blame itself is submitted again.
  func failLaunch(
    _ id: JobID, _ type: String, _ text: String, message: String, suspects: [String],
    isItsOwn: Bool
  ) {
    guard let job = state.jobs[id] else { return }
    let now = Self.now
    var outcome = Outcome()
    outcome.changes.append(
      .event(JobEvent(type, job: id, at: now, String(text.prefix(255)), hosts: suspects)))
    log.say("job \(id) could not start: \(text)")
    if !isItsOwn { state.suspectHosts(suspects, at: now, &outcome) }
    state.setMessage(id, message, &outcome)
    endUnstarted(
      job, owed: isItsOwn ? nil : automatic(job, because: type), at: now, outcome)
  }

  /// A job whose end was asked for before it could begin.
  func finishUnstarted(_ id: JobID) {
    guard let job = state.jobs[id] else { return }
    let now = Self.now
    var outcome = Outcome()
    state.setMessage(id, "Job killed by Leon directly", &outcome)
    let isRepeated = state.victims.contains(id) && isRepeatable(job)
    endUnstarted(job, owed: isRepeated ? idempotent(job) : nil, at: now, outcome)
  }

  /// Nothing of the job runs anywhere: its hosts clean up while its resources are free already, unless the
  /// site has an epilogue for it.
  private func endUnstarted(_ job: Job, owed: OwedJob?, at now: Instant, _ outcome: Outcome) {
    guard executions[job.id]?.isReleasing != true else { return commit(outcome) }
    for host in executions[job.id]?.hosts ?? [] { release(job, on: host) }
    let verdict = Verdict(state: .error, owed: owed)
    if needsEpilogue(job.id) {
      commit(outcome)
      release(job, verdict, [])
    } else {
      end(job, verdict, at: now, outcome)
    }
  }

  // MARK: Again

  /// OAR's rule for jobs that a host failed: passive ones are submitted again, a bounded number of times.
  func automatic(_ job: Job, because cause: String) -> OwedJob? {
    let tries = resubmissions[job.id] ?? 0
    guard job.request.kind == .passive, job.reservation == .none, job.deletionAsked == 0,
      !job.hasType("deploy"), !job.hasType("cosystem"), tries < Self.resubmissionLimit
    else { return nil }
    return OwedJob(job: job, reason: "due to event \(cause)", tries: tries + 1)
  }

  /// Whether the job is of those that run again after they were lost or gave way.
  func isRepeatable(_ job: Job) -> Bool {
    job.hasType("idempotent") && job.request.kind == .passive && job.reservation == .none
  }

  func idempotent(_ job: Job) -> OwedJob { OwedJob(job: job, reason: "type idempotent", tries: 0) }

  /// Submits a job again and ends it: both are one change, so that a crash leads to both or none. Beside OAR 2
  /// that waits until the database has given ids; what is decided already is written at once.
  func submitAgain(
    _ owed: OwedJob, _ decided: Outcome = Outcome(), end: @escaping (inout Outcome) -> Void
  ) {
    if withOAR2 != nil {
      if !decided.changes.isEmpty || !decided.effects.isEmpty { commit(decided) }
      return owe(OwedEnd(owed: owed, end: end))
    }
    var outcome = decided
    repeatJob(owed, at: Self.now, &outcome)
    end(&outcome)
    commit(outcome)
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
