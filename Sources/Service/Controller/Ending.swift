// The end of a job: what its hosts report, what is recorded, and what is cleaned up.

import ClusterModel
import Storage
import Wire

extension Controller {
  // MARK: Reports

  /// What the first host of a job says about its attempt.
  func hear(_ status: AttemptStatus, of attempt: AttemptID, from host: String) {
    guard let execution = executions[attempt.job], execution.attempt == attempt,
      execution.head == host, !execution.isReleasing, state.jobs[attempt.job] != nil
    else { return hearOfStranger(status, attempt, from: host) }
    executions[attempt.job]?.mayHaveBegun = false
    _ = withOAR2?.undecided.removeValue(forKey: attempt.job)
    switch status {
    case .running: begun(attempt.job)
    case .ended(let status, let cause, let date):
      finish(attempt.job, status: status, cause: cause, at: date)
    case .failed(.interrupted, _)
    where attempt.number < Self.attemptLimit && !execution.isRunning:
      tryAgain(attempt, on: host)
    case .failed(_, let text) where execution.isRunning:
      // It ran, so it is not one that never began: only its end is not known.
      log.say("\(host) lost job \(attempt.job): \(text)")
      finish(attempt.job, status: nil, cause: .lost, at: Self.now)
    case .failed(let failure, let text):
      failLaunch(attempt.job, failure, "\(host): \(text)", suspects: [host])
    }
  }

  /// A job that is over for us, or its repeated report: it may be forgotten unless it still runs.
  private func hearOfStranger(_ status: AttemptStatus, _ attempt: AttemptID, from host: String) {
    if case .running = status {
      connections?.send(.kill(attempt, grace: 0), to: host)
    } else if executions[attempt.job]?.attempt != attempt {
      connections?.send(.acknowledge(attempt), to: host)
    }
  }

  private func begun(_ id: JobID) {
    enter(.running, id)
    var outcome = Outcome()
    state.move(id, to: .running, at: Self.now, &outcome)
    commit(outcome)
    guard let job = state.jobs[id] else { return }
    if job.deletionAsked > 0 || doomed[id] != nil { kill(id) }
    guard job.request.kind == .interactive, !opensOwnSession(job) else { return }
    if attachers[id] == nil { awaitAttachment(of: id) } else { attachWaiting(id) }
  }

  // MARK: The end

  /// A command has ended. Other hosts clean up before the resources are free.
  func finish(_ id: JobID, status: Int?, cause: EndCause, at date: Instant) {
    guard let job = state.jobs[id], let execution = executions[id], !execution.isReleasing else {
      return
    }
    let now = Self.now
    let reason = doomed.removeValue(forKey: id)
    let isGood =
      reason == nil
      && (cause == .command || cause == .hangup || cause == .epilogue
        || (cause == .walltime && job.holdsOnly))
    // OAR 2 records the status of commands that ended by themselves alone.
    let isRecorded = settings.withOAR2 == nil || cause == .command || cause == .epilogue
    let isRepeated =
      isRepeatable(job)
      && (cause == .command
        ? asksForMore(job, status, at: date) : gaveWay(job, cause, isLost: reason != nil))
    let verdict = Verdict(
      status: isRecorded ? status : nil, state: isGood ? .terminated : .error,
      news: reason ?? cause.news(of: job), owed: isRepeated ? idempotent(job) : nil)
    var outcome = Outcome()
    // A server that was restarted meanwhile hears of it again.
    if job.state != .finishing { record(cause, of: job, reason, verdict, at: now, &outcome) }
    if execution.others.isEmpty, !needsEpilogue(id) {
      // The host's clock may be wrong; a job ends after it started and not in the future.
      end(job, verdict, at: max(min(date, now), job.startTime), outcome)
    } else {
      clean(job, verdict, execution.others, at: now, outcome)
    }
  }

