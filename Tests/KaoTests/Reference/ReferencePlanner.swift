// A planner that is as simple as can be, to check the real one against: sets of ids, every start
// tried, nothing remembered. It makes a plan of its own, or follows a plan and finds where it is
// wrong.

import ClusterModel
import Kamelot

/// Conservative backfilling by trying everything.
struct ReferencePlanner {
  let snapshot: Snapshot
  let requests: ReferenceRequests
  /// The plan that is followed; `nil` if it makes one.
  let guide: Plan?
  /// What the plan that is followed need not have: jobs that it concerns may start later than they could.
  let missing: Set<Feature>
  /// By name; the whole cluster is "".
  var spaces = ["": ReferenceSpace()]
  /// For each job that has a place, the first instant after it.
  var ends: [JobID: Instant] = [:]
  /// What is used of the site's quotas, if it has any.
  var quotas: ReferenceQuotas?
  var plan = Plan()
  /// Besteffort jobs that may be told to end, though they need not.
  var optionalVictims: Set<JobID> = []
  /// Where the plan that is followed is wrong first.
  var problem: String?
  /// Whether running besteffort jobs count as holders.
  private(set) var holdsBesteffort = false
  /// Jobs that were reached before a job that they depend on.
  private var undecided: [(job: WaitingJob, on: JobID)] = []

  var now: Instant { snapshot.now }
  var security: Seconds { snapshot.settings.jobSecurityTime }

  private init(_ snapshot: Snapshot, following guide: Plan?, missing: Set<Feature> = []) {
    self.snapshot = snapshot
    self.guide = guide
    self.missing = missing
    requests = ReferenceRequests(snapshot)
    quotas = snapshot.quotas.map { ReferenceQuotas($0, now: snapshot.now) }
  }

  /// The plan that follows from the rules.
  static func plan(_ snapshot: Snapshot) -> Plan {
    var planner = ReferencePlanner(snapshot, following: nil)
    planner.run()
    return planner.plan
  }

  /// Where a plan departs from the rules first; `nil` if it keeps them all.
  ///
  /// - Parameter missing: features that its planner need not have; of those that can't be left out of
  ///   scenarios.
  static func mistake(
    in plan: Plan, for snapshot: Snapshot, missing: Set<Feature> = []
  ) -> String? {
    var planner = ReferencePlanner(snapshot, following: plan, missing: missing)
    planner.run()
    return planner.problem
  }

  private mutating func run() {
    // 1. Jobs that have resources keep them; besteffort jobs do not count yet.
    hold(besteffort: false)
    // 2. So do accepted reservations.
    for job in snapshot.waiting { keepPromise(to: job) }
    // 3. Queues by priority; after the jobs of a group, its new reservations.
    let groups = queueGroups()
    var besteffort: [WaitingJob] = []
    for group in groups { besteffort += group.besteffort }
    let late = (groups.map { $0.jobs + $0.reservations } + [besteffort])
      .reduce(into: Set<JobID>()) { $0.formUnion(beyondPass($1)) }
    for group in groups {
      for job in group.jobs { reach(job, unlessIn: late) }
      for job in group.reservations { judge(job) }
    }
    // 4. Besteffort jobs get what is left.
    hold(besteffort: true)
    holdsBesteffort = true
    for job in besteffort { reach(job, unlessIn: late) }
    // 5. Whoever waits for a job without a place has none.
    for (job, other) in undecided {
      plan.order.append(job.id)
      refuse(job, Reason(.dependency, "Job \(other) has no place.", blockers: [other]))
    }
    compareVictims()
  }

  private func isBesteffort(_ job: WaitingJob) -> Bool {
    job.queue == "besteffort" || job.types.contains("besteffort")
  }

  /// The jobs of the queues of one priority, in the order in which they are planned.
  private struct Group {
    var jobs: [WaitingJob] = []
    /// New ones.
    var reservations: [WaitingJob] = []
    var besteffort: [WaitingJob] = []
  }

