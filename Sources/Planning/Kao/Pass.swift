// The state of one pass, and the way of one job through it.

import ClusterModel
import Kamelot

/// One pass: what was decided so far.
struct Pass {
  var snapshot: Snapshot
  var plan = Plan()
  var planner: Planner
  var besteffort: BesteffortHolders
  /// What is used of the quotas; `nil` without any.
  var quotas: QuotaLedger?
  /// Whether besteffort jobs count as holders already.
  var holdsBesteffort = false
  /// What is up or may be woken now.
  let plannable: ResourceSet
  /// The jobs that have resources, for the reasons.
  var holders: [OccupancyLedger.Holder] = []
  /// Every placement in the order in which it was made.
  private(set) var placements = PlacementList()
  /// The resources of containers whose time is now but that can't start yet.
  private var notYetOpen: [String: ResourceSet] = [:]
  /// For each job that others depend on and that has a place, the first instant after it.
  private(set) var ends: [JobID: Instant] = [:]
  /// The jobs that others depend on.
  private(set) var awaited: Set<JobID>
  /// Jobs that were reached before a job that they depend on, by that job.
  private var dependents: [JobID: [Int]] = [:]
  /// By place in the snapshot.
  private var candidates: Candidates
  let plugins: PlannerPlugins

  init(
    _ snapshot: Snapshot, _ order: JobOrder, _ plugins: PlannerPlugins,
    _ shortcuts: Shortcuts = .all
  ) {
    self.snapshot = snapshot
    self.plugins = plugins
    plannable = snapshot.platform.plannable(
      at: snapshot.now, withSleeping: snapshot.settings.usesSleepingHosts)
    candidates = Candidates(snapshot, order, plugins)
    planner = Planner(
      platform: snapshot.platform, now: snapshot.now, free: plannable,
      requests: candidates.requests, shortcuts: shortcuts)
    besteffort = BesteffortHolders(snapshot)
    awaited = snapshot.awaited
    quotas = snapshot.quotas.map { QuotaLedger($0, now: snapshot.now) }
    plan.priorities = JobPriorities(snapshot)
    plan.reasons.reserveCapacity(snapshot.waiting.count)
    for (job, reason) in order.setAside { plan.reasons[snapshot.waiting[job].id] = reason }
  }

  /// Lets the waiting jobs go; the places that they got stay.
  mutating func forgetJobs() {
    snapshot.waiting = []
    candidates = Candidates()
  }

  func candidate(_ index: Int) -> Candidate { candidates[index] }

  /// Leaves a job out that was not reached yet.
  mutating func refuse(_ index: Int, because reason: Reason) {
    candidates.refuse(index, because: reason)
  }

  /// Gives the plan away, with all that its reasons need.
  mutating func takePlan() -> Plan {
    plan.reasons.seal(
      with: OccupancyLedger(
        now: snapshot.now, free: plannable, holders: holders, placements: placements.share()))
    plan.addAlwaysAssigned(in: snapshot)
    defer { plan = Plan() }
    return plan
  }

  /// Makes other jobs ready, after those of the beginning have their places.
  mutating func prepare(_ order: JobOrder) {
    candidates = Candidates(snapshot, order, plugins)
    for (job, reason) in order.setAside { plan.reasons[snapshot.waiting[job].id] = reason }
    let new = snapshot.awaited.subtracting(awaited)
    guard !new.isEmpty else { return }
    awaited.formUnion(new)
    for placement in placements.all where new.contains(placement.job) {
      ends[placement.job] = placement.end + 1
    }
  }
}

// The way of one job.
extension Pass {
  /// Gives a waiting job its earliest place, or a reason why it has none; then the jobs that were
  /// reached before but depend on it.
  mutating func place(_ index: Int) {
    placeAlone(index)
    placeDependents(of: index)
  }

  /// Places the jobs that were reached before one that they depend on and that has a place now.
  mutating func placeDependents(of index: Int) {
    if dependents.isEmpty { return }
    var reached = [index]
    var next = 0
    while next < reached.count {
      let id = snapshot.waiting[reached[next]].id
      next += 1
      guard ends[id] != nil, let jobs = dependents.removeValue(forKey: id) else { continue }
      for job in jobs { placeAlone(job) }
      reached += jobs
    }
  }

  /// Tells the jobs whose dependency got no place why they have none.
  mutating func refuseDependents() {
    for (other, jobs) in dependents.sorted(by: { $0.key < $1.key }) {
      let reason = Reason(
        .dependency, "Job \(other) must end first; it has no place in the plan.",
        blockers: [other])
      for job in jobs {
        plan.order.append(snapshot.waiting[job].id)
        plan.reasons[snapshot.waiting[job].id] = reason
      }
    }
    dependents = [:]
  }

  /// Gives one job its place or a reason.
  private mutating func placeAlone(_ index: Int) {
    let id = snapshot.waiting[index].id
    switch candidates[index] {
    case .refused(let reason):
      plan.order.append(id)
      plan.reasons[id] = reason
    case .ready(let job):
      switch DependencyBound(snapshot.waiting[index].dependencies, now: snapshot.now, ends: ends) {
      case .refused(let reason):
        plan.order.append(id)
        plan.reasons[id] = reason
      case .undecided(let other): dependents[other, default: []].append(index)
      case .from(let bound, let cause):
        plan.order.append(id)
        place(index, job, notBefore: bound, because: cause)
      }
    }
  }

