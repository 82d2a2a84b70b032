// What users do to jobs: delete, signal, checkpoint, hold, resume.

import ClusterModel
import RequestLanguage
import Storage
import Wire

extension ClusterState {
  /// Does one action to one job, or throws why not.
  mutating func act(
    _ action: JobAction, on id: JobID, by asker: Asker, settings: ServerSettings, at now: Instant,
    _ outcome: inout Outcome
  ) throws(Refusal) {
    guard let job = jobs[id] else { throw refusalOfUnknown(id) }
    guard asker.mayTouch(jobOf: job.request.user) else {
      throw Refusal(.notOwner, "job \(id) belongs to \(job.request.user); you are \(asker.name)")
    }
    switch action {
    case .delete: try delete(job, by: asker, at: now, &outcome)
    case .signal(let text): try signal(job, text, by: asker, at: now, &outcome)
    case .checkpoint: try checkpoint(job, at: now, &outcome)
    case .hold(let running):
      try hold(job, running: running, by: asker, settings: settings, at: now, &outcome)
    case .resume: try resume(job, by: asker, settings: settings, at: now, &outcome)
    case .toggleBesteffort: try toggleBesteffort(job, by: asker, at: now, &outcome)
    case .forceTerminate: try forceTerminate(job, by: asker, at: now, &outcome)
    }
  }

  private func refusalOfUnknown(_ id: JobID) -> Refusal {
    guard id >= 1, id < nextJob else { return Refusal(.unknownJob, "there is no job \(id)") }
    return Refusal(.wrongState, "job \(id) has ended")
  }

  private mutating func delete(
    _ job: Job, by asker: Asker, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) {
    guard job.deletionAsked == 0 else {
      throw Refusal(.alreadyAsked, "the end of job \(job.id) was already asked for")
    }
    requestEnd(of: job.id, asker: asker.name, at: now, &outcome)
  }

  /// The deletion of a job that has ended changes nothing, and is registered once.
  mutating func delete(
    ended job: JobRecord, by asker: Asker, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) {
    guard asker.mayTouch(jobOf: job.user) else {
      throw Refusal(.notOwner, "job \(job.id) belongs to \(job.user); you are \(asker.name)")
    }
    guard !job.events.contains(where: { $0.type == Self.deletionEvent }) else {
      throw Refusal(.alreadyAsked, "the end of job \(job.id) was already asked for")
    }
    outcome.changes.append(.jobDeletion(job.id, .done, at: now))
    note(deletionOf: job.id, by: asker.name, at: now, &outcome)
  }

  /// OAR's word for a deletion that was asked for.
  static let deletionEvent = "FRAG_JOB_REQUEST"

  private func note(
    deletionOf id: JobID, by asker: String, at now: Instant, _ outcome: inout Outcome
  ) {
    outcome.changes.append(
      .event(
        JobEvent(
          Self.deletionEvent, job: id, at: now, "User \(asker) requested to frag the job \(id)")))
  }

