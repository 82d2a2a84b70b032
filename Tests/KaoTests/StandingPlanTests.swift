// Jobs that join a plan get the place that a pass over all jobs would give them.

import ClusterModel
import Encoding
import Kamelot
import Kao
import Testing

struct StandingPlanTests {
  /// All that there is, or what lets jobs join most often.
  static let themes: [Set<Feature>] = [
    plannedFeatures,
    [.queueGroups, .availableUpto, .standby, .permissive, .dates, .holes, .reservations],
  ]

  @Test(
    "a job that joins a plan is planned as if all were planned together",
    arguments: Sample.parts, themes)
  func joining(part: UInt64, features: Set<Feature>) {
    Sample.check(part, features: features) { whole in
      var first = whole
      let last = first.waiting.removeLast()
      var standing = StandingPlan(first)
      guard let added = standing.add([last], at: whole.now) else { return nil }
      return Self.difference(standing.plan, added, from: Kao.plan(whole), of: last.id)
    }
  }

  @Test(
    "a job that joins a plan later is planned as if the jobs started meanwhile had always run",
    arguments: Sample.parts, themes)
  func joiningLater(part: UInt64, features: Set<Feature>) {
    Sample.check(part, features: features) { whole in
      for delay in [1, 7, 40] {
        var first = whole
        first.waiting.removeLast()
        var standing = StandingPlan(first)
        let now = whole.now + delay
        let after = Self.afterwards(whole, standing.plan, at: now)
        guard let last = after.waiting.last, let added = standing.add([last], at: now) else {
          continue
        }
        let plan = Kao.plan(after)
        var earlier = standing.plan
        earlier.starts = []
        if let difference = Self.difference(earlier, added, from: plan, of: last.id) {
          return difference
        }
      }
      return nil
    }
  }

  @Test(
    "jobs that join later one after the other are planned as in a pass over all each time",
    arguments: Sample.parts)
  func joiningInTurn(part: UInt64) {
    Sample.check(part) { whole in
      for delay in [0, 3, 20] {
        if let difference = Self.differenceInTurn(whole, delay) { return difference }
      }
      return nil
    }
  }

