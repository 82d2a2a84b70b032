// What a shepherd does beside when OAR 2's commands and modules must find its job: the files, the signals of
// OAR's account, the site's hooks, and the word about the end.

import CLinux
import ClusterModel
import Glibc
import RequestLanguage
import Wire

/// What OAR 2 says to a job's process on the first host, by a plain signal from OAR's account.
enum OAR2Signal: CaseIterable {
  /// End the job: Leon, after `oardel` or at the end of the walltime.
  case end
  /// The last session of an interactive job is over: `oarsub -I`.
  case sessionOver
  /// Save the work: `oardel -c`.
  case checkpoint
  /// Send the signal whose name is in the file: `oardel -s`.
  case signal

  var rawValue: Int32 {
    switch self {
    case .end: SIGTERM
    case .sessionOver: SIGUSR1
    case .checkpoint: SIGUSR2
    case .signal: SIGURG
    }
  }

  init?(rawValue: Int32) {
    guard let found = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = found
  }

  static var all: [Int32] { allCases.map(\.rawValue) }
}

extension Shepherd {
  /// The attempt has nothing to run: it holds its hosts for a session that `oarsub` of OAR 2 opens.
  var isHolding: Bool {
    specification.oar2 != nil && specification.command == nil && specification.terminal == nil
  }

  private var names: OAR2Names? {
    specification.oar2.map {
      OAR2Names(
        directory: $0.files.directory, user: $0.files.user, job: specification.attempt.job)
    }
  }

  // MARK: The beginning

  /// Makes the files, and the cgroups as OAR's own job manager would have made them.
  func makeTraces() throws(SystemError) {
    guard let oar2 = specification.oar2, let account = duty.oarAccount else { return }
    try OAR2Traces(specification.attempt.job, oar2.files, account)
      .make(in: duty.spool, duty.groups, path)
  }

  /// Lets OAR's account send signals to this process, and says which process it is.
  ///
  /// A process may send signals to another whose real user is its own; all else goes by the effective user,
  /// which stays root.
  func announce() throws(SystemError) {
    guard let oar2 = specification.oar2, let account = duty.oarAccount else { return }
    guard setreuid(account.uid, uid_t.max) == 0 else {
      throw SystemError("cannot take signals from \(account.name)")
    }
    try OAR2Traces(specification.attempt.job, oar2.files, account).announce(getpid())
  }

  func runPrologue() throws(LaunchProblem) {
    guard let program = specification.oar2?.prologue else { return }
    do {
      try runHook(program)
    } catch {
      throw LaunchProblem(.prologue, "the prologue failed: \(error.text)")
    }
  }

  /// Variables of the job that OAR 2's batch jobs have beside all others.
  var oar2Environment: [String: String] {
    guard let account = duty.oarAccount, let names else { return [:] }
    var variables = [
      "OAR_RESOURCE_PROPERTIES_FILE": names.resources, "SUDO_COMMAND": "OAR",
      // Makes bash read the user's own `.bashrc` in batch jobs.
      "BASH_ENV": account.home + "/.batch_job_bashrc",
    ]
    for name in ["OAR_NODEFILE", "OAR_NODE_FILE", "OAR_FILE_NODES", "OAR_RESOURCE_FILE"] {
      variables[name] = names.nodes
    }
    variables["OAR_CPUSET"] = specification.oar2?.files.cpuset
    return variables
  }

  /// The process of an attempt that only holds its hosts.
  func makeHolder() throws(SystemError) -> Launch {
    var launch = Launch(program: "/bin/sleep", arguments: ["sleep", "infinity"])
    launch.account = duty.account
    launch.directory = workingDirectory
    launch.group = try duty.groups.entry(path)
    return launch
  }

  private func runHook(_ program: String) throws(OAR2Hook.Failure) {
    guard let oar2 = specification.oar2, let account = duty.oarAccount, let names else { return }
    let files = JobEnvironment.FileNames(
      nodes: names.nodes, resources: names.resources, directory: workingDirectory)
    let environment = JobEnvironment.make(
      account: account, job: specification.environment, files: files, group: path, terminal: nil)
    let hook = OAR2Hook(
      program: program, account: account, names: names, environment: environment,
      limit: oar2.hookLimit)
    try hook.run(in: try? duty.groups.entry(path))
  }

  // MARK: Signals

  func received(_ signal: OAR2Signal) {
    switch signal {
    case .end:
      wasEndedByOAR = true
      end(.killed, grace: ShepherdClock.walltimeGrace)
    case .sessionOver: if isHolding { end(.hangup, grace: 0) }
    case .checkpoint: perform(.checkpoint)
    case .signal:
      guard let names, let text = Files.text(names.signal),
        let number = try? SignalName.number(parsing: text)
      else { return }
      unlink(names.signal)
      kill(-command, Int32(number))
    }
  }

  // MARK: The end

  /// Runs the epilogue while the job's cgroup is still there. Why the attempt ended, all considered.
  func causeAfterEpilogue(_ cause: EndCause) -> EndCause {
    guard let program = specification.oar2?.epilogue else { return cause }
    do {
      try runHook(program)
      return cause
    } catch {
      return cause == .command ? .epilogue : cause
    }
  }

  func removeTraces() {
    guard let names, let files = specification.oar2?.files else { return }
    if files.cpuset == nil { OAR2Sessions.end(listedIn: names.sessions, of: names.job) }
    duty.spool.removeTraces(of: names.job)
  }

  /// Sees to it that OAR's server hears of the end if no server of ours takes note of it.
  func leaveHerald(_ status: AttemptStatus, record: Int32, notices: Int32) {
    guard let oar2 = specification.oar2, let account = duty.oarAccount else { return }
    let end = OAR2End(status, isHolding: isHolding)
    Herald(
      word: end.word(job: specification.attempt.job, challenge: oar2.challenge),
      server: oar2.server, port: oar2.port, account: account, record: record,
      isExpected: wasEndedByOAR
    ).leave(notices: notices)
  }
}