  /// The job is over: the site's epilogue and the hosts bring it to its end.
  func clean(
    _ job: Job, _ verdict: Verdict, _ hosts: some Sequence<String>, at now: Instant,
    _ outcome: Outcome
  ) {
    var outcome = outcome
    state.move(job.id, to: .finishing, at: now, &outcome)
    commit(outcome)
    release(job, verdict, hosts)
  }

  /// Runs the epilogue, and has hosts clean up. A job that never ran is launched again if the server dies
  /// meanwhile: it stays in the state that it is in.
  func release(_ job: Job, _ verdict: Verdict, _ hosts: some Sequence<String>) {
    let reachable = hosts.filter { links[$0]?.isDeclaredLost != true }
    let awaitsHook = needsEpilogue(job.id)
    enter(
      .releasing(verdict), job.id,
      awaiting: reachable + (awaitsHook ? [Execution.serverHook] : []))
    if awaitsHook { runEpilogue(of: job) }
    for host in reachable { release(job, on: host) }
    endIfReleased(job.id)
  }

  private func record(
    _ cause: EndCause, of job: Job, _ reason: String?, _ verdict: Verdict, at now: Instant,
    _ outcome: inout Outcome
  ) {
    func note(_ type: String, _ text: String) {
      outcome.changes.append(.event(JobEvent(type, job: job.id, at: now, text)))
    }
    if let news = cause.news(of: job) {
      switch cause {
      case .walltime: note("WALLTIME", news)
      case .lost: note("EXTERMINATE_JOB", news)
      case .epilogue:
        let hosts = executions[job.id]?.hosts ?? []
        outcome.changes.append(
          .event(JobEvent("EPILOGUE_ERROR", job: job.id, at: now, news, hosts: hosts)))
        state.suspectHosts(hosts, at: now, &outcome)
      case .command, .hangup, .killed: break
      }
    }
    if let reason { note("PING_CHECKER_NODE_SUSPECTED_END_JOB", reason) }
    note(
      verdict.state == .terminated ? "SWITCH_INTO_TERMINATE_STATE" : "SWITCH_INTO_ERROR_STATE",
      "[bipbip \(job.id)] Ask to change the job state")
  }

  /// An idempotent job asks to run again with the exit code 99, after a minute at least.
  private func asksForMore(_ job: Job, _ status: Int?, at date: Instant) -> Bool {
    status == 99 << 8 && date - job.startTime > 60 && job.deletionAsked == 0
  }

  private func gaveWay(_ job: Job, _ cause: EndCause, isLost: Bool) -> Bool {
    if state.victims.contains(job.id) { return cause == .killed || cause == .lost }
    return (cause == .lost || (isLost && cause == .killed)) && job.deletionAsked == 0
  }

  func release(_ job: Job, on host: String) {
    connections?.send(
      .release(job.id, state.confinement(of: job, on: host, settings: settings)), to: host)
  }

  func released(_ id: JobID, on host: String) {
    guard executions[id]?.isReleasing == true else { return }
    executions[id]?.pending.remove(host)
    endIfReleased(id)
  }

  private func endIfReleased(_ id: JobID) {
    guard let execution = executions[id], execution.pending.isEmpty,
      case .releasing(let verdict) = execution.phase, let job = state.jobs[id]
    else { return }
    end(job, verdict, at: verdict.date ?? Self.now, Outcome())
  }

  /// The end of a job of which nothing is left.
  func end(_ job: Job, _ verdict: Verdict, at date: Instant, _ outcome: Outcome) {
    var outcome = outcome
    let end = { (outcome: inout Outcome) in
      self.state.end(
        job.id, as: verdict.state, status: verdict.status, at: date, news: verdict.news, &outcome)
    }
    if let owed = verdict.owed {
      // Until there are ids for the new job, the old one is as good as over.
      if withOAR2 != nil { enter(.releasing(verdict), job.id) }
      submitAgain(owed, outcome, end: end)
    } else {
      end(&outcome)
      commit(outcome)
    }
  }

