// A job's cgroup on a host: made, frozen, thawed and removed on the server's word.

import CLinux
import ClusterModel
import Glibc
import Wire

extension Agent {
  /// Seconds that a removal waits for processes which can't be killed.
  static let removalPatience = 60.0

  func prepare(_ job: JobID, _ confinement: Confinement, _ files: OAR2Files?) {
    guard isGroupPath(confinement.path) else {
      return send(.prepareFailed(job, "\"\(confinement.path)\" can't name a cgroup"))
    }
    if let obstacle = lending.obstacle {
      return send(.prepareFailed(job, "no job may start here: \(obstacle)"))
    }
    findOARAccount(for: files) { [unowned self] answer in
      switch answer {
      case .failure(let problem): send(.prepareFailed(job, problem.text))
      case .success(let account): prepare(job, confinement, files, account)
      }
    }
  }

  private func prepare(
    _ job: JobID, _ confinement: Confinement, _ files: OAR2Files?, _ account: Account?
  ) {
    afterRemoval(of: confinement.path) { [unowned self] in
      do {
        try groups.create(confinement)
        if let files, let account {
          try OAR2Traces(job, files, account).make(in: spool, groups, confinement.path)
        }
        send(.prepared(job))
      } catch {
        send(.prepareFailed(job, "\(error)"))
      }
      passRemarks()
    }
  }

  /// Freezes or thaws, and stops or starts the clocks of the shepherds concerned.
  func setSuspended(_ job: JobID, _ confinement: Confinement, _ isSuspended: Bool) {
    guard isGroupPath(confinement.path), groups.exists(confinement.path) else { return }
    do {
      try groups.setFrozen(confinement.path, isSuspended)
    } catch {
      return remark("job \(job): \(error)")
    }
    for attempt in attempts.values where attempt.job == job && attempt.pidfd >= 0 {
      (isSuspended ? ShepherdSignal.suspended : .resumed).send(to: attempt.pidfd)
    }
  }

  /// Finds OAR's account, if OAR's files are asked for.
  func findOARAccount(
    for files: OAR2Files?, _ use: @escaping (Result<Account?, LaunchProblem>) -> Void
  ) {
    guard let files else { return use(.success(nil)) }
    guard files.directory.hasPrefix("/"), !files.user.contains("/") else {
      let text = "\"\(files.directory)\" and \"\(files.user)\" can't name OAR's files"
      return use(.failure(LaunchProblem(.host, text)))
    }
    accounts.find(files.account) { use($0.map { .some($0) }) }
  }

  func release(_ job: JobID, _ confinement: Confinement) {
    spool.removeTraces(of: job)
    spool.removeJob(job)
    guard isGroupPath(confinement.path) else { return send(.released(job)) }
    remove(confinement.path) { [unowned self] isGone in
      if isGone {
        send(.released(job))
      } else {
        let left = groups.processes(confinement.path).map(String.init).joined(separator: " ")
        remark(
          "job \(job): the cgroup \(confinement.path) is still not empty after"
            + " \(Int(Self.removalPatience)) s; processes that can't be killed: \(left)")
      }
    }
  }

  /// Runs `action` now, or when the removal of that cgroup is over.
  func afterRemoval(of path: String, _ action: @escaping () -> Void) {
    if removals[path] != nil {
      removals[path]?.append(action)
    } else {
      action()
    }
  }

  /// Kills and removes. An empty cgroup goes at once; else a child does the waiting.
  func remove(_ path: String, _ done: @escaping (Bool) -> Void) {
    if removals[path] != nil { return afterRemoval(of: path) { self.remove(path, done) } }
    if groups.remove(path) { return done(true) }
    let child = clinux_fork()
    if child == 0 {
      clinux_close_from(0)
      _exit(groups.destroy(path, patience: Self.removalPatience) ? 0 : 1)
    }
    guard child > 0 else { return done(groups.destroy(path, patience: 1)) }
    removals[path] = []
    let pidfd = clinux_pidfd_open(child)
    loop.watch(pidfd, for: .read) { [unowned self] _ in
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG) == child else { return }
      loop.unwatch(pidfd)
      close(pidfd)
      let waiting = removals.removeValue(forKey: path) ?? []
      done(status == 0)
      for action in waiting { action() }
    }
  }
}
