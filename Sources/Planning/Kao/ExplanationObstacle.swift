// What stands between a waiting job and its start, as far as it decides whether a change of the
// request can help, and what must happen if it can't.

import ClusterModel
import Kamelot

/// What must give way before a job can start.
enum Obstacle: Equatable {
  /// Resources are missing: a smaller request may help.
  case resources
  /// Besteffort jobs are ending for it.
  case victims
  /// It waits for other jobs, the first of which is named if it is known.
  case dependency(JobID?)
  case inactiveQueue(String)
  case unknownQueue(String)
  case malformed
  /// It starts at a date of its user's choice.
  case reservation
  /// It has a type that decides which resources it may have.
  case special(String)
  /// The plan does not reach it.
  case order
  /// Nothing but the next pass.
  case pass
  /// Something that the reason alone tells.
  case other

  /// Types whose jobs do not get what is free for everybody at any time.
  private static let specialTypes: Set<String> = [
    "inner", "deadline", "postpone", "expire", "token", "assign", "find", "timesharing", "allowed",
    "allow",
  ]

  init(
    to job: WaitingJob, _ placement: Placement?, _ reason: Reason, in snapshot: Snapshot
  ) {
    let isKnown = snapshot.queues.contains { $0.name == job.queue }
    let others: [Reason.Kind: Obstacle] = [
      .queue: isKnown ? .inactiveQueue(job.queue) : .unknownQueue(job.queue),
      .malformed: .malformed, .order: .order, .dependency: .dependency(reason.blockers.first),
    ]
    self =
      reason.kind == .resources || reason.kind == .impossible
      ? Obstacle(to: job, placement, now: snapshot.now) : others[reason.kind] ?? .other
  }

  private init(to job: WaitingJob, _ placement: Placement?, now: Instant) {
    let special = job.types.first { type in
      Obstacle.specialTypes.contains(String(type.prefix { $0 != "=" && $0 != ":" }))
    }
    let unmet = job.dependencies.first { $0 != .satisfied }
    if job.reservation != nil {
      self = .reservation
    } else if let special {
      self = .special(special)
    } else if let unmet {
      self = .dependency(unmet.job)
    } else if let placement, placement.start <= now {
      self = .victims
    } else {
      self = .resources
    }
  }

  /// What must happen, for the user.
  var sentence: String {
    switch self {
    case .resources:
      "No shorter walltime, smaller count or wider condition alone would start it now."
    case .victims: "It starts by itself as soon as the jobs that give way to it have ended."
    case .dependency(let job?): "No change of its request helps: job \(job) must end first."
    case .dependency(nil): "No change of its request helps: another job must end first."
    case .inactiveQueue(let name):
      "It starts when an administrator makes its queue active again (oarqueue -e \(name))."
    case .unknownQueue(let name):
      "It never starts unless there is a queue \"\(name)\" again: delete it and submit it to another."
    case .malformed:
      "It never starts: delete it and submit it again with a request that can be understood."
    case .reservation: "It can start at the date that it was reserved for only."
    case .special(let type): "Its type \(type) decides what it may have, not its request alone."
    case .order: "It has to wait until the plan reaches it: jobs ahead of it must start first."
    case .pass: "It can start as it is: the next planning pass will see to it."
    case .other: "It can start once this no longer holds."
    }
  }
}

extension Dependency {
  /// The job that must end first.
  fileprivate var job: JobID? {
    switch self {
    case .satisfied: nil
    case .running(let job), .waiting(let job), .impossible(let job, _): job
    }
  }
}
