// The attempts: begun once, watched, taken up again, forgotten.

import CLinux
import ClusterModel
import Glibc
import Wire

/// What the agent knows of an attempt.
struct Attempt {
  let job: JobID
  /// The shepherd's; -1 before there is one and after it ended.
  var pidfd: Int32 = -1
  var shepherd: pid_t = 0
  /// Told to the server; `nil` until the command runs or failed to.
  var status: AttemptStatus?
  /// Asked to end before there was a shepherd.
  var isCancelled = false
}

extension Agent {
  private var now: Instant { Instant(time(nil)) }

  // MARK: Beginning

  /// Begins an attempt, or says how it stands: there is never a second begin.
  func start(_ specification: AttemptSpecification) {
    let id = specification.attempt
    if let known = attempts[id] {
      if let status = known.status { send(.attempt(id, status)) }
      return
    }
    if let obstacle = lending.obstacle {
      return send(.attempt(id, .failed(.host, "no job may start here: \(obstacle)")))
    }
    do {
      guard try spool.create(id) else { return adoptAndReport(id) }
    } catch {
      return send(.attempt(id, .failed(.host, "\(error)")))
    }
    attempts[id] = Attempt(job: id.job)
    guard isGroupPath(specification.confinement.path) else {
      return settle(
        id, .failed(.confinement, "\"\(specification.confinement.path)\" can't name a cgroup"))
    }
    accounts.find(specification.user) { [unowned self] answer in
      switch answer {
      case .failure(let problem): settle(id, .failed(problem.kind, problem.text))
      case .success(let account):
        findOARAccount(for: specification.oar2?.files) { [unowned self] answer in
          switch answer {
          case .failure(let problem): settle(id, .failed(.host, problem.text))
          case .success(let oarAccount):
            afterRemoval(of: specification.confinement.path) { [unowned self] in
              forkShepherd(specification, account, oarAccount)
            }
          }
        }
      }
    }
  }

  private func forkShepherd(
    _ specification: AttemptSpecification, _ account: Account, _ oarAccount: Account?
  ) {
    let id = specification.attempt
    if attempts[id]?.isCancelled == true {
      return settle(id, .ended(status: Int(SIGTERM), cause: .killed, at: now))
    }
    let duty = ShepherdDuty(
      specification: specification, account: account, spool: spool, groups: groups,
      notices: noticeEnds.write, openFiles: openFiles, oarAccount: oarAccount)
    do {
      // Done here once, it is done for all shepherds to come.
      try groups.prepare(for: specification.confinement)
    } catch {
      return settle(id, .failed(.confinement, "\(error)"))
    }
    passRemarks()
    do {
      let shepherd = try Shepherd.start(duty)
      let pidfd = clinux_pidfd_open(shepherd)
      guard pidfd >= 0 else { return giveUp(id, shepherd) }
      watch(id, shepherd, pidfd)
    } catch {
      settle(id, .failed(.host, "\(error)"))
    }
  }

  /// A shepherd that can't be watched (no descriptors are left) must not run.
  private func giveUp(_ id: AttemptID, _ shepherd: pid_t) {
    remark("attempt \(id): \(SystemError("its shepherd can't be watched"))")
    kill(shepherd, SIGKILL)
    waitpid(shepherd, nil, 0)
    if let status = outcome(id) { report(id, status) }
  }

  /// Writes down and reports an attempt that no shepherd will.
  private func settle(_ id: AttemptID, _ status: AttemptStatus) {
    do {
      try spool.write(status, of: id)
    } catch {
      remark("\(error)")
    }
    report(id, status)
  }

  private func report(_ id: AttemptID, _ status: AttemptStatus) {
    attempts[id]?.status = status
    send(.attempt(id, status))
    if case .running = status { return }
    syncUnlessAcknowledged(id)
  }

  /// Seconds that the server has to acknowledge an end before it is synced to the disk. A host that
  /// crashes within them is to the server a host that died with the attempt.
  static let syncDelay = 1.0

  private func syncUnlessAcknowledged(_ id: AttemptID) {
    loop.after(Self.syncDelay) { [unowned self] in
      guard attempts[id] != nil else { return }
      do {
        try spool.sync(id)
      } catch {
        remark("attempt \(id): \(error)")
      }
    }
  }

  // MARK: Watching

  private func watch(_ id: AttemptID, _ shepherd: pid_t, _ pidfd: Int32) {
    attempts[id]?.shepherd = shepherd
    attempts[id]?.pidfd = pidfd
    loop.watch(pidfd, for: .read) { [unowned self] _ in shepherdEnded(id, pidfd) }
  }

  /// Opens the pipe through which shepherds say that their commands run.
  func openNotices() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    let code = clinux_pipe(&ends, O_NONBLOCK)
    guard code == 0 else { throw SystemError("cannot make the shepherds' pipe", code: code) }
    noticeEnds = (ends[0], ends[1])
    loop.watch(ends[0], for: .read) { [unowned self] _ in readNotices() }
  }

