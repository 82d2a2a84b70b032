// What an explanation says of each constraint: that it is true, and names ids, dates and numbers.

import ClusterModel
import Encoding
import Kamelot
import Kao
import Testing

private let fourHosts = testPlatform(hosts: 4, coresPerHost: 4)

private func explain(
  _ id: JobID, in snapshot: Snapshot, plugins: PlannerPlugins = .none
) throws -> Kao.Explanation {
  try #require(Kao.explain(id, in: snapshot, plan: Kao.plan(snapshot, plugins: plugins)))
}

/// A job of a user.
private func waiting(
  _ id: JobID, _ request: String, _ walltime: Seconds, by user: String, types: [String] = []
) -> WaitingJob {
  var job = KaoTests.waiting(id, (request, walltime), types: types)
  job.user = user
  return job
}

private func holding(
  _ id: JobID, _ resources: [ResourceID], walltime: Seconds, by user: String,
  types: [String] = []
) -> HoldingJob {
  var job = KaoTests.holding(id, resources, start: 1000, walltime: walltime)
  (job.user, job.types) = (user, types)
  return job
}

struct QuotaExplanationTests {
  private func quotas(_ text: String) throws -> Quotas {
    try Quotas(JSONReader.read(text), allResources: 16)
  }

  @Test("a quota of resources is told with its rule, what is used, by whom and until when")
  func resources() throws {
    var cluster = snapshot(
      fourHosts,
      holding: [
        holding(8, [1, 2], walltime: 500, by: "alice"),
        holding(9, [3, 4], walltime: 100, by: "alice"),
        holding(7, [5, 6], walltime: 900, by: "bob"),
      ], waiting: [waiting(1, "/core=4", 60, by: "alice")])
    cluster.quotas = try quotas(#"{"quotas": {"*,*,*,/": [6, -1, -1], "*,*,*,bob": [1, -1, -1]}}"#)
    let why = try explain(1, in: cluster)
    #expect(why.reason.kind == .quota)
    #expect(
      why.reason.text
        == "The quota \"*,*,*,/\" allows 6 resources at a time; with this job it would be 8.")
    #expect(why.reason.blockers == [9, 8])
    #expect(why.holders == [.init(job: 9, end: 1100), .init(job: 8, end: 1500)])
    let quota = try #require(why.quota)
    #expect(quota.rule == "*,*,*,/" && quota.ruleSet == "quotas" && quota.counter == .resources)
    #expect(quota.allowed == 6 && quota.used == 4 && quota.wanted == 4 && quota.at == 1000)
    #expect(quota.allowedFrom == 1100 && quota.holdsUntil == nil)
    #expect(why.placement?.start == 1100)
    #expect(why.sentences.first == "It would start now with -l /core=2 instead of /core=4.")
  }

  @Test("a quota of jobs is told, and that no smaller request helps")
  func jobs() throws {
    var cluster = snapshot(
      fourHosts, holding: [holding(8, [1], walltime: 500, by: "alice")],
      waiting: [waiting(1, "/core=4", 60, by: "alice")],
      queues: [Queue(name: "default", priority: 2)])
    cluster.quotas = try quotas(#"{"quotas": {"default,*,*,alice": [-1, 1, -1]}}"#)
    let why = try explain(1, in: cluster)
    #expect(why.quota?.counter == .jobs && why.quota?.used == 1 && why.quota?.wanted == 1)
    #expect(why.reason.blockers == [8])
    #expect(why.changes.isEmpty)
    #expect(why.sentences == ["The quota counts jobs: no smaller request would start it now."])
  }

  @Test("a quota of resource-hours is told, and the walltime that fits into it to the second")
  func work() throws {
    var cluster = snapshot(
      fourHosts, holding: [holding(8, [1], walltime: 3600, by: "alice")],
      waiting: [waiting(1, "/core=4", 3600, by: "alice")])
    cluster.quotas = try quotas(#"{"quotas": {"*,*,*,/": [-1, -1, 3]}}"#)
    let why = try explain(1, in: cluster)
    #expect(why.quota?.counter == .resourceHours && why.quota?.used == 3600)
    #expect(why.quota?.allowedFrom == nil && why.placement == nil)
    #expect(
      why.changes.prefix(2) == [
        .walltime(moldable: 0, 1800), .count(moldable: 0, group: 0, level: 0, .exactly(2)),
      ])
  }

  @Test("rules of the calendar are told with their name and time, and jobs to come count")
  func calendar() throws {
    // The clock shows 00:16:40.
    let text = """
      {"periodical": [["00:00-00:18 * * *", "early", ""], ["00:18-00:00 * * *", "late", ""]],
       "early": {}, "late": {"*,*,*,/": [4, -1, -1]}}
      """
    var cluster = snapshot(
      fourHosts, holding: [holding(8, [1, 2], walltime: 500, by: "alice")],
      waiting: [waiting(1, "/core=4", 300, by: "alice")])
    cluster.quotas = try quotas(text)
    let why = try explain(1, in: cluster)
    #expect(
      why.reason.text
        == "The quota \"*,*,*,/\" of \"late\" allows 4 resources at a time; with this job it would "
        + "be 6, at 1970-01-01 00:18:00.")
    #expect(why.quota?.holdsFrom == 1080 && why.quota?.holdsUntil == 86_400)
    #expect(why.quota?.at == 1080 && why.quota?.allowedFrom == 1500)
    #expect(why.changes.contains(.walltime(moldable: 0, 80)))
  }

