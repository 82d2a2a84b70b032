// kamelot as the scheduler of one queue: who gets which place, what is written and what is said.

import ClusterModel
import Storage
import Testing

@testable import Controller

/// A job of a queue on ``storedCluster()``; its moldables are numbered from ten times its own number.
private func queued(
  _ id: JobID, cores: Int = 1, walltime: Seconds = 600, queue: String = "default",
  types: [String] = [], after required: [JobID] = [], moldables: [Moldable] = []
) -> Job {
  let group = RequestGroup(levels: [RequestLevel("core", .exactly(cores))])
  let one = [Moldable(walltime: walltime, groups: [group])]
  let request = JobRequest(
    user: "alice", moldables: moldables.isEmpty ? one : moldables, dependencies: required)
  return Job(
    id: id, arrayID: id, arrayIndex: 1, request: request, command: "true", state: .waiting,
    queue: queue, types: types, submissionTime: 900, firstMoldableID: 10 * id,
    message: "R=\(cores),W=0:10:0,J=B")
}

/// The same, with resources.
private func running(
  _ id: JobID, on resources: [ResourceID], types: [String] = [], start: Instant = 1000
) -> Job {
  var job = queued(
    id, cores: resources.count, walltime: 3600,
    queue: types.contains("besteffort") ? "besteffort" : "default", types: types)
  job.state = .running
  job.assignedMoldable = 0
  job.assignedResources = resources
  job.startTime = start
  return job
}

private func scene(_ jobs: [Job], planned: [Prediction] = []) -> QueueScene {
  var scene = QueueScene(cluster: storedCluster(), planned: planned)
  scene.cluster.jobs = jobs.sorted { $0.id < $1.id }
  return scene
}

private func decide(
  _ scene: QueueScene, _ configuration: String = "SCHEDULER_JOB_SECURITY_TIME=0",
  queue: String = "default", at now: Instant = 2000
) throws -> QueueDecision {
  var pass = QueuePass(scene, queue: queue, now: now, settings: try settings(configuration))
  return pass.decide()
}

private func row(_ moldable: MoldableID, _ start: Instant, _ resources: ResourceID...) -> Prediction
{
  Prediction(moldable: moldable, start: start, resources: resources)
}

@Suite("A pass over one queue of OAR 2's") struct QueuePassTests {
  @Test("a job that can start is planned for the time of the call, and its message says so")
  func starts() throws {
    let decision = try decide(scene([queued(1, cores: 2)]))
    #expect(decision.placed == [row(10, 2000, 1, 2)])
    #expect(decision.withdrawn.isEmpty)
    #expect(decision.messages.map(\.text) == ["R=2,W=0:10:0,J=B (FIFO)"])
  }

  @Test("what runs keeps its resources to the end of its walltime and the security time")
  func behindRunning() throws {
    let decision = try decide(
      scene([running(1, on: [1, 2, 3, 4]), queued(2)]), "SCHEDULER_JOB_SECURITY_TIME=7")
    #expect(decision.placed == [row(20, 4607, 1)])
  }

  @Test("what the plan has for other queues and for reservations stays, and nothing is put on it")
  func fixedPlaces() throws {
    var reservation = queued(3, cores: 4)
    reservation.reservation = .scheduled
    let decision = try decide(
      scene(
        [queued(1, cores: 3), queued(2, cores: 2, queue: "admin"), reservation],
        planned: [row(20, 2000, 1, 2), row(30, 2900, 1, 2, 3, 4)]))
    // After the job of the other queue is no room before the reservation.
    #expect(decision.placed == [row(10, 3500, 1, 2, 3)])
    #expect(decision.messages.map(\.job) == [1])
  }

  @Test("besteffort jobs that run stand in nobody's way but besteffort's")
  func besteffort() throws {
    let victim = running(1, on: [1, 2, 3, 4], types: ["besteffort"])
    let decision = try decide(scene([victim, queued(2, cores: 4)]))
    #expect(decision.placed == [row(20, 2000, 1, 2, 3, 4)])
    let besteffort = queued(2, cores: 4, queue: "besteffort", types: ["besteffort"])
    let other = try decide(scene([victim, besteffort]), queue: "besteffort")
    #expect(other.placed == [row(20, 4600, 1, 2, 3, 4)])
  }

