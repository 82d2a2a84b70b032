// What stands between a waiting job and its start, as far as it decides whether a change of the
// request can help, and what must happen if it can't.

import ClusterModel
import Kamelot

/// What must give way before a job can start.
enum Obstacle: Equatable {
  /// Resources are missing, or a quota is used up: a smaller request may help.
  case request
  /// Besteffort jobs are ending for it.
  case victims
  /// Hosts sleep and are being woken.
  case sleepers
  /// Its container has to start first.
  case container(String)
  /// There is no place for its container in the plan.
  case noContainer(String)
  /// It waits for other jobs, the first of which is named if it is known.
  case dependency(JobID?)
  case inactiveQueue(String)
  case unknownQueue(String)
  case malformed
  /// It starts at a date of its user's choice.
  case reservation
  case postponed
  case expired
  /// A plug-in chooses its place.
  case plugin(String)
  /// It wants a plug-in that there is not.
  case missingPlugin(String)
  /// The plan does not reach it.
  case order
  /// Nothing but the next pass.
  case pass
  /// Something that the reason alone tells.
  case other

  init(to inquiry: Inquiry) {
    let (job, reason) = (inquiry.job, inquiry.found)
    switch reason.kind {
    case .queue:
      let isKnown = inquiry.snapshot.queues.contains { $0.name == job.queue }
      self = isKnown ? .inactiveQueue(job.queue) : .unknownQueue(job.queue)
    case .malformed: self = .malformed
    case .order: self = .order
    case .dependency: self = .dependency(reason.blockers.first)
    case .resources, .impossible, .quota, .container, .date, .reservation, .reservationAhead,
      .plugin:
      self = Obstacle(to: job, inquiry, now: inquiry.snapshot.now)
    }
  }

  private init(to job: WaitingJob, _ inquiry: Inquiry, now: Instant) {
    let traits = job.knownTraits(inquiry.snapshot.settings)
    let unmet = job.dependencies.first { $0 != .satisfied }
    if job.reservation != nil {
      self = .reservation
    } else if let call = traits.plugin {
      self = inquiry.plugins.has(call) ? .plugin(call.name) : .missingPlugin(call.name)
    } else if inquiry.found.kind == .plugin {
      self = .other
    } else if let unmet {
      self = .dependency(unmet.job)
    } else if let expire = traits.expire, now > expire {
      self = .expired
    } else if let postpone = traits.postpone, postpone > now {
      self = .postponed
    } else if inquiry.placement.map({ $0.start <= now }) ?? false {
      self = Obstacle(toOneThatHasItsPlace: inquiry)
    } else if inquiry.found.kind == .container, inquiry.placement == nil,
      let container = traits.inner, inquiry.opener(of: container) == nil
    {
      self = .noContainer(container)
    } else {
      self = .request
    }
  }

  private init(toOneThatHasItsPlace inquiry: Inquiry) {
    let container = inquiry.job.knownTraits(inquiry.snapshot.settings).inner
    if inquiry.found.kind == .container, let container {
      self = .container(container)
    } else {
      self = inquiry.found.blockers.isEmpty ? .sleepers : .victims
    }
  }

  /// What must happen, for the user.
  func sentence(_ inquiry: Inquiry) -> String {
    switch self {
    case .request: Obstacle.nothingHelps(inquiry)
    case .victims: "It starts by itself as soon as the jobs that give way to it have ended."
    case .sleepers: "It starts by itself as soon as its hosts are up."
    case .container(let name): "It starts by itself as soon as its container \"\(name)\" has."
    case .noContainer(let name):
      "It can start as soon as there is a container \"\(name)\" that runs or is planned."
    case .dependency(let job?): "No change of its request helps: job \(job) must end first."
    case .dependency(nil): "No change of its request helps: another job must end first."
    case .inactiveQueue(let name):
      "It starts when an administrator makes its queue active again (oarqueue -e \(name))."
    case .unknownQueue(let name):
      "It never starts unless there is a queue \"\(name)\" again: delete it and submit it to another."
    case .malformed:
      "It never starts: delete it and submit it again with a request that can be understood."
    case .reservation: Obstacle.reservation(inquiry)
    case .postponed: "It starts at its date at the earliest, whatever it asks for."
    case .expired: "It never starts: delete it and submit it again with a later date of expiry."
    case .plugin(let name):
      "Its plug-in \"\(name)\" decides what it may have, not its request alone."
    case .missingPlugin(let name):
      "It never starts unless the site has a plug-in \"\(name)\": submit it without the type."
    case .order: "It has to wait until the plan reaches it: jobs ahead of it must start first."
    case .pass: "It can start as it is: the next planning pass will see to it."
    case .other: "It can start once this no longer holds."
    }
  }

  private static func reservation(_ inquiry: Inquiry) -> String {
    let reservation = inquiry.job.reservation
    if inquiry.placement == nil, reservation?.promised == nil {
      return "Another date or a smaller request may be accepted."
    }
    if let start = reservation?.start, start <= inquiry.snapshot.now {
      return "It starts by itself as soon as it can, and ends on its date however late that is."
    }
    return "It can start at the date that it was reserved for only."
  }

  private static func nothingHelps(_ inquiry: Inquiry) -> String {
    guard let quota = inquiry.found.quota else {
      return "No shorter walltime, smaller count or wider condition alone would start it now."
    }
    let what =
      quota.limit == .jobs ? "The quota counts jobs: no smaller request" : "No smaller request"
    return "\(what) would start it now."
  }
}

extension Dependency {
  /// The job that must end first.
  fileprivate var job: JobID? {
    switch self {
    case .satisfied: nil
    case .running(let job), .waiting(let job), .impossible(let job, _), .ending(let job, _): job
    }
  }
}