  @Test("a change that a quota would refuse is not named")
  func noChangeAgainstQuotas() throws {
    let holders = [holding(9, Array(1...8), walltime: 600, by: "bob")]
    var cluster = snapshot(
      fourHosts, holding: holders, waiting: [waiting(1, "/core=12", 60, by: "alice")])
    cluster.quotas = try quotas(#"{"quotas": {"default,*,*,alice": [12, -1, -1]}}"#)
    #expect(
      try explain(1, in: cluster).changes.first
        == .count(moldable: 0, group: 0, level: 0, .exactly(8)))
    cluster.quotas = try quotas(#"{"quotas": {"default,*,*,alice": [5, -1, -1]}}"#)
    #expect(
      try explain(1, in: cluster).changes.first
        == .count(moldable: 0, group: 0, level: 0, .exactly(5)))
  }
}

struct ConstraintExplanationTests {
  private func reservation(_ id: JobID, _ resources: [ResourceID], at start: Instant) -> WaitingJob
  {
    var job = KaoTests.waiting(id, ("/core=\(resources.count)", 500))
    job.reservation = Reservation(
      start: start, promised: .init(moldable: 0, resources: resources))
    return job
  }

  @Test("a job that a reservation ahead keeps waiting is told which, and when that begins")
  func reservationAhead() throws {
    let jobs = [reservation(5, Array(1...8), at: 1600), KaoTests.waiting(6, ("/host=3", 1000))]
    let why = try explain(6, in: snapshot(fourHosts, waiting: jobs))
    #expect(why.reason.kind == .reservationAhead)
    #expect(
      why.reason.text
        == "Without reservations ahead, /host=3 would be free now; but the reservation 5 "
        + "(1970-01-01 00:26:40) begins before it would end.")
    #expect(why.holders == [.init(job: 5, start: 1600, end: 2100)])
    #expect(why.shortage?.request == "/host=3" && why.shortage?.free == 16)
    #expect(
      why.changes.prefix(2) == [
        .count(moldable: 0, group: 0, level: 0, .exactly(2)), .walltime(moldable: 0, 600),
      ])
  }

  @Test("a job inside a container is told who fills it, or when it opens")
  func containers() throws {
    let inner = KaoTests.waiting(2, ("/core=3", 100), types: ["inner=c1"])
    let open = [
      holding(9, [1, 2, 3, 4], walltime: 900, by: "alice", types: ["container=c1"]),
      holding(8, [1, 2], walltime: 300, by: "alice", types: ["inner=c1"]),
      holding(7, [5, 6], walltime: 300, by: "alice"),
    ]
    let full = try explain(2, in: snapshot(fourHosts, holding: open, waiting: [inner]))
    #expect(full.reason.kind == .container && full.reason.blockers == [8])
    #expect(full.placement?.start == 1300)
    #expect(full.changes == [.count(moldable: 0, group: 0, level: 0, .exactly(2))])
    let busy = [holding(9, Array(1...16), walltime: 900, by: "alice")]
    let container = KaoTests.waiting(1, ("/host=1", 1000), types: ["container=c1"])
    let closed = try explain(
      2, in: snapshot(fourHosts, holding: busy, waiting: [container, inner]))
    #expect(
      closed.reason.text == "Its container \"c1\", job 1, is planned for 1970-01-01 00:31:40.")
    #expect(closed.reason.blockers == [1] && closed.changes.isEmpty)
    let long = KaoTests.waiting(2, ("/core=3", 2000), types: ["inner=c1"])
    let short = try explain(2, in: snapshot(fourHosts, holding: busy, waiting: [container, long]))
    #expect(
      short.reason.text == "The container \"c1\" has no room for it. The container is job 1, "
        + "planned for 1970-01-01 00:31:40.")
    let none = try explain(2, in: snapshot(fourHosts, waiting: [inner]))
    #expect(
      none.sentences
        == ["It can start as soon as there is a container \"c1\" that runs or is planned."])
  }

  @Test("a job that shares is not told of those with whom it could share")
  func sharing() throws {
    let holders = [
      holding(9, [1, 2, 3, 4], walltime: 900, by: "alice", types: ["timesharing=*,*"]),
      holding(8, Array(5...16), walltime: 300, by: "alice"),
    ]
    let job = KaoTests.waiting(1, ("/host=2", 100), types: ["timesharing=*,*"])
    let why = try explain(1, in: snapshot(fourHosts, holding: holders, waiting: [job]))
    #expect(why.reason.blockers == [8])
    #expect(
      why.reason.text == "It needs /host=2, and 4 of the 16 resources that match are free now.")
    #expect(why.changes == [.count(moldable: 0, group: 0, level: 0, .exactly(1))])
  }

  /// Has no place before an instant.
  private struct Late: ResourceFinder {
    var earliest: Instant

    func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet> {
      guard question.start >= earliest else { return .nothing(because: "not yet") }
      return question.request.pick(from: question.free).map { .chosen($0) }
        ?? .nothing(because: nil)
    }
  }

  @Test("a job with a plug-in is told that it decides, or that there is none")
  func plugins() throws {
    let cluster = snapshot(
      fourHosts, holding: [holding(9, [1], walltime: 100, by: "bob")],
      waiting: [KaoTests.waiting(1, ("/host=1", 100), types: ["find=late"])])
    var plugins = PlannerPlugins.none
    plugins.finders["late"] = Late(earliest: 1050)
    let plan = Kao.plan(cluster, plugins: plugins)
    let why = try #require(Kao.explain(1, in: cluster, plan: plan, plugins: plugins))
    #expect(why.reason.kind == .plugin && why.placement?.start == 1100 && why.changes.isEmpty)
    #expect(
      why.sentences == ["Its plug-in \"late\" decides what it may have, not its request alone."])
    #expect(
      try explain(1, in: cluster).sentences[0].hasPrefix("It never starts unless the site has"))
  }

  @Test("dates are told, and a deadline is met by a shorter walltime")
  func dates() throws {
    func why(_ type: String, holding: [HoldingJob] = []) throws -> Kao.Explanation {
      try explain(
        1,
        in: snapshot(
          fourHosts, holding: holding,
          waiting: [KaoTests.waiting(1, ("/host=4", 300), types: [type])]))
    }
    let postponed = try why("postpone=1970-01-01 01:00:00")
    #expect(postponed.reason.text == "It is to start at 1970-01-01 01:00:00 or later (postpone).")
    #expect(postponed.changes.isEmpty)
    let expired = try why("expire=1970-01-01 00:10:00")
    #expect(expired.reason.kind == .date && expired.sentences[0].contains("later date of expiry"))
    let late = try why("deadline=1970-01-01 00:20:00")
    #expect(late.reason.text == "It can't end by its deadline, 1970-01-01 00:20:00.")
    #expect(late.changes.first == .walltime(moldable: 0, 200))
  }

  @Test("a job that waits for another is told until when that runs or is planned")
  func dependencies() throws {
    let cluster = snapshot(
      fourHosts, holding: [holding(9, [1], walltime: 500, by: "bob")],
      waiting: [
        KaoTests.waiting(1, ("/host=1", 10), after: [.running(9)]),
        KaoTests.waiting(2, ("/host=4", 100)),
        KaoTests.waiting(3, ("/host=1", 10), after: [.waiting(2)]),
      ])
    #expect(
      try explain(1, in: cluster).reason.text
        == "Job 9 must end first; it runs until 1970-01-01 00:25:00 at the latest.")
    #expect(
      try explain(3, in: cluster).reason.text
        == "Job 2 must end first; it is planned to end at 1970-01-01 00:26:40.")
  }

  @Test("hosts that are woken and jobs that save their work are named")
  func waits() throws {
    var resources = testPlatform(hosts: 2, coresPerHost: 2).resources
    for place in 2...3 {
      (resources[place].state, resources[place].availableUpto) = (.absent, endOfTime)
    }
    let asleep = try explain(
      1,
      in: snapshot(
        Platform(resources: resources), waiting: [KaoTests.waiting(1, ("/host=2", 10))]))
    #expect(
      asleep.reason.text == "It starts as soon as the host h2, which sleeps, has been woken.")
    #expect(asleep.sentences == ["It starts by itself as soon as its hosts are up."])
    var victim = KaoTests.holding(9, [1, 2, 3, 4], start: 900, walltime: 900, besteffort: true)
    (victim.checkpoint, victim.checkpointedAt) = (60, 990)
    let saving = try explain(
      1, in: snapshot(fourHosts, holding: [victim], waiting: [KaoTests.waiting(1, ("/host=4", 10))])
    )
    #expect(saving.reason.blockers == [9])
    #expect(
      saving.reason.text.hasSuffix("They may save their work until 1970-01-01 00:17:30."))
  }
}

