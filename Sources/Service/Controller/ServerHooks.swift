// The site's programs that the server runs itself before a job's hosts are prepared and after its end
// (SERVER_PROLOGUE_EXEC_FILE, SERVER_EPILOGUE_EXEC_FILE). Where there are none, nothing here is reached.

import ClusterModel
import Storage

/// Which programs, and their limits. Names in capitals are variables of `oar.conf`.
public struct ServerHooks: Sendable {
  /// SERVER_PROLOGUE_EXEC_FILE; `nil` for none.
  public var prologue: String?
  /// SERVER_EPILOGUE_EXEC_FILE; `nil` for none.
  public var epilogue: String?
  /// SERVER_PROLOGUE_EPILOGUE_TIMEOUT: seconds that each may take.
  public var limit: Seconds = 60
  /// JUST_AFTER_SUSPEND_EXEC_FILE, JUST_BEFORE_RESUME_EXEC_FILE; `nil` for none.
  public var suspended: String?
  public var resuming: String?
  /// SUSPEND_RESUME_SCRIPT_TIMEOUT: seconds that each of these may take.
  public var suspendLimit: Seconds = 60
  /// LIBURNA_SERVER_PROLOGUE_FAILURES: after so many prologues that failed, one after the other, whoever's
  /// jobs they were of, all queues are stopped; 0 for never, 1 as OAR does.
  public var failureLimit = 20

  /// Programs that run at a time, as many as OAR's.
  static let atOnce = 25

  init() {}

  /// - Throws: ``ConfigurationError``, naming variable and value.
  init(_ configuration: Configuration) throws(ConfigurationError) {
    prologue = try Self.program("SERVER_PROLOGUE_EXEC_FILE", configuration)
    epilogue = try Self.program("SERVER_EPILOGUE_EXEC_FILE", configuration)
    limit = try configuration.integer(
      "SERVER_PROLOGUE_EPILOGUE_TIMEOUT", default: 60, in: 1...86400)
    suspended = try Self.program("JUST_AFTER_SUSPEND_EXEC_FILE", configuration)
    resuming = try Self.program("JUST_BEFORE_RESUME_EXEC_FILE", configuration)
    suspendLimit = try configuration.integer(
      "SUSPEND_RESUME_SCRIPT_TIMEOUT", default: 60, in: 1...86400)
    failureLimit = try configuration.integer(
      "LIBURNA_SERVER_PROLOGUE_FAILURES", default: 20, in: 0...1_000_000)
  }

  private static func program(
    _ name: String, _ configuration: Configuration
  ) throws(ConfigurationError) -> String? {
    guard let path = configuration[name], !path.isEmpty else { return nil }
    guard path.hasPrefix("/") else {
      throw ConfigurationError(name: name, value: path, allowed: "the absolute path of a program")
    }
    return path
  }
}

extension ProgramEnd {
  /// The end of OAR's word for what went wrong with a hook.
  fileprivate var hookWord: String {
    switch self {
    case .exited, .signalled: "EXIT_CODE_ERROR"
    case .tookTooLong: "TIMEOUT"
    case .notStarted: "ERROR"
    }
  }
}

extension ClusterState {
  /// The longest list of hosts that a variable can hold.
  private static let longestList = 100_000

  /// What a hook is told of a job by variables.
  func hookVariables(of job: Job, settings: ServerSettings) -> [String: String] {
    var variables = variablesForPrograms().merging(environment(of: job, settings: settings)) { $1 }
    variables["OAR_CPUSET"] = nil
    variables["OAR_JOB_COMMAND"] = job.command
    variables["OAR_JOB_TYPES"] = job.types.map { $0.contains("=") ? $0 : "\($0)=1" }
      .joined(separator: ";")
    let hosts = hosts(of: job.assignedResources).joined(separator: " ")
    if hosts.utf8.count <= Self.longestList { variables["LIBURNA_JOB_HOSTS"] = hosts }
    return variables
  }
}

extension Controller {
  /// Whether the end of a job that was launched waits for a program of the site. A server that stops waits
  /// for none: the next one runs it.
  func needsEpilogue(_ id: JobID) -> Bool {
    guard settings.hooks.epilogue != nil || settings.hooks.prologue != nil else { return false }
    return !isStopping && executions[id] != nil
      && (settings.hooks.epilogue != nil || hookPrograms.isBusy(key(of: id)))
  }

  private func key(of id: JobID) -> String { "job \(id)" }

  private func run(
    _ program: String, for job: Job, limit: Seconds? = nil, key: String? = nil,
    whenDone: @escaping (ProgramEnd) -> Void
  ) {
    hookPrograms.run(
      ProgramCall(
        words: [program, String(job.id)],
        variables: state.hookVariables(of: job, settings: settings),
        limit: limit ?? settings.hooks.limit,
        key: key ?? self.key(of: job.id)), whenDone: whenDone)
  }