  private mutating func place(
    _ index: Int, _ job: ReadyJob, notBefore: Instant, because cause: JobID?
  ) {
    let id = snapshot.waiting[index].id
    if let refusal = refusal(of: job) {
      plan.reasons[id] = refusal
      return
    }
    let from = max(notBefore, job.traits.postpone ?? notBefore)
    if let call = job.traits.plugin {
      guard let found = spot(of: index, job, by: call, notBefore: from) else { return }
      return settle(index, job, found, notBefore: from, because: cause)
    }
    let (found, excess) = earliestFinish(index, of: job, notBefore: from)
    guard let found else {
      plan.reasons[id] = excess.map { Reason($0) } ?? reasonForNoTime(job)
      return
    }
    settle(index, job, found, notBefore: from, because: cause)
  }

  /// Why a job is not even searched a place for.
  private func refusal(of job: ReadyJob) -> Reason? {
    if let expire = job.traits.expire, snapshot.now > expire {
      return Reason(.date, "It was to start before its date of expiry, which has passed.")
    }
    if !planner.hasSpace(job.traits.inner) {
      return Reason(
        .container,
        "There is no container \"\(job.traits.inner ?? "")\" with a place in the plan.")
    }
    return nil
  }

  private func reasonForNoTime(_ job: ReadyJob) -> Reason {
    if job.traits.deadline != nil {
      return Reason(.date, "It can't end by its deadline.")
    }
    if let container = job.traits.inner {
      return Reason(.container, "The container \"\(container)\" has no room for it.")
    }
    return Reason(.impossible, "There is no time at which it could start.")
  }

  /// Gives a job a spot: it starts, or is told what it waits for.
  private mutating func settle(
    _ index: Int, _ job: ReadyJob, _ found: Found, notBefore: Instant, because cause: JobID?
  ) {
    let id = snapshot.waiting[index].id
    let choice = found.choice
    var spot = found.spot
    var obstacle: Reason?
    if spot.start > snapshot.now {
      clearAhead(&spot, for: job, choice, of: index)
      obstacle = reason(for: job, found, notBefore: notBefore, because: cause)
      if obstacle == nil {
        plan.reasons.note(
          Shortage(
            of: choice.request, duration: choice.duration, rank: placements.count,
            countsBesteffort: holdsBesteffort),
          of: id)
      }
    } else {
      // What a plug-in chose stays as it is.
      obstacle =
        job.traits.plugin == nil
        ? clear(&spot, for: job, choice, of: index) : clear(spot, job.traits)
      obstacle = obstacle ?? obstacleInside(job, spot)
    }
    add(
      index, choice.moldable, spot, job.traits,
      isStart: spot.start == snapshot.now && obstacle == nil)
    if let obstacle { plan.reasons[id] = obstacle }
  }

  /// Why a job whose container could start now can't: the container itself has to wait.
  private func obstacleInside(_ job: ReadyJob, _ spot: Spot) -> Reason? {
    guard let container = job.traits.inner, let closed = notYetOpen[container],
      !closed.isDisjoint(with: spot.resources)
    else { return nil }
    return Reason(.container, "It starts as soon as its container \"\(container)\" has.")
  }

  /// Why a job waits, if it is not for resources of the cluster.
  private func reason(
    for job: ReadyJob, _ found: Found, notBefore: Instant, because cause: JobID?
  ) -> Reason? {
    if let cause {
      return Reason(.dependency, "Job \(cause) must end first; it is planned.", blockers: [cause])
    }
    if let excess = found.excess { return Reason(excess) }
    if notBefore > snapshot.now, found.spot.start == notBefore {
      return Reason(.date, "It is to start at its date or later (postpone).")
    }
    if let call = job.traits.plugin {
      return Reason(.plugin, "Its plug-in \"\(call.name)\" has a place for it only later.")
    }
    if let container = job.traits.inner {
      return Reason(.container, "The container \"\(container)\" has room for it only later.")
    }
    return nil
  }

  /// Notes a placement, and makes its resources busy.
  mutating func add(
    _ index: Int, _ moldable: Int, _ spot: Spot, _ traits: JobTraits, isStart: Bool
  ) {
    let id = snapshot.waiting[index].id
    let placement = Placement(
      job: id, spot: spot, moldable: moldable, on: snapshot.platform)
    placements.append(placement)
    if isStart { plan.starts.append(placement) } else { plan.predictions.append(placement) }
    if quotas != nil { count(snapshot.waiting[index], spot) }
    noteEnd(of: id, spot.end)
    keepBusy(spot, traits, isStart: isStart)
  }

  /// Notes when a job that has a place will have ended.
  mutating func noteEnd(of job: JobID, _ end: Instant) {
    if awaited.contains(job) { ends[job] = end }
  }

  /// Makes the resources of a spot busy.
  mutating func keepBusy(_ spot: Spot, _ traits: JobTraits, isStart: Bool = false) {
    planner.take(spot, in: traits.inner, sharing: traits.sharing)
    guard let container = traits.container else { return }
    open(container, with: spot)
    if !isStart, spot.start == snapshot.now {
      notYetOpen[container] = notYetOpen[container]?.union(spot.resources) ?? spot.resources
    }
  }

  /// Lets other jobs into a container, as long as it surely runs.
  mutating func open(_ container: String, with spot: Spot) {
    var inside = spot
    if spot.end < .max { inside.end -= max(0, snapshot.settings.jobSecurityTime) }
    planner.open(container, with: inside)
  }
}

extension Snapshot {
  /// The jobs that waiting jobs depend on and that wait as well.
  fileprivate var awaited: Set<JobID> {
    var jobs: Set<JobID> = []
    for index in waiting.indices where !waiting[index].dependencies.isEmpty {
      for case .waiting(let job) in waiting[index].dependencies { jobs.insert(job) }
    }
    return jobs
  }
}
