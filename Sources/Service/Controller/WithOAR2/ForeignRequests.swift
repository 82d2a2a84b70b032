// What OAR 2's commands asked for by rows of their own: the ends of jobs (`frag_jobs`), and holds, resumes
// and the like (`event_logs` to be checked). The decisions are those of our own commands.

import ClusterModel
import Storage

extension ClusterState {
  // MARK: Ends

  /// Begins the ends that were asked for. `isUnread` tells of jobs whose rows were not read yet.
  mutating func takeUp(
    _ deletions: [JobID: DeletionState], at now: Instant, _ outcome: inout Outcome,
    isUnread: (JobID) -> Bool
  ) {
    for (id, step) in deletions.sorted(by: { $0.key < $1.key }) {
      if let job = jobs[id] {
        guard job.deletionAsked == 0 else { continue }
        jobs[id]?.deletionAsked = now
        beginEnd(of: job, at: now, &outcome)
      } else if !isUnread(id), step != .done {
        // It has ended: there is nothing to do.
        outcome.changes.append(.jobDeletion(id, .done, at: now))
      }
    }
  }

  // MARK: Events

  /// Does what events ask for.
  ///
  /// - Returns: the numbers of those that were acted upon, and the jobs whose types were changed.
  mutating func takeUp(
    _ events: [NumberedEvent], at now: Instant, _ outcome: inout Outcome,
    isUnread: (JobID) -> Bool
  ) -> (checked: [Int], retyped: Set<JobID>) {
    var checked: [Int] = []
    var retyped: Set<JobID> = []
    for numbered in events {
      let event = numbered.event
      // What is said of a job that is not there yet is heard when it is.
      if event.job != 0, jobs[event.job] == nil, isUnread(event.job) { continue }
      checked.append(numbered.id)
      guard let job = jobs[event.job] else { continue }
      switch event.type {
      case "HOLD_WAITING_JOB": hold(job, isRunningMeant: false, at: now, &outcome)
      case "HOLD_RUNNING_JOB": hold(job, isRunningMeant: true, at: now, &outcome)
      case "RESUME_JOB": goOn(job, at: now, &outcome)
      case "FORCE_TERMINATE_FINISHING_JOB":
        guard job.state == .finishing else { continue }
        suspectHosts(hosts(of: job.assignedResources), at: now, &outcome)
        end(job.id, as: .error, status: nil, at: now, &outcome)
      case Self.deletionEvent: tellUser(of: job, .deletion(event.text), &outcome)
      case "ADD_BESTEFFORT_JOB_TYPE", "DELETE_BESTEFFORT_JOB_TYPE": retyped.insert(job.id)
      default: break
      }
    }
    return (checked, retyped)
  }

  private mutating func hold(
    _ job: Job, isRunningMeant: Bool, at now: Instant, _ outcome: inout Outcome
  ) {
    switch job.state {
    case .waiting where job.reservation == .none:
      placements[job.id] = nil
      move(job.id, to: .hold, at: now, &outcome)
      needsPlan = true
    case .running where isRunningMeant, .resuming where isRunningMeant:
      outcome.effects.append(.suspend(job.id))
      suspend(job.id, at: now, &outcome)
    default: break
    }
  }

  private mutating func goOn(_ job: Job, at now: Instant, _ outcome: inout Outcome) {
    switch job.state {
    case .hold: move(job.id, to: .waiting, at: now, &outcome)
    case .suspended: move(job.id, to: .resuming, at: now, &outcome)
    default: return
    }
    needsPlan = true
  }

  // MARK: Jobs that OAR's programs run

  /// Takes over how far OAR's programs have come with a job; they wrote it down already. Steps back are
  /// our own, which are not durable yet.
  mutating func follow(_ row: WatchedJob, of id: JobID, at now: Instant, _ outcome: inout Outcome) {
    guard let job = jobs[id], runByOAR.contains(id) else { return }
    if row.state.isFinal {
      var done = Outcome()
      end(id, as: row.state, status: row.exitStatus, at: now, &done)
      // Who wrote it has told the user.
      outcome.effects += done.effects.filter { if case .tellUser = $0 { false } else { true } }
      return
    }
    guard row.state.progress > job.state.progress else { return }
    jobs[id]?.state = row.state
    if row.state == .finishing { needsPlan = true }
    resuming.remove(id)
    standing = nil
    tell(id, at: now, &outcome)
  }
}

extension JobState {
  /// How far a job has come that OAR's programs run; equal for steps between which they do not decide.
  fileprivate var progress: Int {
    switch self {
    case .toLaunch: 1
    case .launching: 2
    case .running, .suspended, .resuming: 3
    case .finishing: 4
    default: 0
    }
  }
}