  @Test("jobs that join one after the other are planned as together")
  func oneByOne() {
    let platform = testPlatform(hosts: 4, coresPerHost: 4)
    let jobs = (1...40).map { id in
      waiting(id, ("/host=\(id % 3 + 1)/core=\(id % 4 + 1)", 50 + id % 7 * 10))
    }
    var standing = StandingPlan(snapshot(platform, waiting: []))
    var starts: [JobID: Instant] = [:]
    for job in jobs {
      guard let plan = standing.add([job], at: 1000) else {
        Issue.record("job \(job.id) could not join")
        return
      }
      starts[job.id] = plan.placement(of: job.id)?.start
    }
    let plan = Kao.plan(snapshot(platform, waiting: jobs))
    for job in jobs { #expect(starts[job.id] == plan.placement(of: job.id)?.start) }
  }

  @Test("a job joins a plan of jobs that all wait their turn, until something becomes free")
  func joinsUntilTheNextTurn() {
    let platform = testPlatform(hosts: 2, coresPerHost: 1)
    let input = snapshot(
      platform, holding: [holding(9, [1, 2], start: 900, walltime: 200)],
      waiting: [waiting(1, ("/host=2", 60))])
    var standing = StandingPlan(input)
    #expect(standing.add([waiting(2, ("/host=1", 60))], at: 1099)?.predictions[0].start == 1160)
    #expect(standing.add([waiting(3, ("/host=1", 60))], at: 1100) == nil)
  }

  @Test(
    "a job that others give way to, or wait for, does not join",
    arguments: [
      waiting(5, ("/host=1", 60), queue: "admin"),
      waiting(5, ("/host=1", 60), types: ["container=c1"]), waiting(4, ("/host=1", 60)),
    ])
  func doesNotJoin(job: WaitingJob) {
    let jobs = [
      waiting(1, ("/host=1", 60)), waiting(2, ("/host=1", 60), after: [.waiting(4)]),
    ]
    var standing = StandingPlan(
      snapshot(testPlatform(hosts: 2, coresPerHost: 1), waiting: jobs))
    #expect(standing.add([job], at: 1000) == nil)
  }

  @Test("no job joins before one that joined, if that goes after it")
  func joinedJobsCount() {
    var standing = StandingPlan(
      snapshot(
        testPlatform(hosts: 2, coresPerHost: 1), holding: [holding(9, [1, 2], walltime: 1500)],
        waiting: []))
    #expect(standing.add([waiting(1, ("/host=1", 60))], at: 1000) != nil)
    #expect(standing.add([waiting(2, ("/host=1", 60), queue: "admin")], at: 1000) == nil)
    #expect(standing.add([waiting(3, ("/host=1", 60), queue: "besteffort")], at: 1000) != nil)
    #expect(standing.add([waiting(4, ("/host=1", 60))], at: 1000) == nil)
  }

  @Test("a job that joined loses its place when it expires, so nobody joins after it")
  func expiringJobs() throws {
    let platform = testPlatform(hosts: 2, coresPerHost: 1)
    var input = snapshot(
      platform, holding: [holding(9, [1, 2], walltime: 1500)], waiting: [])
    let expiring = waiting(1, ("/host=2", 60), types: ["expire=1970-01-01 00:16:50"])
    let last = waiting(2, ("/host=2", 60))
    var standing = StandingPlan(input)
    #expect(standing.add([expiring], at: 1000) != nil)
    #expect(standing.add([last], at: 1011) == nil)
    (input.now, input.waiting) = (1011, [expiring, last])
    let plan = Kao.plan(input)
    #expect(plan.placement(of: 1) == nil && plan.placement(of: 2) != nil)
  }

  @Test("no job joins after a container started, in which those before it may have a place now")
  func startedContainers() {
    let jobs = [
      waiting(1, ("/host=1", 60), queue: "admin", types: ["inner=2"]),
      waiting(2, ("/host=2", 600), types: ["container"]),
    ]
    let input = snapshot(testPlatform(hosts: 2, coresPerHost: 1), waiting: jobs)
    var standing = StandingPlan(input)
    #expect(standing.plan.started == [2] && standing.plan.placement(of: 1) == nil)
    let last = waiting(3, ("/host=2", 60), types: ["inner=2"])
    #expect(standing.add([last], at: 1001) == nil)
    let after = Self.afterwards(input, standing.plan, at: 1001)
    #expect(Kao.plan(after).placement(of: 1) != nil)
  }

  @Test("no job joins after one started that counts for the quota of a job before it")
  func startsThatCount() throws {
    var (other, last) = (waiting(2, ("/host=1", 1000)), waiting(3, ("/host=1", 60)))
    (other.user, last.user) = ("bob", "bob")
    var input = snapshot(
      testPlatform(hosts: 2, coresPerHost: 1), holding: [holding(9, [1], walltime: 1500)],
      waiting: [waiting(1, ("/host=1", 60), properties: "host='h1'"), other])
    input.quotas = try Quotas(
      JSONReader.read(#"{"quotas": {"*,*,*,*": [-1, 1, -1], "*,*,*,bob": [-1, 9, -1]}}"#),
      allResources: 2)
    var standing = StandingPlan(input)
    #expect(standing.plan.started == [2] && standing.plan.placement(of: 1)?.start == 1500)
    #expect(standing.add([last], at: 1000) == nil)
    let after = Self.afterwards(input, standing.plan, at: 1000)
    #expect(Kao.plan(after).placement(of: 1)?.start == 2000)
  }

  @Test(
    "no job joins after one started that leaves those before it another choice",
    arguments: ["/core=BESTHALF", "/host=1/core=1+/core=1"])
  func startsThatLeaveLess(request: String) {
    let jobs = [waiting(1, (request, 1000)), waiting(2, ("/core=1", 60))]
    var standing = StandingPlan(
      snapshot(
        testPlatform(hosts: 2, coresPerHost: 1), holding: [holding(9, [1], walltime: 1500)],
        waiting: jobs))
    #expect(standing.plan.started == [2])
    #expect(standing.add([waiting(3, ("/core=1", 60))], at: 1001) == nil)
  }

  @Test("no job joins while a suspended one keeps resources, since its end moves with the time")
  func suspendedJobs() {
    var holder = holding(9, [1], walltime: 1500)
    holder.isSuspended = true
    var input = snapshot(testPlatform(hosts: 2, coresPerHost: 1), holding: [holder], waiting: [])
    var standing = StandingPlan(input)
    #expect(standing.add([waiting(1, ("/host=1", 60))], at: 1001) != nil)
    input.settings.suspendedTypes = []
    standing = StandingPlan(input)
    #expect(standing.add([waiting(1, ("/host=1", 60))], at: 1001) == nil)
  }

  @Test("a normal job does not join where besteffort jobs are planned, another of theirs does")
  func besteffort() {
    let jobs = [
      waiting(1, ("/host=2", 60)), waiting(2, ("/host=1", 60), queue: "besteffort"),
    ]
    let input = snapshot(testPlatform(hosts: 2, coresPerHost: 1), waiting: jobs)
    var standing = StandingPlan(input)
    #expect(standing.plan.started == [1])
    #expect(standing.add([waiting(3, ("/host=1", 60))], at: 1000) == nil)
    standing = StandingPlan(
      snapshot(
        testPlatform(hosts: 2, coresPerHost: 1), holding: [holding(9, [1, 2], walltime: 1500)],
        waiting: jobs))
    let plan = standing.add([waiting(3, ("/host=1", 60), queue: "besteffort")], at: 1000)
    #expect(plan?.placement(of: 3) != nil)
  }

  /// Lets the last jobs of a snapshot join a plan of the others one by one, for as long as they can.
  private static func differenceInTurn(
    _ whole: Snapshot, _ delay: Seconds
  ) -> (problem: String, plan: Plan)? {
    var state = whole
    state.waiting.removeLast(min(4, whole.waiting.count))
    var standing = StandingPlan(state)
    var earlier = standing.plan
    state = afterwards(state, earlier, at: state.now)
    for job in whole.waiting.suffix(4) {
      state.waiting.append(job)
      state = afterwards(state, Plan(), at: state.now + delay)
      earlier.starts = []
      guard let joining = state.waiting.last, let added = standing.add([joining], at: state.now)
      else { return nil }
      if let found = difference(earlier, added, from: Kao.plan(state), of: job.id) { return found }
      earlier.join(added)
      state = afterwards(state, added, at: state.now)
    }
    return nil
  }

  /// The snapshot after the jobs to be started were, at a later `now`.
  private static func afterwards(
    _ snapshot: Snapshot, _ plan: Plan, at now: Instant
  ) -> Snapshot {
    var after = snapshot
    after.now = now
    let security = max(0, snapshot.settings.jobSecurityTime)
    for start in plan.starts {
      guard let job = snapshot.waiting.first(where: { $0.id == start.job }) else { continue }
      var holder = holding(
        job.id, start.resources, start: start.start,
        walltime: start.end + 1 - start.start - security)
      holder.types = job.types
      holder.user = job.user
      holder.name = job.name
      holder.queue = job.queue
      holder.project = job.project
      after.holding.append(holder)
      after.waiting.removeAll { $0.id == job.id }
    }
    let running = Set(after.holding.map(\.id))
    for index in after.waiting.indices {
      after.waiting[index].dependencies = after.waiting[index].dependencies.map {
        if case .waiting(let job) = $0, running.contains(job) { .running(job) } else { $0 }
      }
    }
    return after
  }

  private static func difference(
    _ earlier: Plan, _ added: Plan, from plan: Plan, of job: JobID
  ) -> (problem: String, plan: Plan)? {
    if Set(earlier.starts + added.starts) != Set(plan.starts) {
      return ("others start with job \(job) than without a joint pass", plan)
    }
    if Set(earlier.predictions + added.predictions) != Set(plan.predictions) {
      let joint = "\(earlier.description)and then\n\(added.description)"
      return ("the plan is another when job \(job) joins:\n\(joint)", plan)
    }
    if added.reasons[job] != plan.reasons[job] {
      return (
        "the reason of job \(job) is another: \(String(describing: added.reasons[job]))", plan
      )
    }
    return nil
  }
}