  /// The end is in the store: the first host may forget the attempt.
  func forget(_ id: JobID) {
    state.ended[id] = nil
    resubmissions[id] = nil
    terminals[id] = nil
    secrets[id] = nil
    doomed[id] = nil
    if let execution = executions.removeValue(forKey: id), let head = execution.head {
      letGoHosts(of: id, execution.hosts)
      connections?.send(.acknowledge(execution.attempt), to: head)
    }
    refuseAttachers(of: id)
  }

  /// A host of a job is declared lost.
  func lose(_ host: String, of id: JobID, _ execution: Execution, at now: Instant) {
    guard !isOARs(id) else { return }
    let reason = "\(host) stopped answering while job \(id) used it"
    let isHead = host == execution.head
    switch execution.phase {
    case .preparing where isHead, .starting where isHead:
      failLaunch(id, .host, reason, suspects: [host])
    case .preparing:
      abandon(id, reason, suspects: [host])
    case .running where isHead:
      doomed[id] = reason
      finish(id, status: nil, cause: .lost, at: now)
    case .starting, .running:
      doomed[id] = reason
      kill(id)
    case .releasing:
      released(id, on: host)
    }
  }

  // MARK: Signals

  /// Makes a job's attempt end; repeated when its host comes back.
  func kill(_ id: JobID) {
    guard let job = state.jobs[id], let execution = executions[id] else { return }
    if isOARs(id) { return killByOAR(id) }
    guard execution.head != nil else { return endBodiless(job) }
    switch execution.phase {
    case .preparing:
      // Its first host may run it: when that is connected, it says so.
      if !execution.mayHaveBegun { finishUnstarted(id) }
    case .starting, .running:
      sendKill(execution, grace: settings.killGrace)
      begin(.end, of: id)
    case .releasing: break
    }
  }

  func sendKill(_ execution: Execution, grace: Seconds) {
    guard let head = execution.head else { return }
    connections?.send(.kill(execution.attempt, grace: grace), to: head)
  }

  /// Sends a signal to the command of a job.
  func signal(_ id: JobID, _ number: Int) {
    guard let execution = executions[id], let head = execution.head else { return }
    if isOARs(id) { return signalByOAR(id, number) }
    connections?.send(.signal(execution.attempt, number), to: head)
  }

  /// Stops or goes on with everything of a job on all its hosts; repeated for a host that comes back.
  func freeze(_ id: JobID, _ isFrozen: Bool) {
    guard let job = state.jobs[id], let execution = executions[id] else { return }
    for host in execution.hosts { freeze(job, isFrozen, on: host) }
  }

  func freeze(_ job: Job, _ isFrozen: Bool, on host: String) {
    let confinement = state.confinement(of: job, on: host, settings: settings)
    connections?.send(
      isFrozen ? .suspend(job.id, confinement) : .resume(job.id, confinement), to: host)
  }

  // MARK: Jobs without processes

  func endNoopJobs(at now: Instant) {
    for (id, execution) in executions where execution.hosts.isEmpty {
      guard let job = state.jobs[id], job.state == .running,
        now >= job.startTime + job.walltime
      else { continue }
      endBodiless(job)
    }
  }

  func endBodiless(_ job: Job) {
    guard executions[job.id]?.isReleasing != true else { return }
    var outcome = Outcome()
    state.setMessage(job.id, "NOOP job killed by Leon", &outcome)
    let verdict = Verdict(state: .terminated)
    if needsEpilogue(job.id) {
      clean(job, verdict, [], at: Self.now, outcome)
    } else {
      end(job, verdict, at: Self.now, outcome)
    }
  }
}

extension EndCause {
  /// What is said of a job that did not end by itself.
  fileprivate func news(of job: Job) -> String? {
    switch self {
    case .command, .hangup: nil
    case .walltime: "job \(job.id) was ended after its walltime of \(job.walltime) s"
    case .killed: "job \(job.id) was ended as asked"
    case .lost: "the shepherd of job \(job.id) was lost"
    case .epilogue: "the epilogue of job \(job.id) failed"
    }
  }
}