  @Test("of an earlier pass only what is different is written, and what has no place goes")
  func differences() throws {
    let jobs = [queued(1), queued(2), queued(3, cores: 9)]
    var before = scene(jobs, planned: [row(10, 2000, 1), row(20, 2000, 3), row(30, 5000, 1)])
    before.cluster.jobs[0].message = "R=1,W=0:10:0,J=B (FIFO)"
    let decision = try decide(before)
    #expect(decision.placed == [row(20, 2000, 2)])
    #expect(decision.withdrawn == [30])
    #expect(decision.messages.map(\.job) == [2, 3])
  }

  @Test("the moldable that ends first is chosen, and the message describes it")
  func moldable() throws {
    func shape(_ cores: Int, _ walltime: Seconds) -> Moldable {
      let level = RequestLevel("core", .exactly(cores))
      return Moldable(walltime: walltime, groups: [RequestGroup(levels: [level])])
    }
    let job = queued(1, moldables: [shape(1, 3600), shape(4, 600)])
    let decision = try decide(scene([job]))
    #expect(decision.placed == [row(11, 2000, 1, 2, 3, 4)])
    #expect(decision.messages.map(\.text) == ["R=4,W=0:10:0,J=B (FIFO)"])
  }

  @Test("who depends on a job that runs is planned behind its walltime, as OAR 2 does")
  func behindDependency() throws {
    let decision = try decide(scene([running(1, on: [1]), queued(2, after: [1])]))
    #expect(decision.placed == [row(20, 4600, 1)])
  }

  @Test("who depends on a job that ended may start; on one that never was, never")
  func ended() throws {
    var scene = scene([queued(2, after: [1]), queued(3, after: [999])])
    scene.ended = [1]
    let decision = try decide(scene)
    #expect(decision.placed == [row(20, 2000, 1)])
    #expect(
      decision.messages.last?.text
        == "Cannot determine scheduling time due to dependency with the job 999")
  }

  @Test("who depends on a job of another queue follows its place, and has none without it")
  func dependencyElsewhere() throws {
    let jobs = [queued(1, queue: "admin"), queued(2, after: [1])]
    let planned = try decide(scene(jobs, planned: [row(10, 2500, 4)]))
    #expect(planned.placed == [row(20, 3100, 1)])
    let unplanned = try decide(scene(jobs))
    #expect(unplanned.placed.isEmpty)
    #expect(
      unplanned.messages.map(\.text) == ["Job 1 must end first; it has no place in the plan."])
  }

  @Test("an inner job runs in a container that runs, and in one that a higher queue has planned")
  func containers() throws {
    let container = running(1, on: [3, 4], types: ["container"])
    let inner = queued(2, cores: 2, types: ["inner=1"])
    #expect(try decide(scene([container, inner])).placed == [row(20, 2000, 3, 4)])
    let higher = queued(1, cores: 2, walltime: 3600, queue: "admin", types: ["container"])
    let planned = try decide(scene([higher, inner], planned: [row(10, 2700, 2, 3)]))
    #expect(planned.placed == [row(20, 2700, 2, 3)])
  }

  @Test("what is planned in a container that is not there keeps its resources all the same")
  func lostContainer() throws {
    let jobs = [queued(1, cores: 4, queue: "admin", types: ["inner=77"]), queued(2)]
    let decision = try decide(scene(jobs, planned: [row(10, 2000, 1, 2, 3, 4)]))
    #expect(decision.placed == [row(20, 2600, 1)])
  }

  @Test(
    "a clock far before or behind what is in the plan makes no trouble",
    arguments: [
      1, 999, 500_000_000, endOfTime - 2,
    ])
  func clocks(now: Instant) throws {
    let jobs = [
      running(1, on: [1, 2]), queued(2, cores: 2, queue: "admin"), queued(3, cores: 2),
      queued(4, after: [1]),
    ]
    let decision = try decide(
      scene(jobs, planned: [row(10, 1000, 1, 2), row(20, 2000, 3, 4)]), at: now)
    #expect(decision.placed.allSatisfy { $0.start >= now })
    #expect(decision.placedCount == 2)
  }

  @Test("rows of the plan whose jobs have just ended are left alone, without a word")
  func orphans() throws {
    let decision = try decide(scene([queued(1)], planned: [row(0, 1990), row(77, 2000, 1)]))
    #expect(decision.placed == [row(10, 2000, 1)])
    #expect(decision.withdrawn.isEmpty)
    #expect(decision.problems == [])
  }

  @Test("with fair shares the message tells the karma, and the limit of a user's jobs holds")
  func karma() throws {
    var scene = scene([queued(1), queued(2), queued(3)])
    scene.past = [
      PastUse(user: "alice", project: "default", queue: "default", used: 50, asked: 100)
    ]
    let decision = try decide(
      scene,
      """
      SCHEDULER_JOB_SECURITY_TIME=0
      JOB_PRIORITY=FAIRSHARE
      SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER=2
      """)
    #expect(decision.placedCount == 2 && decision.unplacedCount == 0)
    #expect(decision.messages.map(\.job) == [1, 2])
    #expect(decision.messages.first?.text == "R=1,W=0:10:0,J=B (Karma=3.000,quota_ok)")
  }

  @Test("types appear in the message by their names, each once")
  func types() throws {
    let job = queued(1, types: ["timesharing=user,*", "idempotent", "timesharing=*,*"])
    let words = try QueueMessage(settings: settings(), usage: .init())
    #expect(
      words.placed(job, resources: 1, moldable: 0)
        == "R=1,W=0:10:0,J=B,T=idempotent|timesharing (FIFO)")
  }
}

