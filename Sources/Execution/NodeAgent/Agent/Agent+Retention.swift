// What may stay on this host after the server was away: the jobs it names, and nothing of others.

import ClusterModel
import Wire

/// What is still to go before the server hears that nothing of other jobs is left.
struct Leftovers {
  var attempts: Set<AttemptID> = []
  var groups: Set<String> = []
  /// The server waits for the answer.
  var isAwaited = false
}

extension Agent {
  /// Ends and removes everything of jobs that are not listed; with `isShared` only what agents of ours began.
  func retain(_ jobs: Set<JobID>, root: String, isShared: Bool) {
    let attempts = attempts.filter { !jobs.contains($0.key.job) && $0.value.pidfd >= 0 }
    leftovers = Leftovers(attempts: Set(attempts.keys), isAwaited: true)
    for id in attempts.keys { tell(id, .kill, 0) }
    for name in groups.children(root) {
      let path = "\(root)/\(name)"
      guard isGroupPath(path), let job = jobOfGroup(name), !jobs.contains(job) else { continue }
      if isShared, !isOurs(job) { continue }
      removeLeftover(path, of: job)
    }
    for job in spool.jobs() where !jobs.contains(job) {
      spool.removeTraces(of: job)
      spool.removeJob(job)
    }
    answerIfClean()
  }

  /// Whether it is certain that an agent of ours made the job's cgroup.
  private func isOurs(_ job: JobID) -> Bool {
    spool.names(of: job) != nil || attempts.keys.contains { $0.job == job }
  }

  func leftoverEnded(_ id: AttemptID) {
    if leftovers.attempts.remove(id) != nil { answerIfClean() }
  }

  private func removeLeftover(_ path: String, of job: JobID) {
    leftovers.groups.insert(path)
    spool.removeTraces(of: job)
    spool.removeJob(job)
    remove(path) { [unowned self] isGone in
      guard isGone else {
        return remark("\(path) of job \(job), which is over, has processes that can't be killed")
      }
      leftovers.groups.remove(path)
      answerIfClean()
    }
  }

  private func answerIfClean() {
    guard leftovers.isAwaited, leftovers.attempts.isEmpty, leftovers.groups.isEmpty else { return }
    leftovers.isAwaited = false
    send(.retained)
  }

  /// The job of a cgroup's name, `user_id`.
  private func jobOfGroup(_ name: String) -> JobID? {
    name.lastIndex(of: "_").flatMap { Int(name[name.index(after: $0)...]) }
  }
}
