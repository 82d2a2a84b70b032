// Jobs that OAR 2's own programs run: those that ran when our server came, and those that only they can
// start. `bipbip` starts and ends them, `Leon` kills them; the server follows their rows.

import ClusterModel
import RequestLanguage
import Storage
import Wire

extension Controller {
  /// Seconds in which a job must get from `Launching` to `Running` when nobody of ours launches it.
  private static let launchPatience: Seconds = 300
  /// Seconds for which a word about a job waits until it is known whose the job is.
  private static let decisionPatience: Seconds = 60
  /// Seconds between two looks at whether a job that has ended already was begun.
  private static let startPause = 0.1

  /// Whether OAR's programs run a job, or may.
  func isOARs(_ id: JobID) -> Bool {
    state.runByOAR.contains(id) || withOAR2?.undecided[id] != nil
  }

  // MARK: Jobs that were there

  /// At the start of the server: whether a job that has resources is not one of ours to go on with.
  func isLeftToOAR(_ job: Job) -> Bool {
    guard let side = withOAR2, !job.hasType("noop") else { return false }
    if job.state == .toLaunch, !isForBipbip(job) { return false }
    executions[job.id] = newExecution(of: job)
    if job.state == .toLaunch { return launchByOAR(job) }
    enter(.running, job.id)
    side.undecided[job.id] = Self.now
    return true
  }

  /// A job that others gave resources while the server runs.
  func adopt(_ job: Job) {
    guard executions[job.id] == nil else { return }
    if job.state == .toLaunch { return launch(job.id) }
    executions[job.id] = newExecution(of: job)
    enter(.running, job.id)
    state.runByOAR.insert(job.id)
  }

  /// The agent of a job's first host does not know it: then it is OAR's, if it ran when the server came.
  func isOARs(_ id: JobID, unknownTo host: String) -> Bool {
    guard let side = withOAR2 else { return false }
    if side.undecided.removeValue(forKey: id) != nil {
      log.say("job \(id) was started by OAR 2 on \(host): it goes on there")
      state.runByOAR.insert(id)
      if state.jobs[id]?.state == .launching { side.launches[id] = Self.now }
      lookSoon()
      if let job = state.jobs[id], job.deletionAsked > 0 { killByOAR(id) }
    }
    return state.runByOAR.contains(id)
  }

  // MARK: Starting

  /// Whether only OAR's programs can start a job: it runs on another host than its resources'.
  func isForBipbip(_ job: Job) -> Bool {
    withOAR2 != nil && !job.hasType("noop") && (job.hasType("deploy") || job.hasType("cosystem"))
  }

  /// Whether an `oarsub` of OAR's opens the sessions of an interactive job by itself.
  func opensOwnSession(_ job: Job) -> Bool {
    job.request.kind == .interactive && withOAR2?.clients[job.id] != nil
  }

  /// Has OAR's `bipbip` start a job that has its resources; `false` if that is ours to do.
  func launchByOAR(_ job: Job) -> Bool {
    guard let side = withOAR2, isForBipbip(job) else { return false }
    let id = job.id
    state.runByOAR.insert(id)
    enter(.running, id)
    side.launches[id] = Self.now
    side.programs.run("bipbip", [String(id)], key: "job \(id)") { problem in
      if let problem {
        self.log.say("job \(id) could not be started: \(problem)")
        self.failOARs(id, problem)
      }
      self.lookSoon()
    }
    return true
  }

  /// Nothing of a job was begun, and nobody will begin it.
  private func failOARs(_ id: JobID, _ problem: String) {
    guard let job = state.jobs[id], job.state == .toLaunch, state.runByOAR.contains(id) else {
      return
    }
    var outcome = Outcome()
    state.end(
      id, as: .error, status: nil, at: Self.now, message: "It could not be started: \(problem)",
      &outcome)
    commit(outcome)
  }

  // MARK: Following

  /// The row of a job whose state others write.
  func follow(_ row: WatchedJob, of id: JobID, _ outcome: inout Outcome) {
    guard let side = withOAR2, side.undecided[id] == nil else { return }
    state.follow(row, of: id, at: Self.now, &outcome)
    if row.state != .launching, row.state != .toLaunch { side.launches[id] = nil }
    noteFinishing(id, row)
  }

  /// What OAR's own timers did: walltimes, ends that take too long, launches that never end.
  func watchOARsJobs(at now: Instant) {
    guard let side = withOAR2 else { return }
    decideFinishing(at: now)
    var outcome = Outcome()
    for id in state.runByOAR.sorted() {
      guard let job = state.jobs[id] else { continue }
      let end = job.startTime + job.walltime + job.suspendedSeconds
      if job.state == .finishing {
        finishInPlaceOfOAR(job, at: now)
      } else if job.deletionAsked > 0 {
        pursue(job, at: now, &outcome)
      } else if job.state == .running, now >= end {
        state.requestEnd(of: id, asker: "root", at: now, &outcome)
        let text =
          "[sarko] Job [\(id)] from \(job.startTime) with \(job.walltime); current time=\(now) (Elapsed)"
        outcome.changes.append(.event(JobEvent("WALLTIME", job: id, at: now, text)))
      } else if job.state == .running, now >= end - job.request.checkpoint, job.checkpointedAt == 0
      {
        state.jobs[id]?.checkpointedAt = now
        let text = "checkpoint of job \(id) \(job.request.checkpoint) s before its end"
        state.sendCheckpoint(job, text, at: now, &outcome)
      }
    }
    side.kills = side.kills.filter { state.jobs[$0.key] != nil }
    for (id, since) in side.launches where now - since > Self.launchPatience {
      side.launches[id] = nil
      guard let job = state.jobs[id], job.state == .launching, !side.programs.isBusy("job \(id)")
      else { continue }
      log.say("job \(id) was being launched by OAR 2 and never ran")
      let end = { (outcome: inout Outcome) in
        self.state.end(id, as: .error, status: nil, at: Self.now, &outcome)
      }
      if let owed = automatic(job, because: "LAUNCHING_OAREXEC_TIMEOUT") {
        submitAgain(owed, end: end)
      } else {
        end(&outcome)
      }
    }
    if !outcome.changes.isEmpty || !outcome.effects.isEmpty { commit(outcome) }
  }

