// Changes of the walltimes of running jobs: asked for by `oarwalltime`, granted when nobody after them is
// harmed, and told to the host.

import ClusterModel
import Kamelot
import Kao
import Storage
import Wire

extension ClusterState {
  // MARK: Asking

  /// Takes a request, in place of a former one of the same job; whether there was one.
  mutating func changeWalltime(
    of id: JobID, _ order: WalltimeOrder, by asker: Asker, settings: ServerSettings,
    _ outcome: inout Outcome
  ) throws(Refusal) -> Bool {
    guard settings.walltimePolicy.isEnabled else { throw Refusal(WalltimeRefusal.disabled) }
    guard id >= 1, id < nextJob else { throw Refusal(.unknownJob, "there is no job \(id)") }
    guard let job = jobs[id] else {
      throw Refusal(.wrongState, "job \(id) is not running.")
    }
    guard asker.mayTouch(jobOf: job.request.user) else {
      throw Refusal(.notOwner, "job \(id) does not belong to you.")
    }
    guard job.state == .running else {
      throw Refusal(.wrongState, "job \(id) is not running.")
    }
    let former = job.walltimeChange
    let change = (former ?? .none).asking(
      for: order.pending(for: job.walltime), force: order.force, delayNextJobs: order.delayNextJobs)
    if let refusal = settings.walltimePolicy.refusal(
      of: change, for: running(job), by: asker.name, isContainer: job.hasType("container"))
    {
      throw Refusal(refusal)
    }
    keep(change, of: id, &outcome)
    return former != nil
  }

  private mutating func keep(_ change: WalltimeChange, of id: JobID, _ outcome: inout Outcome) {
    jobs[id]?.walltimeChange = change
    if change.pending == 0 { changing.remove(id) } else { changing.insert(id) }
    outcome.changes.append(.walltimeChange(id, change))
  }

  /// How the changes of a job stand, whoever asks.
  func walltimeStatus(
    of record: JobRecord, settings: ServerSettings
  ) -> WalltimeStatus {
    let change = record.walltimeChange ?? .none
    return WalltimeStatus(
      job: record.id, state: record.state, walltime: record.walltime, change: change,
      possibleIncrease: settings.walltimePolicy.possibleIncrease(
        submitted: record.walltime - change.granted, queue: record.queue, user: record.user))
  }

  // MARK: Granting

  /// Grants what can be granted now.
  mutating func grantWalltimes(
    settings: ServerSettings, at now: Instant, _ outcome: inout Outcome
  ) {
    for id in changing.sorted() {
      guard let job = jobs[id], let change = job.walltimeChange else { continue }
      let decision = change.decide(
        for: running(job), policy: settings.walltimePolicy, nextJobs: jobs(after: job, at: now),
        securityTime: settings.planning.jobSecurityTime, now: now)
      guard decision.granted != 0 else { continue }
      keep(decision.change, of: id, &outcome)
      setWalltime(decision.walltime, moldable: job.assignedMoldable ?? 0, of: id, &outcome)
      if let text = decision.event {
        // OAR's texts of this event begin with a blank.
        outcome.changes.append(.event(JobEvent("WALLTIME", job: id, at: now, " " + text)))
      }
      outcome.effects.append(.walltime(id))
    }
  }

  private func running(_ job: Job) -> RunningWalltime {
    var running = RunningWalltime(queue: job.queue, start: job.startTime, walltime: job.walltime)
    running.suspended = job.suspendedSeconds
    running.isRunning = job.state == .running
    if job.hasType("inner"), let container = traits(of: job).inner {
      running.containerEnd = holding.compactMap { id -> Instant? in
        guard let other = jobs[id], other.hasType("container"),
          traits(of: other).container == container
        else { return nil }
        return other.startTime + other.walltime + other.suspendedSeconds
      }.max()
    }
    return running
  }

