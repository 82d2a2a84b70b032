// What the events of OAR's own programs say of a job that they run: how it ended, which hosts are to blame,
// and whether it is submitted again. The reactions are OAR's, but one: no event stops a queue.

import ClusterModel
import Storage

/// What follows from an event of a job that OAR's programs ran.
struct OARReaction: Hashable {
  enum Suspects {
    case none
    /// The hosts that the event names.
    case named
    case first
    case all
  }

  /// How the job ends; `nil` if the event ends nothing.
  var end: JobState?
  var suspects = Suspects.none
  /// Whether a passive job is submitted again because something else than it failed.
  var repeats = false

  /// What follows from an event; `nil` if nothing does.
  init?(to event: String) {
    switch event {
    case "SWITCH_INTO_TERMINATE_STATE": end = .terminated
    case "SWITCH_INTO_ERROR_STATE", "RESERVATION_NO_NODE": end = .error
    case "CPUSET_CLEAN_ERROR": (end, suspects) = (.terminated, .named)
    case "PING_CHECKER_NODE_SUSPECTED", "CPUSET_ERROR":
      (end, suspects, repeats) = (.error, .named, true)
    case "PING_CHECKER_NODE_SUSPECTED_END_JOB", "SUSPEND_ERROR", "RESUME_ERROR": suspects = .named
    case "PROLOGUE_ERROR": (end, suspects, repeats) = (.error, .all, true)
    case "EPILOGUE_ERROR": (end, suspects) = (.terminated, .all)
    case "CANNOT_WRITE_NODE_FILE", "CANNOT_WRITE_PID_FILE", "USER_SHELL",
      "CANNOT_CREATE_TMP_DIRECTORY", "LAUNCHING_OAREXEC_TIMEOUT":
      (end, suspects, repeats) = (.error, .first, true)
    case "SSH_TRANSFER_TIMEOUT", "BAD_HASHTABLE_DUMP", "EXIT_VALUE_OAREXEC":
      (end, suspects) = (.error, .first)
    case "EXTERMINATE_JOB": (end, suspects) = (.error, .all)
    case "SERVER_PROLOGUE_TIMEOUT", "SERVER_PROLOGUE_EXIT_CODE_ERROR", "SERVER_EPILOGUE_TIMEOUT":
      (end, repeats) = (.error, true)
    case "SERVER_EPILOGUE_EXIT_CODE_ERROR": end = .terminated
    default: return nil
    }
  }
}

extension Controller {
  /// Acts on what OAR's programs said of the jobs that they run. An event that has a job submitted again is
  /// taken out of the news: it counts as seen together with what follows from it.
  func heed(_ news: inout News, at now: Instant, _ outcome: inout Outcome) {
    var put: Set<Int> = []
    for numbered in news.events {
      let event = numbered.event
      guard state.runByOAR.contains(event.job), let job = state.jobs[event.job],
        let reaction = OARReaction(to: event.type)
      else { continue }
      let hosts = state.hosts(of: job.assignedResources)
      switch reaction.suspects {
      case .none: break
      case .named: state.suspectHosts(event.hosts, at: now, &outcome)
      case .first: state.suspectHosts(Array(hosts.prefix(1)), at: now, &outcome)
      case .all: state.suspectHosts(hosts, at: now, &outcome)
      }
      guard let end = reaction.end, withOAR2?.owes(job.id) != true else { continue }
      let row = news.watched[job.id]
      if reaction.repeats { log.say("job \(job.id): \(event.type): \(event.text)") }
      if let owed = owed(job, reaction, event, row) {
        put.insert(numbered.id)
        withOAR2?.takenEvents[numbered.id] = now
        submitAgain(owed) { outcome in
          self.state.end(job.id, as: end, status: row?.exitStatus, at: now, &outcome)
          outcome.changes.append(.eventsChecked([numbered.id]))
        }
      } else {
        state.end(job.id, as: end, status: row?.exitStatus, at: now, &outcome)
      }
    }
    news.events.removeAll { put.contains($0.id) }
  }

  /// The job that repeats one of OAR's that ends; `nil` if none does.
  private func owed(
    _ job: Job, _ reaction: OARReaction, _ event: JobEvent, _ row: WatchedJob?
  ) -> OwedJob? {
    if reaction.repeats { return automatic(job, because: event.type) }
    let isRepeated =
      isRepeatable(job)
      && (state.victims.contains(job.id) || asksForMore(job, row))
    return isRepeated ? idempotent(job) : nil
  }

  /// An idempotent job asks to run again with the exit code 99, after a minute at least.
  func asksForMore(_ job: Job, _ row: WatchedJob?) -> Bool {
    guard let row, job.deletionAsked == 0 else { return false }
    return row.exitStatus == 99 << 8 && row.stopTime - row.startTime > 60
  }
}