  // MARK: Killing

  /// Has OAR's `Leon` end a job; its `frag_jobs` row says so already.
  func killByOAR(_ id: JobID) {
    guard let side = withOAR2, side.undecided[id] == nil else { return }
    let now = Self.now
    side.kills[id] = (side.kills[id]?.first ?? now, now)
    // One run kills all that are asked for.
    guard !side.programs.isWaiting("Leon") else { return }
    side.programs.run("Leon", [], key: "Leon") { problem in
      if let problem, !problem.hasSuffix("exit code 1") { self.log.say("Leon: \(problem)") }
      self.lookSoon()
    }
  }

  /// A job of OAR's that was told to end and has not: it is told again, then given up.
  private func pursue(_ job: Job, at now: Instant, _ outcome: inout Outcome) {
    guard let side = withOAR2 else { return }
    guard let kill = side.kills[job.id] else { return killByOAR(job.id) }
    if now - kill.first >= side.settings.exterminationDelay {
      if job.state == .finishing || now - kill.last < side.settings.exterminationDelay { return }
      side.kills[job.id] = (kill.first, now)
      outcome.changes.append(.jobDeletion(job.id, .exterminating, at: now))
      outcome.effects.append(.exterminate(job.id))
    } else if now - kill.last >= max(1, settings.killGrace), job.state != .finishing {
      outcome.changes.append(.jobDeletion(job.id, .asked, at: now))
      outcome.effects.append(.kill(job.id))
      side.kills[job.id] = (kill.first, now)
    }
  }

  /// Has OAR's `Leon` give up a job that can't be ended.
  func exterminate(_ id: JobID) {
    guard let side = withOAR2, state.runByOAR.contains(id), state.jobs[id]?.deletionAsked ?? 0 > 0,
      !side.programs.isBusy("job \(id)")
    else { return }
    side.programs.run("Leon", [String(id)], key: "job \(id)") { problem in
      if let problem { self.log.say("Leon \(id): \(problem)") }
      self.lookSoon()
    }
  }

  /// Has OAR's `oardel` send a signal to a job of OAR's, or tell it to save its work.
  func signalByOAR(_ id: JobID, _ number: Int) {
    guard let side = withOAR2, let job = state.jobs[id] else { return }
    let isCheckpoint = number == job.request.checkpointSignal
    let words = isCheckpoint ? ["-c"] : ["-s", SignalName.name(of: number)]
    side.programs.run("oardel", words + [String(id)], key: "signals of \(id)") { problem in
      if let problem { self.log.say("the signal \(number) for job \(id): \(problem)") }
    }
  }

  // MARK: The end

  /// `oarexec` says that a job of OAR's has ended: its challenge is compared, then `bipbip` writes it down.
  func hear(_ end: OARExecEnd) {
    guard let side = withOAR2, isWaitedFor(end.job) else { return remark(end, "it is no such job") }
    Task {
      do {
        let secret = try await side.store.secrets(of: end.job)?.challenge
        guard let secret, end.proves(secret) else { return remark(end, "a wrong challenge") }
        accept(end, until: Self.now + Self.decisionPatience)
      } catch {
        log.say("the end of job \(end.job) waits: \(error)")
        loop.after(1) { self.hear(end) }
      }
    }
  }

  /// Whether OAR's programs may have something to say of a job.
  private func isWaitedFor(_ id: JobID) -> Bool {
    guard isOARs(id), let job = state.jobs[id] else { return false }
    switch job.state {
    case .launching, .running, .suspended, .resuming: return true
    // A short one may have ended before the server looked at the row of its start.
    case .toLaunch: return withOAR2?.launches[id] != nil
    default: return false
    }
  }

  private func remark(_ end: OARExecEnd, _ reason: String) {
    let line = "OAREXEC of job \(end.job): \(reason)"
    let time = EventLoop.monotonicNanoseconds
    if let text = withOAR2?.remarks.remark(on: line, at: time) { log.say(text) }
  }

  /// The word is true. A job of which it is not known yet whose it is waits for its agent's answer.
  private func accept(_ end: OARExecEnd, until deadline: Instant) {
    guard let side = withOAR2, isWaitedFor(end.job) else { return }
    if side.undecided[end.job] != nil {
      if Self.now < deadline {
        loop.after(1) { self.accept(end, until: deadline) }
        return
      }
      side.undecided[end.job] = nil
      state.runByOAR.insert(end.job)
    }
    // `bipbip` that starts it still writes its rows.
    if side.programs.isBusy("job \(end.job)"), Self.now < deadline {
      loop.after(Self.startPause) { self.accept(end, until: deadline) }
      return
    }
    guard !side.programs.isBusy("end of \(end.job)") else { return }
    side.programs.run("bipbip", end.arguments, key: "end of \(end.job)") { problem in
      if let problem { self.log.say("the end of job \(end.job): \(problem)") }
      self.lookSoon()
    }
  }
}