  /// Asks for the end of a job, whoever wants it: at once if it waits, else through its hosts.
  mutating func requestEnd(
    of id: JobID, asker: String, at now: Instant, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id], job.deletionAsked == 0 else { return }
    jobs[id]?.deletionAsked = now
    outcome.changes.append(.jobDeletion(id, .asked, at: now))
    note(deletionOf: id, by: asker, at: now, &outcome)
    tellUser(of: job, .deletion("User \(asker) requested to frag the job \(id)"), &outcome)
    // Beside OAR 2, Leon does the rest.
    if isBesideOAR2 { return }
    beginEnd(of: job, at: now, &outcome)
  }

  /// A job whose end is asked for and registered ends at once if it waits, else through its hosts.
  mutating func beginEnd(of job: Job, at now: Instant, _ outcome: inout Outcome) {
    let id = job.id
    if runByOAR.contains(id) {
      // OAR's own program writes what it does.
      outcome.effects.append(.kill(id))
    } else if job.state.holdsResources {
      outcome.changes.append(.jobDeletion(id, .signalled, at: now))
      outcome.changes.append(
        .event(
          JobEvent(
            "SEND_KILL_JOB", job: id, at: now,
            "the kill signal is sent to the first host of job \(id)")))
      outcome.effects.append(.kill(id))
    } else {
      end(
        id, as: .error, status: nil, at: now, message: "Job killed by Leon directly", &outcome)
    }
  }

  private func requireRunning(_ job: Job, _ verb: String) throws(Refusal) {
    guard job.state == .running || job.state == .suspended || job.state == .resuming else {
      throw Refusal(
        .wrongState,
        "cannot \(verb) job \(job.id): it is not running (its state is \(job.state.rawValue))")
    }
  }

  private mutating func signal(
    _ job: Job, _ text: String, by asker: Asker, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) {
    try requireRunning(job, "signal")
    let number: Int
    do {
      number = try SignalName.number(parsing: text)
    } catch {
      throw Refusal(.badValue, "\(error)")
    }
    // OAR takes the signal into the event's name as it was written.
    let word = text.filter { $0.isLetter || $0.isNumber }.uppercased()
    outcome.changes.append(
      .event(
        JobEvent(
          "SIGNAL_\(word)", job: job.id, at: now,
          "User \(asker.name) requested the signal \(word) on the job \(job.id)")))
    outcome.effects.append(.signal(job.id, number))
  }

  private func checkpoint(
    _ job: Job, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) {
    try requireRunning(job, "checkpoint")
    sendCheckpoint(job, "checkpoint of job \(job.id)", at: now, &outcome)
  }

  private mutating func hold(
    _ job: Job, running: Bool, by asker: Asker, settings: ServerSettings, at now: Instant,
    _ outcome: inout Outcome
  ) throws(Refusal) {
    let text = "User \(asker.name) launched oarhold on the job \(job.id)"
    switch job.state {
    case .waiting where job.reservation != .none:
      throw Refusal(
        .badValue, "it is a reservation, which starts at its date; oardel \(job.id) gives it up")
    case .waiting:
      outcome.changes.append(.event(JobEvent("HOLD_WAITING_JOB", job: job.id, at: now, text)))
      placements[job.id] = nil
      move(job.id, to: .hold, at: now, &outcome)
      needsPlan = true
    case .running where running, .resuming where running:
      guard asker.isAdministrator || settings.usersMaySuspend else {
        throw Refusal(
          .notAdministrator,
          "only oar or root may hold a running job (USERS_ALLOWED_HOLD_RESUME is not set)")
      }
      guard !job.hasType("cosystem"), !job.hasType("deploy"), !job.hasType("noop") else {
        throw Refusal(.wrongState, "a cosystem, deploy or noop type job can't be suspended")
      }
      outcome.changes.append(.event(JobEvent("HOLD_RUNNING_JOB", job: job.id, at: now, text)))
      outcome.effects.append(.suspend(job.id))
      suspend(job.id, at: now, &outcome)
    default:
      throw Refusal(
        .wrongState,
        "the job is in state \(job.state.rawValue)\(running ? "" : " (use -r for a running job)")")
    }
  }

  mutating func suspend(_ id: JobID, at now: Instant, _ outcome: inout Outcome) {
    jobs[id]?.wasSuspended = true
    jobs[id]?.suspendedSince = now
    outcome.changes.append(.jobSuspended(id))
    move(id, to: .suspended, at: now, &outcome)
    needsPlan = true
  }

  private mutating func resume(
    _ job: Job, by asker: Asker, settings: ServerSettings, at now: Instant,
    _ outcome: inout Outcome
  ) throws(Refusal) {
    let text = "User \(asker.name) launched oarresume on the job \(job.id)"
    switch job.state {
    case .hold:
      outcome.changes.append(.event(JobEvent("RESUME_JOB", job: job.id, at: now, text)))
      move(job.id, to: .waiting, at: now, &outcome)
    case .suspended:
      guard asker.isAdministrator || settings.usersMaySuspend else {
        throw Refusal(.notAdministrator, "only oar or root may resume a suspended job")
      }
      outcome.changes.append(.event(JobEvent("RESUME_JOB", job: job.id, at: now, text)))
      move(job.id, to: .resuming, at: now, &outcome)
    default:
      throw Refusal(.wrongState, "the job is in state \(job.state.rawValue), not held")
    }
    needsPlan = true
  }

  private mutating func toggleBesteffort(
    _ job: Job, by asker: Asker, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) {
    try asker.requireAdministrator("change the besteffort type of a job")
    try requireRunning(job, "change the type of")
    var types = job.types
    let wasBesteffort = types.contains("besteffort")
    if wasBesteffort { types.removeAll { $0 == "besteffort" } } else { types.append("besteffort") }
    let queue = wasBesteffort ? "default" : "besteffort"
    jobs[job.id]?.types = types
    jobs[job.id]?.queue = queue
    outcome.changes.append(.jobTypes(job.id, types, queue: queue))
    let word = wasBesteffort ? "DELETE_BESTEFFORT_JOB_TYPE" : "ADD_BESTEFFORT_JOB_TYPE"
    outcome.changes.append(
      .event(JobEvent(word, job: job.id, at: now, "User \(asker.name) changed job \(job.id)")))
    needsPlan = true
  }

  private mutating func forceTerminate(
    _ job: Job, by asker: Asker, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) {
    try asker.requireAdministrator("force the end of a job")
    guard job.state == .finishing else {
      throw Refusal(
        .wrongState, "job \(job.id) is in state \(job.state.rawValue), not Finishing")
    }
    outcome.changes.append(
      .event(
        JobEvent(
          "FORCE_TERMINATE_FINISHING_JOB", job: job.id, at: now,
          "User \(asker.name) forced the end of job \(job.id)",
          hosts: hosts(of: job.assignedResources))))
    suspectHosts(hosts(of: job.assignedResources), at: now, &outcome)
    end(job.id, as: .error, status: nil, at: now, &outcome)
  }
}
