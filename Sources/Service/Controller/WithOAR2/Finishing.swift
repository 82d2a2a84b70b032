// Jobs of OAR's that finish and do not end: the `bipbip` that saw to that was killed together with its server.
// After the time that OAR's own programs may take, their hosts are cleaned, and they end as their rows say.

import ClusterModel
import Storage

/// A job of OAR's whose command is over.
struct FinishingJob {
  /// Since when that is known here.
  var since: Instant
  /// Its row, where `bipbip` wrote how the command ended.
  var row: WatchedJob
}

extension Controller {
  /// Seconds that `bipbip` may need from the end of a command to that of its job: the server's epilogue, then
  /// cleaning the hosts and asking whether they answer.
  private var finishPatience: Seconds {
    settings.hooks.limit + 2 * (withOAR2?.settings.connectionLimit ?? 0)
  }

  func noteFinishing(_ id: JobID, _ row: WatchedJob) {
    guard row.state == .finishing, let side = withOAR2 else { return }
    side.finishing[id] = FinishingJob(since: side.finishing[id]?.since ?? Self.now, row: row)
  }

  /// Does what `bipbip` has left undone, if its time is over.
  func finishInPlaceOfOAR(_ job: Job, at now: Instant) {
    let id = job.id
    guard let side = withOAR2, let finishing = side.finishing[id],
      let execution = executions[id], execution.isRunning,
      now - finishing.since >= finishPatience,
      !side.programs.isBusy("end of \(id)"), !side.programs.isBusy("job \(id)")
    else { return }
    log.say("job \(id) has been finishing for \(now - finishing.since) s: its hosts are cleaned")
    side.finishing[id] = nil
    // From here on it is as one of ours whose command is over.
    state.runByOAR.remove(id)
    let row = finishing.row
    let isRepeated =
      isRepeatable(job) && (state.victims.contains(id) || asksForMore(job, row))
    let verdict = Verdict(
      status: row.exitStatus, state: row.exitStatus == nil ? .error : .terminated,
      date: row.stopTime > 0 ? row.stopTime : nil, owed: isRepeated ? idempotent(job) : nil)
    let word = verdict.state == .terminated ? "TERMINATE" : "ERROR"
    let text = "the end of job \(id) was not written down by OAR 2's server"
    clean(
      job, verdict, execution.hosts, at: now,
      Outcome(changes: [
        .event(JobEvent("SWITCH_INTO_\(word)_STATE", job: id, at: now, text))
      ]))
  }

  /// Jobs that finished when the server came, and whose first host has not said since whether they are ours.
  func decideFinishing(at now: Instant) {
    guard let side = withOAR2 else { return }
    for (id, since) in side.undecided
    where state.jobs[id]?.state == .finishing && now - since >= finishPatience {
      side.undecided[id] = nil
      state.runByOAR.insert(id)
    }
    side.finishing = side.finishing.filter { state.jobs[$0.key] != nil }
  }
}
