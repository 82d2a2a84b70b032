// Besteffort jobs give way: they are told to save their work if they can, and ended.

import ClusterModel
import Storage

extension ClusterState {
  /// OAR's word for a besteffort job that gives way.
  static let victimEvent = "BESTEFFORT_KILL"
  /// OAR's word for a job that is told to save its work.
  static let checkpointEvent = "CHECKPOINT"

  /// Ends a besteffort job for one that needs its resources.
  mutating func dismiss(_ id: JobID, at now: Instant, _ outcome: inout Outcome) {
    guard jobs[id]?.deletionAsked == 0 else { return }
    victims.insert(id)
    outcome.changes.append(
      .event(
        JobEvent(Self.victimEvent, job: id, at: now, "[MetaSched] kill the besteffort job \(id)")))
    requestEnd(of: id, asker: "root", at: now, &outcome)
  }

  /// Tells a besteffort job to save its work, because a job needs its resources. The planner ends it when
  /// its time for that is over.
  mutating func tellToSave(_ id: JobID, at now: Instant, _ outcome: inout Outcome) {
    guard let job = jobs[id], job.deletionAsked == 0,
      job.checkpointedAt == 0 || now > job.checkpointedAt + job.request.checkpoint
    else { return }
    jobs[id]?.checkpointedAt = now
    sendCheckpoint(job, "\(Self.planner) checkpoint of the besteffort job \(id)", at: now, &outcome)
  }

  /// Has a job save its work, whoever wants it.
  func sendCheckpoint(_ job: Job, _ text: String, at now: Instant, _ outcome: inout Outcome) {
    outcome.changes.append(.event(JobEvent(Self.checkpointEvent, job: job.id, at: now, text)))
    outcome.effects.append(.signal(job.id, job.request.checkpointSignal))
  }

  /// What the planner's events begin with; a user's do not.
  private static let planner = "[MetaSched]"

  /// Takes up what events tell of a job that has resources.
  mutating func adopt(_ events: [JobEvent], of id: JobID) {
    guard let job = jobs[id] else { return }
    if job.deletionAsked > 0, job.hasType("idempotent"),
      events.contains(where: { $0.type == Self.victimEvent })
    {
      victims.insert(id)
    }
    let told = events.last {
      $0.type == Self.checkpointEvent && $0.text.hasPrefix(Self.planner)
    }
    if let told { jobs[id]?.checkpointedAt = told.date }
  }
}

extension Controller {
  /// Besteffort jobs that were giving way when the server stopped: what they were told still counts, and
  /// idempotent ones are still to run again.
  func adoptVictims() async throws {
    var filter = JobFilter()
    filter.ids = state.holding.filter { id in
      guard let job = state.jobs[id] else { return false }
      return (job.deletionAsked > 0 && job.hasType("idempotent"))
        || (job.request.checkpoint > 0 && job.types.contains("besteffort"))
    }.sorted()
    guard filter.ids?.isEmpty == false else { return }
    for record in try await storage.jobs(matching: filter, limit: state.holding.count) {
      state.adopt(record.events, of: record.id)
    }
  }
}