  /// The jobs that are planned on resources of a running one, and what reservations were promised of them.
  /// Besteffort jobs are in nobody's way but each other's.
  private func jobs(after job: Job, at now: Instant) -> [NextJob] {
    let own = Set(job.assignedResources)
    let traits = traits(of: job)
    var next: [NextJob] = []
    func add(_ other: Job, from start: Instant, on resources: [ResourceID]) {
      guard !own.isDisjoint(with: resources),
        job.hasType("besteffort") || !other.hasType("besteffort")
      else { return }
      let others = self.traits(of: other)
      let isInside = others.inner != nil && others.inner == traits.container
      next.append(
        NextJob(
          id: other.id, start: start, isReservation: other.reservation != .none,
          sharesTime: isInside || others.sharing.isWelcome(where: traits.sharing)))
    }
    for placement in placements.values {
      guard let other = jobs[placement.job] else { continue }
      add(other, from: placement.start, on: placement.resources)
    }
    for other in waitingPromises { add(other, from: other.startTime, on: other.promised) }
    // The nearest tells the reason.
    return next.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
  }

  private func traits(of job: Job) -> JobTraits {
    let traits = try? JobTraits(
      types: job.types, job: job.id, user: job.request.user, name: job.request.name ?? "",
      utcOffset: 0)
    return traits ?? .none
  }
}

extension WalltimeOrder {
  /// What is asked of a job that has this walltime now.
  fileprivate func pending(for walltime: Seconds) -> Seconds {
    switch amount {
    case .total(let total): total.subtractingCapped(walltime)
    case .difference(let difference): difference
    }
  }
}

extension Seconds {
  /// The difference, or the nearest number to it.
  fileprivate func subtractingCapped(_ other: Seconds) -> Seconds {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (self < 0 ? .min : .max) : difference
  }
}

extension Refusal {
  fileprivate init(_ refusal: WalltimeRefusal) {
    self.init(refusal == .disabled ? .disabled : .admission, refusal.text)
  }
}

extension Controller {
  func changeWalltime(
    of job: JobID, _ order: WalltimeOrder, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    var outcome = Outcome()
    let isUpdate = try state.changeWalltime(
      of: job, order, by: asker, settings: settings, &outcome)
    state.needsPlan = true
    commit(outcome, answering: client, id, .walltimeChange(isUpdate: isUpdate))
  }

  /// Answers how the changes of a job stand, whether it waits, runs or has ended.
  func tellWalltime(
    of job: JobID, _ id: Int, _ client: ClientConnection
  ) throws(Refusal) {
    guard settings.walltimePolicy.isEnabled else {
      throw Refusal(.disabled, WalltimeRefusal.disabled.text)
    }
    func answer(_ record: JobRecord) -> ServerReply {
      .walltime(state.walltimeStatus(of: record, settings: settings))
    }
    if let live = state.jobs[job], job < state.durableBelow {
      return client.reply(id, answer(state.record(of: live)))
    }
    client.postpone()
    Task {
      var filter = JobFilter()
      filter.ids = [job]
      do {
        let stored = try await storage.jobs(matching: filter, limit: 1).first
        if let record = state.ended[job] ?? stored {
          client.settle(id, answer(record))
        } else {
          client.settle(id, .refused(Refusal(.unknownJob, "there is no job \(job)")))
        }
      } catch {
        client.settle(id, .refused(Refusal(.unavailable, "\(error)")))
      }
    }
  }

  /// Grants what time alone makes possible, such as an increase shortly before the job's end.
  func grantWalltimes(at now: Instant) {
    guard !state.changing.isEmpty, committer.trouble == nil else { return }
    var outcome = Outcome()
    state.grantWalltimes(settings: settings, at: now, &outcome)
    guard !outcome.changes.isEmpty else { return }
    state.needsPlan = true
    commit(outcome)
  }

  /// Tells the first host of a job its walltime as it is now; repeated when the host comes back.
  func sendWalltime(of id: JobID) {
    guard let job = state.jobs[id], let execution = executions[id], let head = execution.head,
      execution.isRunning
    else { return }
    connections?.send(.walltime(execution.attempt, job.walltime), to: head)
  }
}