  private func readNotices() {
    for notice in LaunchNotice.receive(from: noticeEnds.read) {
      let id = AttemptID(job: Int(notice.job), number: Int(notice.number))
      guard let attempt = attempts[id], attempt.status == nil else { continue }
      report(id, .running(pid: Int(attempt.shepherd), since: Instant(notice.since)))
    }
  }

  private func shepherdEnded(_ id: AttemptID, _ pidfd: Int32) {
    guard let attempt = attempts[id], attempt.pidfd == pidfd, clinux_pidfd_ended(pidfd) else {
      return
    }
    // What it said last comes first.
    readNotices()
    loop.unwatch(pidfd)
    close(pidfd)
    attempts[id]?.pidfd = -1
    // Only those that this agent forked are its children.
    waitpid(attempt.shepherd, nil, WNOHANG)
    let status = spool.status(id) ?? outcome(id)
    if let status { report(id, status) }
    endVisits(id, status)
    leftoverEnded(id)
  }

  /// The status of an attempt whose shepherd is gone without one.
  private func outcome(_ id: AttemptID) -> AttemptStatus? {
    do {
      switch try spool.find(id, now: now) {
      case .over(let status): return status
      case .running: return nil
      case .lost(let record): return try writeLost(id, record)
      }
    } catch {
      remark("attempt \(id): \(error)")
      let hasRun = attempts[id]?.status != nil
      return hasRun
        ? .ended(status: Int(SIGKILL), cause: .lost, at: now) : .failed(.host, "\(error)")
    }
  }

  /// Seconds to wait for the death of what a lost shepherd left behind.
  static let lostPatience = 5.0

  private func writeLost(_ id: AttemptID, _ record: AttemptRecord) throws(SystemError)
    -> AttemptStatus
  {
    if isGroupPath(record.groupPath), !groups.destroy(record.groupPath, patience: Self.lostPatience)
    {
      remark(
        "processes of job \(id.job) are left in the cgroup \(record.groupPath): can't be killed")
    }
    // They were killed, as far as anybody can tell.
    let status = AttemptStatus.ended(status: Int(SIGKILL), cause: .lost, at: now)
    spool.removeTraces(of: id.job)
    try spool.write(status, of: id)
    return status
  }

  // MARK: Taking up

  /// Takes up what earlier agents left. An agent that can't do so must not serve: it would report as
  /// unknown what runs.
  func adoptAttempts() throws(SystemError) {
    for id in spool.attempts() { try adopt(id) }
  }

  private func adoptAndReport(_ id: AttemptID) {
    do {
      try adopt(id)
    } catch {
      // Whether it runs is not known: better no answer than a wrong one.
      remark("attempt \(id): \(error)")
    }
    if let status = attempts[id]?.status { send(.attempt(id, status)) }
  }

  private func adopt(_ id: AttemptID) throws(SystemError) {
    switch try spool.find(id, now: now) {
    case .over(let status):
      attempts[id] = Attempt(job: id.job, status: status)
      syncUnlessAcknowledged(id)
    case .running(let shepherd, let pidfd, let record):
      attempts[id] = Attempt(
        job: id.job, status: .running(pid: Int(shepherd), since: record.since))
      watch(id, shepherd, pidfd)
    case .lost(let record):
      attempts[id] = Attempt(job: id.job, status: try writeLost(id, record))
      syncUnlessAcknowledged(id)
    }
  }

  // MARK: Ending

  /// Passes a request on to the shepherd; says how the attempt stands if there is none any more.
  func tell(_ id: AttemptID, _ signal: ShepherdSignal, _ value: Int) {
    guard let attempt = attempts[id] else {
      return send(.attempt(id, .failed(.host, "no attempt \(id) on this host")))
    }
    if attempt.pidfd >= 0 {
      signal.send(to: attempt.pidfd, value: value)
    } else if let status = attempt.status {
      send(.attempt(id, status))
    } else if signal == .kill {
      attempts[id]?.isCancelled = true
    }
  }

  /// Forgets an attempt that is over.
  func acknowledge(_ id: AttemptID) {
    guard let attempt = attempts[id] else { return }
    if attempt.pidfd >= 0 || attempt.status == nil {
      return remark("attempt \(id) is not over: it can't be acknowledged")
    }
    attempts[id] = nil
    spool.removeTraces(of: id.job)
    spool.removeJob(id.job)
    spool.remove(id)
  }
}
