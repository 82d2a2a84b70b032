// A planning pass: the state as a snapshot, and the plan back into the state.

import ClusterModel
import Kamelot
import Kao
import Storage
import Wire

/// How many waiting jobs a pass looks at.
enum PassDepth {
  /// As many as the site's limit allows.
  case whole
  /// The first few. What they start is what a whole pass would have them start: nobody behind a job
  /// changes its place. Only who might be let past them has to wait for the next whole pass.
  case front
  /// Only those that came since the last whole pass, which is as good as a whole one where nobody before
  /// them changes his place.
  case newcomers
}

extension ClusterState {
  /// Lets suspended jobs go on that were asked to, once nobody else is on their resources.
  mutating func resumeJobs(
    as settings: PlanningSettings, at now: Instant, _ outcome: inout Outcome
  ) {
    for id in resuming.sorted() {
      guard let job = jobs[id], !isTaken(job, settings) else { continue }
      jobs[id]?.suspendedSeconds += max(0, now - job.suspendedSince)
      jobs[id]?.suspendedSince = 0
      standing = nil
      move(id, to: .running, at: now, &outcome)
      outcome.effects.append(.resume(id))
    }
  }

  /// Whether a job is at work on the resources of one that wants to go on.
  private func isTaken(_ job: Job, _ settings: PlanningSettings) -> Bool {
    var wanted = Set(job.assignedResources)
    if !settings.alwaysAssignedTypes.isEmpty {
      // These are everybody's at any time.
      wanted = wanted.filter {
        resources[$0].map { !settings.alwaysAssignedTypes.contains($0.type) } ?? true
      }
    }
    return holding.contains { id in
      guard id != job.id, let other = jobs[id] else { return false }
      // Of two that want to go on, the older does.
      return other.state != .suspended && other.state != .resuming
        && !wanted.isDisjoint(with: other.assignedResources)
    }
  }

  /// So many waiting jobs, the first, are planned when there is no time for all that a pass may reach.
  static let frontLength = 64

  /// What planning depends on, as it is now, with the waiting jobs that a pass of `depth` reaches; the
  /// depth becomes `whole` if these are all.
  mutating func snapshot(
    settings: ServerSettings, at now: Instant, _ depth: inout PassDepth
  ) -> Snapshot {
    var waiting: [WaitingJob] = []
    let order = settings.order.policy(usage: usage)
    // Who comes first among jobs with priorities is known only when all are looked at.
    if !order.isFIFO { depth = .whole }
    let limit =
      settings.planning.jobsPerPass == 0 || !order.isFIFO ? Int.max : settings.planning.jobsPerPass
    let front = min(limit, Self.frontLength)
    let reservations = reservations(&depth)
    waiting.reserveCapacity(min(depth == .whole ? limit : front, jobs.count) + queues.count)
    for priority in Set(queues.map(\.priority)).sorted(by: >) {
      // Nobody of the front may be passed over for a job of a lesser queue.
      let room = depth == .whole ? limit : front - waiting.count
      if room <= 0 { break }
      let first = waiting.count
      let group = queues.filter { $0.priority == priority }
      for queue in group { addWaitingJobs(of: queue.name, limit: room, to: &waiting) }
      // First come, first served, whichever of these queues they came to.
      if group.count > 1 { waiting[first...].sort { $0.id < $1.id } }
    }
    if waiting.count < front { depth = .whole }
    waiting += reservations
    var planning = settings.planning
    planning.utcOffset = settings.clock.offset(at: now)
    var snapshot = Snapshot(
      now: now, platform: platform(order: settings.resourceOrder), settings: planning,
      queues: queues,
      holding: holding.sorted().compactMap { jobs[$0].map { holdingJob($0, now) } },
      waiting: waiting, quotas: quotas(settings), order: order)
    if waiting.indices.contains(where: { waiting[$0].reservation != nil }) {
      snapshot.reservationPlatform = reservationPlatform(settings)
    }
    return snapshot
  }

  /// One pass over the state as it is now, or over the newcomers alone if that is enough.
  mutating func plan(settings: ServerSettings, at now: Instant, _ depth: inout PassDepth) -> Plan {
    hasNewcomers = false
    if let plan = planNewcomers(at: now) {
      depth = .newcomers
      return plan
    }
    let snapshot = snapshot(settings: settings, at: now, &depth)
    guard depth == .whole, snapshot.waiting.count <= Self.standingLimit else {
      return Kao.plan(snapshot)
    }
    plannedBelow = durableBelow
    let standing = StandingPlan(snapshot)
    self.standing = standing
    return standing.plan
  }

  /// A plan of more waiting jobs is not kept at hand: it holds some kilobytes for each of them.
  private static let standingLimit = 10_000

  /// What becomes of the jobs that came since the last whole pass; `nil` if a pass over others is needed.
  private mutating func planNewcomers(at now: Instant) -> Plan? {
    // The walltime of jobs that are to go on grows while they wait.
    guard var standing, resuming.isEmpty else { return nil }
    // The only owner changes it in place.
    self.standing = nil
    let newcomers = (plannedBelow..<durableBelow).compactMap { jobs[$0] }
      .filter { $0.state == .waiting }
    guard let plan = standing.add(newcomers.map(waitingJob), at: now) else { return nil }
    plannedBelow = durableBelow
    self.standing = standing
    return plan
  }

