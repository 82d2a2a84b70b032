// Advance reservations: decided in a pass, kept until their time, started on time.

import ClusterModel
import Glibc
import Kamelot
import Storage
import Wire

extension ClusterState {
  /// OAR's word for a reservation that starts late and ends on time.
  static let lateStartEvent = "REDUCE_RESERVATION_WALLTIME"
  /// OAR's word for a reservation that starts without resources that were lost.
  static let fewerResourcesEvent = "SCHEDULER_REDUCE_NB_RESSOURCES_FOR_RESERVATION"

  // MARK: Before a pass

  /// The reservations that have not started, for a pass of any depth: nobody may take what they were
  /// promised. A new one is decided by a whole pass alone, since jobs that are planned come before it.
  func reservations(_ depth: inout PassDepth) -> [WaitingJob] {
    reserved.sorted().compactMap { id in
      guard let job = jobs[id], job.state == .waiting, id < durableBelow else { return nil }
      if job.reservation == .toSchedule { depth = .whole }
      return waitingJob(job)
    }
  }

  /// What planning must know of a job as a reservation; `nil` if it is none.
  func reservation(_ job: Job) -> Reservation? {
    guard job.reservation != .none else { return nil }
    // A promise that got lost is made anew.
    let promise =
      job.promised.isEmpty ? nil : Reservation.Promise(moldable: 0, resources: job.promised)
    return Reservation(start: job.startTime, promised: promise)
  }

  /// Jobs that an OAR server left between two states: a reservation that was accepted and not told so waits
  /// for its start, and what was to become an error is one.
  mutating func finishInterrupted(at now: Instant, _ outcome: inout Outcome) {
    for job in jobs.values.sorted(by: { $0.id < $1.id }) {
      switch job.state {
      case .toAckReservation: move(job.id, to: .waiting, at: now, &outcome)
      case .toError: end(job.id, as: .error, status: nil, at: now, &outcome)
      default: break
      }
    }
  }

  // MARK: After it

  /// Keeps what the pass promised to new reservations, and ends those that can't be had.
  mutating func decideReservations(_ plan: Plan, at now: Instant, _ outcome: inout Outcome) {
    // Those that the pass could not even look at, such as those of an inactive queue, hear why.
    for id in reserved.sorted() where jobs[id]?.reservation == .toSchedule {
      if plan.reasons[id]?.kind == .queue { tell(id, at: now, &outcome) }
    }
    guard !plan.accepted.isEmpty || !plan.refused.isEmpty else { return }
    let accepted = Set(plan.accepted)
    for placement in plan.starts + plan.predictions where accepted.contains(placement.job) {
      accept(placement, at: now, &outcome)
    }
    for id in plan.refused { refuse(id, plan.reasons[id]?.text, at: now, &outcome) }
  }

  private mutating func accept(
    _ placement: Placement, at now: Instant, _ outcome: inout Outcome
  ) {
    guard let job = jobs[placement.job], job.state == .waiting else { return }
    let resources = placement.resources
    jobs[job.id]?.reservation = .scheduled
    jobs[job.id]?.startTime = placement.start
    jobs[job.id]?.promised = resources
    outcome.changes.append(
      .reservationAccepted(
        job.id, moldable: job.firstMoldableID, start: placement.start, resources: resources))
    setMessage(
      job.id, jobMessage(of: job, resources: resources.count, moldable: 0), &outcome)
    // OAR's way through the states; the command hears of it in the first.
    move(job.id, to: .toAckReservation, at: now, &outcome)
    // Beside OAR 2 its command hears of it first.
    if !isBesideOAR2 { move(job.id, to: .waiting, at: now, &outcome) }
  }

  private mutating func refuse(
    _ id: JobID, _ reason: String?, at now: Instant, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id], job.state == .waiting else { return }
    if job.reservation == .toSchedule {
      jobs[id]?.reservation = .scheduled
      outcome.changes.append(.reservationRefused(id))
    }
    move(id, to: .toError, at: now, &outcome)
    let message = reason ?? "This advance reservation cannot run"
    // Beside OAR 2 its command hears of it first.
    if isBesideOAR2 { return setMessage(id, message, &outcome) }
    end(id, as: .error, status: nil, at: now, message: message, &outcome)
  }

  // MARK: The start

  /// A reservation that starts late ends on time, and one that lost resources says so.
  mutating func adaptReservation(
    _ id: JobID, resources count: Int, at now: Instant, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id], job.reservation != .none else { return }
    let delay = now - job.startTime
    if delay > 0 {
      let walltime = max(1, job.walltime - delay)
      note(Self.lateStartEvent, "Change walltime from \(job.walltime) to \(walltime)")
      setWalltime(walltime, moldable: 0, of: id, &outcome)
    }
    if count < job.promised.count {
      note(
        Self.fewerResourcesEvent,
        "Reduce the number of resources from \(job.promised.count) to \(count)")
    }
    if let job = jobs[id] {
      setMessage(id, jobMessage(of: job, resources: count, moldable: 0), &outcome)
    }
    func note(_ type: String, _ text: String) {
      outcome.changes.append(.event(JobEvent(type, job: id, at: now, text)))
    }
  }

  /// Changes a walltime, for good.
  mutating func setWalltime(
    _ walltime: Seconds, moldable: Int, of id: JobID, _ outcome: inout Outcome
  ) {
    guard let job = jobs[id] else { return }
    var moldables = job.request.moldables
    moldables[moldable].walltime = walltime
    standing = nil
    jobs[id]?.request = job.request.with(moldables)
    outcome.changes.append(
      .jobWalltime(id, moldable: job.moldableID(at: moldable), walltime))
  }

  /// The next instant after `now` at which time alone changes what a pass says of a reservation: it
  /// starts, its patience is over, or it is given up.
  func nextReservationDate(after now: Instant, patience: Seconds) -> Instant? {
    reserved.compactMap { id -> Instant? in
      guard let job = jobs[id], job.reservation == .scheduled else { return nil }
      return [0, patience, job.walltime].map { job.startTime.addingCapped($0) }
        .filter { $0 > now }.min()
    }.min()
  }
}

extension Controller {
  /// Plans on the second when the next reservation is to start; the clock's tick makes up for what a
  /// change of the clock does to this.
  func awaitReservations(after now: Instant) {
    let next = state.nextReservationDate(
      after: now, patience: settings.planning.reservationPatience)
    guard next != awaitedReservation else { return }
    awaitedReservation = next
    guard let next else { return }
    loop.after(Self.seconds(until: next)) {
      guard self.awaitedReservation == next else { return }
      self.planReservations(at: Self.now)
    }
  }

  /// Plans if the time of a reservation has come.
  func planReservations(at now: Instant) {
    guard let date = awaitedReservation, date <= now else { return }
    awaitedReservation = nil
    state.needsPlan = true
    scheduleWork()
  }

  /// So long until the clock that whole seconds are read from shows an instant.
  private static func seconds(until date: Instant) -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &now)
    let left = Double(date - now.tv_sec) - Double(now.tv_nsec) / 1e9
    // A little later: the coarse clock steps once in four milliseconds or ten.
    return max(0, left) + 0.01
  }
}
