// Starting a job on its hosts.

import ClusterModel
import Storage
import Wire

extension Controller {
  // MARK: At the start of the server

  /// Jobs that had resources when the server stopped: their hosts will say how they are.
  func adoptHeldJobs() {
    for id in state.holding.sorted() {
      guard let job = state.jobs[id], !isLeftToOAR(job) else { continue }
      var execution = newExecution(of: job)
      let isUnderWay = job.state != .toLaunch && job.state != .launching
      execution.mayHaveBegun = !isUnderWay
      if isUnderWay { execution.isPrologueDue = false }
      executions[id] = execution
      holdHosts(of: id)
      if execution.hosts.isEmpty {
        adoptBodiless(job, isUnderWay: isUnderWay)
      } else if isUnderWay {
        enter(.running, id)
      } else if awaitsLender(id) {
        // Until its hosts are clean.
      } else if execution.others.isEmpty {
        enter(.starting, id)
      } else {
        enter(.preparing, id, awaiting: execution.others)
      }
      if job.request.kind == .interactive, !opensOwnSession(job) { awaitAttachment(of: id) }
    }
  }

  private func adoptBodiless(_ job: Job, isUnderWay: Bool) {
    if job.deletionAsked > 0 || job.state == .finishing {
      endBodiless(job)
    } else if isUnderWay {
      startBodiless(job)
    } else {
      executions[job.id]?.mayHaveBegun = false
      begin(job)
    }
  }

  func newExecution(of job: Job) -> Execution {
    Execution(
      attempt: AttemptID(job: job.id, number: 1),
      hosts: job.hasType("noop") ? [] : state.hosts(of: job.assignedResources),
      isPrologueDue: settings.hooks.prologue != nil)
  }

  // MARK: Launching

  /// Starts a job that has resources.
  func launch(_ id: JobID) {
    guard let job = state.jobs[id], job.state.holdsResources, executions[id] == nil else { return }
    executions[id] = newExecution(of: job)
    holdHosts(of: id)
    if isForBipbip(job), awaitsLender(id) { return }
    if launchByOAR(job) { return }
    begin(job)
  }

  /// The hosts are taken back from Kubernetes, then the site's prologue, then other hosts, then the one that runs
  /// the command.
  private func begin(_ job: Job) {
    guard let execution = executions[job.id] else { return }
    if !execution.hosts.isEmpty || execution.isPrologueDue {
      var outcome = Outcome()
      state.move(job.id, to: .launching, at: Self.now, &outcome)
      commit(outcome)
    }
    if !awaitsLender(job.id) { goOn(job) }
  }

  /// The job's hosts are the batch system's.
  func goOn(_ job: Job) {
    if executions[job.id]?.isPrologueDue == true {
      runPrologue(of: job)
    } else {
      prepareHosts(of: job)
    }
  }

  func prepareHosts(of job: Job) {
    guard let execution = executions[job.id] else { return }
    if execution.hosts.isEmpty { return startBodiless(job) }
    if execution.others.isEmpty { return sendStart(job.id) }
    enter(.preparing, job.id, awaiting: execution.others)
    for host in execution.others { prepare(job, on: host) }
  }

  private func prepare(_ job: Job, on host: String) {
    withSecrets(of: job.id) {
      guard self.executions[job.id]?.isPreparing == true else { return }
      self.connections?.send(
        .prepare(
          job.id, user: job.request.user,
          self.state.confinement(of: job, on: host, settings: self.settings),
          self.state.oar2Files(
            of: job, secrets: self.secrets[job.id], settings: self.settings)), to: host)
    }
  }

  /// A job without processes runs as soon as it has its resources.
  private func startBodiless(_ job: Job) {
    enter(.running, job.id)
    var outcome = Outcome()
    state.move(job.id, to: .running, at: Self.now, &outcome)
    commit(outcome)
  }

  func prepared(_ id: JobID, on host: String) {
    guard executions[id]?.isPreparing == true else { return }
    executions[id]?.pending.remove(host)
    startIfPrepared(id)
  }

  func prepareFailed(_ id: JobID, on host: String, _ text: String) {
    guard let execution = executions[id], execution.isPreparing, execution.pending.contains(host)
    else { return }
    abandon(id, "\(host): \(text)", suspects: [host])
  }

  private func startIfPrepared(_ id: JobID) {
    guard let execution = executions[id], execution.isPreparing, execution.pending.isEmpty,
      !execution.mayHaveBegun
    else { return }
    sendStart(id)
  }

  func sendStart(_ id: JobID) {
    guard let job = state.jobs[id], let execution = executions[id], let head = execution.head
    else { return }
    if job.deletionAsked > 0 { return finishUnstarted(id) }
    if let reason = doomed[id] { return failLaunch(id, .host, reason, suspects: []) }
    // After a restart of the server.
    if execution.isPrologueDue { return runPrologue(of: job) }
    enter(.starting, id)
    withSecrets(of: id) { self.sendSpecification(of: job, execution.attempt, to: head) }
  }

  private func sendSpecification(of job: Job, _ attempt: AttemptID, to head: String) {
    // Meanwhile the job may have been given up.
    guard let execution = executions[job.id], execution.attempt == attempt, execution.isStarting
    else { return }
    connections?.send(
      .start(
        state.specification(
          of: job, attempt: attempt, head: head, terminal: terminals[job.id],
          opensOwnSession: opensOwnSession(job), secrets: secrets[job.id], settings: settings)),
      to: head)
  }

  // MARK: Hosts that come back

  /// A host is connected again: repeat whatever it may not have heard. `knowsAttempt` is whether it is the
  /// first host of the job and has begun it.
  func resume(_ id: JobID, on host: String, knowsAttempt: Bool) {
    guard let job = state.jobs[id], let execution = executions[id] else { return }
    let isHead = host == execution.head
    if isHead { executions[id]?.mayHaveBegun = false }
    switch execution.phase {
    case .preparing:
      if execution.pending.contains(host) { prepare(job, on: host) }
      if isHead { resumePreparing(job) }
    case .starting:
      if isHead, !knowsAttempt { sendStart(id) }
    case .running:
      if isHead, !knowsAttempt {
        if !isOARs(id, unknownTo: host) { finish(id, status: nil, cause: .lost, at: Self.now) }
      } else {
        if isHead, job.walltimeChange != nil { sendWalltime(of: id) }
        if isHead, job.deletionAsked > 0 || doomed[id] != nil { kill(id) }
        if job.wasSuspended { freeze(job, job.state != .running, on: host) }
      }
    case .releasing:
      if execution.pending.contains(host) { release(job, on: host) }
    }
  }

  /// The first host has not begun the job: what was put off until it said so is done.
  private func resumePreparing(_ job: Job) {
    if job.deletionAsked > 0 {
      finishUnstarted(job.id)
    } else if let reason = doomed[job.id] {
      failLaunch(job.id, .host, reason, suspects: [])
    } else {
      startIfPrepared(job.id)
    }
  }
}