  // MARK: Before

  /// Runs the prologue; the job's hosts are prepared once it has ended well.
  func runPrologue(of job: Job) {
    guard let program = settings.hooks.prologue else { return prepareHosts(of: job) }
    enter(.preparing, job.id, awaiting: [Execution.serverHook])
    run(program, for: job) { self.prologueEnded(job.id, $0) }
  }

  private func prologueEnded(_ id: JobID, _ end: ProgramEnd) {
    guard !isStopping, let execution = executions[id] else { return }
    if execution.isReleasing {
      // The job was given up meanwhile: its end waits for this one or for the epilogue.
      if settings.hooks.epilogue == nil { released(id, on: Execution.serverHook) }
      return
    }
    guard execution.isPreparing, execution.pending.contains(Execution.serverHook),
      let job = state.jobs[id]
    else { return }
    executions[id]?.pending.remove(Execution.serverHook)
    guard let problem = end.problem else {
      failedPrologues = 0
      executions[id]?.isPrologueDue = false
      return prepareHosts(of: job)
    }
    failLaunch(
      id, "SERVER_PROLOGUE_\(end.hookWord)", "the server's prologue of job \(id) \(problem)",
      message: "The server's prologue failed", suspects: [], isItsOwn: false)
    countFailedPrologue()
  }

  /// A prologue that fails for every job would end them all: then it is better that none starts.
  private func countFailedPrologue() {
    failedPrologues += 1
    guard failedPrologues == settings.hooks.failureLimit else { return }
    failedPrologues = 0
    log.say(
      "\(settings.hooks.failureLimit) prologues on the server failed one after the other: all queues "
        + "are stopped until `oarnotify -E`")
    var outcome = Outcome()
    for place in state.queues.indices where state.queues[place].isActive {
      state.queues[place].isActive = false
      outcome.changes.append(.queueSet(state.queues[place]))
    }
    commit(outcome)
  }

  // MARK: After

  /// Runs the epilogue of a job that is being released, after its prologue if that still runs.
  func runEpilogue(of job: Job) {
    guard let program = settings.hooks.epilogue else { return }
    run(program, for: job) { end in
      if let problem = end.problem {
        let text = "the server's epilogue of job \(job.id) \(problem)"
        self.log.say(text)
        self.commit(
          Outcome(changes: [
            .event(
              JobEvent("SERVER_EPILOGUE_\(end.hookWord)", job: job.id, at: Self.now, text))
          ]))
      }
      self.released(job.id, on: Execution.serverHook)
    }
  }

  // MARK: Suspended jobs

  /// Stops the processes of a job, and tells the site's program. If that fails the job goes on.
  func stopProcesses(of id: JobID) {
    freeze(id, true)
    guard let program = settings.hooks.suspended, let job = state.jobs[id] else { return }
    runSuspension(program, for: job) { end in
      guard let problem = end.problem, let job = self.state.jobs[id] else { return }
      var outcome = self.note(
        "SUSPEND_SCRIPT_ERROR", "JUST_AFTER_SUSPEND_EXEC_FILE", of: id, problem)
      if job.state == .suspended {
        self.state.move(id, to: .resuming, at: Self.now, &outcome)
        self.state.needsPlan = true
      }
      self.commit(outcome)
    }
  }

  /// Lets the processes of a job go on, once the site's program was told. If that fails the job is ended.
  func continueProcesses(of id: JobID) {
    guard let program = settings.hooks.resuming, let job = state.jobs[id] else {
      return freeze(id, false)
    }
    runSuspension(program, for: job) { end in
      guard let job = self.state.jobs[id] else { return }
      // Meanwhile it may have been suspended anew.
      if job.state == .running { self.freeze(id, false) }
      guard let problem = end.problem else { return }
      var outcome = self.note(
        "RESUME_SCRIPT_ERROR", "JUST_BEFORE_RESUME_EXEC_FILE", of: id, problem)
      self.state.requestEnd(of: id, asker: "root", at: Self.now, &outcome)
      self.commit(outcome)
    }
  }

  private func runSuspension(
    _ program: String, for job: Job, whenDone: @escaping (ProgramEnd) -> Void
  ) {
    // No end of a job waits for these.
    run(
      program, for: job, limit: settings.hooks.suspendLimit, key: "suspension of \(job.id)",
      whenDone: whenDone)
  }

  private func note(
    _ type: String, _ program: String, of id: JobID, _ problem: String
  ) -> Outcome {
    let text = "\(program) of job \(id) \(problem)"
    log.say(text)
    return Outcome(changes: [.event(JobEvent(type, job: id, at: Self.now, text))])
  }
}