struct OrderExplanationTests {
  @Test("jobs that came later and go first are named, with the reason")
  func passers() throws {
    let jobs = [
      KaoTests.waiting(1, ("/host=4", 100)), KaoTests.waiting(2, ("/host=4", 100), queue: "admin"),
    ]
    let byQueue = try explain(1, in: snapshot(fourHosts, waiting: jobs))
    #expect(
      byQueue.passers == [
        .init(job: 2, why: "its queue \"admin\" has priority 10, \"default\" has 2")
      ])
    var cluster = snapshot(
      fourHosts,
      waiting: [waiting(1, "/host=4", 100, by: "alice"), waiting(2, "/host=4", 100, by: "bob")])
    var settings = FairShareSettings()
    settings.coefficients = .oar3
    cluster.order = .fairShare(
      FairShare(settings: settings, known: KnownKarma(users: ["alice": 0.5, "bob": 0.25])))
    let why = try #require(try explain(1, in: cluster).passers.first?.why)
    #expect(
      why == "its priority is -0.250 (user_karma -0.250 = 0.250 × -1.000, project_karma 0.000 = "
        + "0.000 × -1.000), that of job 1 is -0.500 (user_karma -0.500 = 0.500 × -1.000, "
        + "project_karma 0.000 = 0.000 × -1.000)")
    #expect(Kao.explain(2, in: cluster, plan: Kao.plan(cluster)) == nil)
  }

  @Test("a job beyond the pass's limit is told how many are ahead and what the limit is called")
  func limits() throws {
    var cluster = snapshot(
      fourHosts, waiting: (1...5).map { KaoTests.waiting($0, ("/host=4", 100)) })
    cluster.settings.jobsPerPass = 2
    let beyond = try explain(5, in: cluster)
    #expect(
      beyond.reason.text == "4 jobs are ahead of it, and only the first 2 that can be placed are "
        + "planned (MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND).")
    #expect(beyond.changes.isEmpty)
    cluster.settings.jobsPerPass = 0
    var settings = FairShareSettings()
    settings.jobsPerUser = 2
    cluster.order = .fairShare(FairShare(settings: settings))
    let limited = try explain(5, in: cluster)
    #expect(limited.reason.text.contains("SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER"))
    #expect(limited.reason.blockers == [1, 2])
  }

  @Test(
    "where the size of a job counts for its priority, a change that would lose its place is not named"
  )
  func places() throws {
    let holders = [KaoTests.holding(9, [1, 2, 3, 4], start: 1000, walltime: 900)]
    var cluster = snapshot(
      fourHosts, holding: holders,
      waiting: [KaoTests.waiting(1, ("/host=4", 100)), KaoTests.waiting(2, ("/host=3", 2000))])
    #expect(
      try explain(1, in: cluster).changes.contains(
        .count(moldable: 0, group: 0, level: 0, .exactly(3))))
    var big = Multifactor(weights: [.size: 1])
    big.sizePreference = .big
    cluster.order = .multifactor(big)
    // With three hosts it would be as great as job 2, and before it; with fewer, after it.
    #expect(
      try explain(1, in: cluster).changes.contains(
        .count(moldable: 0, group: 0, level: 0, .exactly(3))))
    cluster.waiting.swapAt(0, 1)
    #expect(
      !(try explain(1, in: cluster).changes.contains(
        .count(moldable: 0, group: 0, level: 0, .exactly(3)))))
  }
}
