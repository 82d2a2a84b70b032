// The steps of a job's life: each one place, with what must be recorded and told.

import ClusterModel
import Storage
import Wire

extension ClusterState {
  /// Moves a job to a state that is not final. A step that the state machine does not know is ignored.
  mutating func move(
    _ id: JobID, to state: JobState, at now: Instant, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id], job.state != state, job.state.successors.contains(state) else {
      return
    }
    jobs[id]?.state = state
    if state == .resuming { resuming.insert(id) } else { resuming.remove(id) }
    outcome.changes.append(.jobState(id, state, at: now))
    tellUser(of: job, in: state, &outcome)
    tell(id, at: now, &outcome)
  }

  /// Gives a job the resources that a pass chose.
  mutating func assign(
    _ id: JobID, moldable: Int, resources: [ResourceID], at now: Instant, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id], job.state == .waiting else { return }
    adaptReservation(id, resources: resources.count, at: now, &outcome)
    reserved.remove(id)
    jobs[id]?.state = .toLaunch
    jobs[id]?.startTime = now
    jobs[id]?.assignedMoldable = moldable
    jobs[id]?.assignedResources = resources
    holding.insert(id)
    outcome.changes.append(
      .jobAssigned(
        id, moldable: job.moldableID(at: moldable), index: moldable, resources: resources, at: now
      ))
    let isOpen = job.request.moldables.count > 1 && job.reservation == .none
    // OAR leaves the message of a job that repeats another one to the planner. Beside OAR 2 all planners write
    // theirs before a job starts.
    if !isBesideOAR2, isOpen || job.message.isEmpty {
      setMessage(id, jobMessage(of: job, resources: resources.count, moldable: moldable), &outcome)
    }
    outcome.effects.append(.launch(id))
    tell(id, at: now, &outcome)
  }

  /// Ends a job for good: its resources are free at once. Subscribers hear `news`, by default how it ended.
  mutating func end(
    _ id: JobID, as state: JobState, status: Int?, at now: Instant, message: String? = nil,
    news: String? = nil, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id] else { return }
    if let message { setMessage(id, message, &outcome) }
    if job.deletionAsked > 0 { outcome.changes.append(.jobDeletion(id, .done, at: now)) }
    outcome.changes.append(.jobEnded(id, state, exitStatus: status, at: now))
    tellUser(of: job, in: state, &outcome)
    for resource in job.assignedResources { lastJobDates[resource] = now }
    jobs[id]?.state = state
    var record = record(of: jobs[id] ?? job)
    record.exitCode = status
    // A reservation that ends before its start has its start in the future.
    record.stopTime = max(now, record.startTime)
    if record.startTime == 0 { record.startTime = now }
    ended[id] = record
    tell(id, status: status, at: now, news: news, &outcome)
    jobs[id] = nil
    holding.remove(id)
    victims.remove(id)
    runByOAR.remove(id)
    resuming.remove(id)
    reserved.remove(id)
    changing.remove(id)
    placements[id] = nil
    plan.reasons[id] = nil
    needsPlan = true
    outcome.effects.append(.forget(id))
  }

  mutating func setMessage(_ id: JobID, _ text: String, _ outcome: inout Outcome) {
    let text = String(text.prefix(255))
    guard jobs[id]?.message != text else { return }
    jobs[id]?.message = text
    outcome.changes.append(.jobMessage(id, text))
  }

  /// Queues a notice for subscribers, if there are any.
  func tell(
    _ id: JobID, status: Int? = nil, at now: Instant, news: String? = nil,
    _ outcome: inout Outcome
  ) {
    guard hasFollowers, let job = jobs[id] else { return }
    var notice = notice(of: job, status: status, at: now)
    if let news { notice.text = news }
    outcome.effects.append(.notice(notice))
  }

  /// What a subscriber hears of a job now.
  func notice(of job: Job, status: Int? = nil, at now: Instant) -> JobNotice {
    let hosts = hosts(of: job.assignedResources)
    let text: String
    switch job.state {
    case .waiting: text = plan.reasons[job.id]?.text ?? JobNotice.unplanned
    case .hold: text = "held until oarresume"
    case .toLaunch, .launching, .running, .suspended, .resuming, .finishing:
      text = "on \(hosts.joined(separator: ", "))"
    case .terminated, .error: text = status.map(describeStatus) ?? job.message
    case .toAckReservation: text = "the reservation is accepted"
    default: text = ""
    }
    return JobNotice(
      job: job.id, user: job.request.user, state: job.state, date: now, exitCode: status,
      text: text, plannedStart: job.state == .waiting ? placements[job.id]?.start : nil,
      reservation: job.reservation == .none ? nil : job.reservation)
  }

  /// OAR's message column: `R=resources,W=walltime,J=kind` and what is not as usual.
  func jobMessage(of job: Job, resources: Int, moldable: Int) -> String {
    let request = job.request
    return Self.jobMessage(
      resources: resources, walltime: request.moldables[moldable].walltime, kind: request.kind,
      isReservation: job.reservation != .none, name: request.name, queue: job.queue,
      project: request.project, types: job.types)
  }

  static func jobMessage(
    resources: Int, walltime: Seconds, kind: JobKind, isReservation: Bool, name: String?,
    queue: String, project: String, types: [String]
  ) -> String {
    let letter = isReservation ? "R" : kind == .interactive ? "I" : "B"
    var text = "R=\(resources),W=\(walltime.hoursMinutesSeconds),J=\(letter)"
    if let name { text += ",N=\(name)" }
    if queue != "default", queue != "besteffort" { text += ",Q=\(queue)" }
    if project != "default" { text += ",P=\(project)" }
    // OAR 2 shows the names of types alone, without what follows the `=`.
    let names = types.map { $0.prefix { $0 != "=" } }
    if !names.isEmpty { text += ",T=\(names.joined(separator: "|"))" }
    return String(text.prefix(255))
  }
}

/// How a process ended, in words.
func describeStatus(_ status: Int) -> String {
  ChildEnd(status: Int32(truncatingIfNeeded: status)).description
}