  /// The jobs of active queues, by priority of the queues.
  private mutating func queueGroups() -> [Group] {
    var groups: [Int: Group] = [:]
    for job in snapshot.waiting where job.reservation?.promised == nil {
      let queue = snapshot.queues.first { $0.name == job.queue }
      guard let queue, queue.isActive else {
        refuse(job, Reason(.queue, "The queue \(job.queue) starts nothing."))
        continue
      }
      var group = groups[queue.priority] ?? Group()
      if job.reservation != nil {
        group.reservations.append(job)
      } else if isBesteffort(job) {
        group.besteffort.append(job)
      } else {
        group.jobs.append(job)
      }
      groups[queue.priority] = group
    }
    return groups.sorted { $0.key > $1.key }.map { sorted($0.value) }
  }

  private mutating func sorted(_ group: Group) -> Group {
    let order = ReferenceOrder(snapshot: snapshot, requests: requests)
    let jobs = order.sorted(group.jobs)
    let besteffort = order.sorted(group.besteffort)
    for job in jobs.beyond + besteffort.beyond {
      refuse(job, Reason(.order, "Its user has enough jobs ahead of it."))
    }
    return Group(jobs: jobs.order, reservations: group.reservations, besteffort: besteffort.order)
  }

  /// The jobs of one group for which there is no room in the pass: those after the first so many that make
  /// sense.
  private func beyondPass(_ jobs: [WaitingJob]) -> Set<JobID> {
    let limit = snapshot.settings.jobsPerPass
    var late: Set<JobID> = []
    var count = 0
    for job in jobs where limit > 0 {
      if count >= limit, job.reservation == nil {
        late.insert(job.id)
      } else if let traits = try? ReferenceTraits(job),
        job.moldables.contains(where: { requests.order(of: $0, for: job, traits) != nil })
      {
        count += 1
      }
    }
    return late
  }

  private mutating func hold(besteffort: Bool) {
    for job in snapshot.holding where job.isBesteffort == besteffort {
      let traits = ReferenceTraits(job)
      let end = max(job.start + job.walltime + security, now + 1)
      let claim = ReferenceClaim(
        job: job.id, traits: traits, start: now, end: end, resources: Set(job.resources))
      add(claim, isRunning: true)
      quotas?.add(ReferenceUse(job, end: end))
    }
  }

  /// Takes resources for a job; a container offers them until the security time begins.
  mutating func add(_ claim: ReferenceClaim, isRunning: Bool) {
    spaces[claim.traits.space, default: ReferenceSpace(offers: [])].claims.append(claim)
    guard let name = claim.traits.container, claim.start < claim.end - security else { return }
    let offer = ReferenceOffer(
      start: claim.start, end: claim.end - security, resources: claim.resources,
      isReady: isRunning)
    spaces[name, default: ReferenceSpace(offers: [])].offers?.append(offer)
  }

  private mutating func reach(_ job: WaitingJob, unlessIn late: Set<JobID>) {
    if late.contains(job.id) {
      plan.order.append(job.id)
      refuse(job, Reason(.order, "Too many jobs are ahead of it."))
    } else {
      reach(job)
    }
  }

  /// Places a job, and then those that were reached before but depend on it.
  mutating func reach(_ first: WaitingJob) {
    var reached = [first]
    while !reached.isEmpty, problem == nil {
      let job = reached.removeFirst()
      if let other = undecidedDependency(of: job) {
        undecided.append((job, other))
      } else {
        place(job)
        reached += takeDependents(of: job.id)
      }
    }
  }

  /// The jobs that wait for a job that has a place now.
  mutating func takeDependents(of job: JobID) -> [WaitingJob] {
    guard ends[job] != nil else { return [] }
    defer { undecided.removeAll { $0.on == job } }
    return undecided.filter { $0.on == job }.map(\.job)
  }

  private func undecidedDependency(of job: WaitingJob) -> JobID? {
    for case .waiting(let other) in job.dependencies where ends[other] == nil { return other }
    return nil
  }
}