extension QueuePassTests {
  private func remarks(_ labels: String?, asking level: String = "core") -> [String] {
    var configuration = Configuration()
    configuration["HIERARCHY_LABELS"] = labels
    let group = RequestGroup(levels: [RequestLevel(level, .exactly(1))])
    var cluster = storedCluster()
    cluster.jobs = [queued(1, moldables: [Moldable(walltime: 600, groups: [group])])]
    return HierarchyLabels(configuration).remarks(on: cluster, queue: "default")
  }

  @Test("labels that fit the resources need no word")
  func goodLabels() {
    #expect(remarks("resource_id,network_address,host,core").isEmpty)
    #expect(remarks("core, HOST ,network_address").isEmpty)
  }

  @Test("without labels, the order is worked out from the resources")
  func noLabels() {
    #expect(remarks(nil).first?.hasSuffix("from the outside in network_address, core") == true)
    #expect(remarks("").count == 1)
  }

  @Test("labels that are no columns, and levels that are no labels, are said")
  func badLabels() {
    let lines = remarks("resource_id,cpuu", asking: "core")
    #expect(lines.count == 2)
    #expect(lines.first?.contains("\"cpuu\", no property") == true)
    #expect(lines.last?.contains("ask for \"core\"") == true)
  }

  @Test("blocks that lie across others are said")
  func crossingLabels() {
    // The number of a processor is the same on both hosts.
    #expect(remarks("network_address,cpuset", asking: "cpuset").count == 1)
  }

  @Test(
    "calls are read as OAR makes them",
    arguments: [
      ["default", "1795289883", "2026-11-21 19:38:03"], ["default", "1795289883"], ["default"],
      ["--unguarded", "default", "12", "x"],
    ])
  func calls(words: [String]) throws {
    let call = try QueueCall(words)
    #expect(call.queue == "default")
    #expect(call.isGuarded == (words.count < 4))
    #expect(QueueScheduler.isCall(words))
  }

  @Test(
    "calls that make no sense are refused with what is wrong",
    arguments: [
      [], ["default", "abc"], ["default", "0", "x"], ["default", "-5"], ["a", "1", "b", "c"], [""],
      ["default", "99999999999999999999"], ["--unguarded"],
    ])
  func badCalls(words: [String]) {
    #expect(throws: QueueCallError.self) { try QueueCall(words) }
  }

  @Test("a scenario's options are no call")
  func scenarios() {
    #expect(!QueueScheduler.isCall([]))
    #expect(!QueueScheduler.isCall(["--scenario", "x"]))
  }

  @Test(
    "a pass may take as long as the site says, an hour at most; 30 s if it says nonsense",
    arguments: [
      ("", 30), ("SCHEDULER_TIMEOUT=\"7\"", 7), ("SCHEDULER_TIMEOUT=3600", 3600),
      ("SCHEDULER_TIMEOUT=7200", 3600), ("SCHEDULER_TIMEOUT=0", 30), ("SCHEDULER_TIMEOUT=abc", 30),
    ])
  func limits(text: String, limit: Seconds) {
    #expect(QueueScheduler.timeLimit(Configuration(parsing: text)) == limit)
  }

  @Test("a slip in a variable is said and passed over; one in a policy ends the pass")
  func slips() throws {
    var said: [String] = []
    let read = try QueueSettings.read(
      Configuration(parsing: "SCHEDULER_JOB_SECURITY_TIME=abc\nSERVER_PORT=zz")
    ) { said.append($0) }
    #expect(read.settings.planning.jobSecurityTime == 60)
    #expect(said.count == 1)
    #expect(throws: ConfigurationError.self) {
      try QueueSettings.read(Configuration(parsing: "JOB_PRIORITY=LUCK")) { _ in }
    }
  }
}