  private mutating func addWaitingJobs(
    of queue: String, limit: Int, to waiting: inout [WaitingJob]
  ) {
    guard var line = lines.removeValue(forKey: queue) else { return }
    line.visit(limit) { id in
      guard let job = jobs[id], job.queue == queue, !job.state.holdsResources else { return .gone }
      guard job.state == .waiting, id < durableBelow else { return .passedOver }
      waiting.append(waitingJob(job))
      return .chosen
    }
    lines[queue] = line
  }

  /// A job as planning sees it.
  func waitingJob(_ job: Job) -> WaitingJob {
    let request = job.request
    var waiting = WaitingJob(
      id: job.id, user: request.user, project: request.project, queue: job.queue,
      types: job.types, properties: request.properties, moldables: request.moldables,
      dependencies: request.dependencies.isEmpty ? [] : request.dependencies.map(dependency))
    waiting.name = request.name ?? ""
    waiting.submissionTime = job.submissionTime
    waiting.reservation = reservation(job)
    return waiting
  }

  /// OAR 2's rule: the job may start once the other has ended, however it ended.
  private func dependency(on id: JobID) -> Dependency {
    guard let job = jobs[id] else { return .satisfied }
    return job.state.holdsResources ? .running(id) : .waiting(id)
  }

  private func holdingJob(_ job: Job, _ now: Instant) -> HoldingJob {
    let present = job.suspendedSince > 0 ? max(0, now - job.suspendedSince) : 0
    var holder = HoldingJob(
      id: job.id, resources: job.assignedResources, start: job.startTime,
      walltime: job.walltime + job.suspendedSeconds + present,
      isBesteffort: job.types.contains("besteffort"),
      isEnding: job.deletionAsked > 0 || job.state == .finishing)
    holder.user = job.request.user
    holder.name = job.request.name ?? ""
    holder.project = job.request.project
    holder.queue = job.queue
    holder.types = job.types
    holder.isSuspended = job.state == .suspended
    // Only a command that runs can save its work.
    if job.state == .running { holder.checkpoint = job.request.checkpoint }
    if job.checkpointedAt > 0 { holder.checkpointedAt = job.checkpointedAt }
    return holder
  }

  /// Takes a plan over: jobs that start get their resources, victims are told to save their work or get
  /// their end. Behind the front, the predictions of the last whole pass stay until the next.
  mutating func apply(
    _ plan: Plan, _ depth: PassDepth, at now: Instant, _ outcome: inout Outcome
  ) {
    let former = hasFollowers ? placements : [:]
    switch depth {
    case .whole:
      placements.removeAll(keepingCapacity: true)
      for placement in plan.predictions { placements[placement.job] = placement }
      self.plan = plan
      nextLook = plan.nextLook
    case .front:
      nextLook = [nextLook, plan.nextLook].compactMap(\.self).min()
      for placement in plan.starts {
        placements[placement.job] = nil
        self.plan.reasons[placement.job] = nil
      }
      for placement in plan.predictions { placements[placement.job] = placement }
      self.plan.reasons.update(with: plan.reasons)
    case .newcomers:
      for placement in plan.predictions { placements[placement.job] = placement }
      self.plan.join(plan)
    }
    decideReservations(plan, at: now, &outcome)
    for start in plan.starts {
      assign(
        start.job, moldable: start.moldable, resources: start.resources, at: now, &outcome)
    }
    for id in plan.checkpoints { tellToSave(id, at: now, &outcome) }
    for victim in plan.victims { dismiss(victim, at: now, &outcome) }
    guard hasFollowers else { return }
    for placement in plan.predictions where former[placement.job]?.start != placement.start {
      tell(placement.job, at: now, &outcome)
    }
  }

  /// Wants a pass if the plan says that one is due: a prediction comes true, or somebody's time is over.
  mutating func heedTime(_ now: Instant) {
    if let look = nextLook, look <= now {
      nextLook = nil
      needsPlan = true
    }
    if placements.values.contains(where: { $0.start <= now }) { needsPlan = true }
  }

  /// The plan as rows: jobs that hold resources and jobs that are planned.
  var predictions: [Prediction] {
    let held = holding.sorted().compactMap { id in
      jobs[id].flatMap { job in
        job.assignedMoldableID.map {
          Prediction(moldable: $0, start: job.startTime, resources: job.assignedResources)
        }
      }
    }
    // A later start has no room in OAR's column, and one row that fails would take all others along.
    let planned = placements.values.sorted { $0.job < $1.job }.compactMap { placement in
      placement.start >= endOfTime
        ? nil
        : jobs[placement.job].map {
          Prediction(
            moldable: $0.moldableID(at: placement.moldable), start: placement.start,
            resources: placement.resources)
        }
    }
    return held + planned + waitingPromises.map { Prediction($0) }
  }

  /// Reservations that the plan has no place for at present, such as those that wait for a lost host:
  /// what they were promised stays theirs.
  var waitingPromises: [Job] {
    reserved.sorted().compactMap { id in
      guard placements[id] == nil, let job = jobs[id], !job.promised.isEmpty else { return nil }
      return job
    }
  }
}

extension Prediction {
  /// What a reservation was promised.
  fileprivate init(_ job: Job) {
    self.init(moldable: job.firstMoldableID, start: job.startTime, resources: job.promised)
  }
}
