// A server that starts again has in memory what it had before.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Loading again", .onEachStore)
struct ReloadTests {
  let place: Place
  let store: DatabaseStorage

  init() async throws {
    place = try Place()
    store = try await newStore(in: place)
  }

  @Test("a waiting job comes back with its whole request")
  func waitingJob() async throws {
    var job = sampleJob(5, request: sampleRequest(dependencies: [4, 1, 3], reservationStart: 9000))
    job.reservation = .scheduled
    job.startTime = 9000
    job.resubmittedFrom = 2
    try await store.commit([.jobsSubmitted([job])])

    let cluster = try await reloaded(store, in: place)
    #expect(cluster.jobs.map(described) == [described(job)])
    #expect(cluster.nextJob == 6)
    #expect(cluster.nextMoldable == 52)
    #expect(cluster.problems.isEmpty)
  }

  @Test("a reservation that was accepted comes back with its start and its promise, others without")
  func promise() async throws {
    let request = sampleRequest(reservationStart: 9000)
    try await store.commit((1...3).map { .jobsSubmitted([sampleJob($0, request: request)]) })
    try await store.commit([
      .reservationAccepted(1, moldable: 10, start: 9100, resources: [7, 3]),
      .jobState(1, .toAckReservation, at: 200), .jobState(1, .waiting, at: 200),
      .jobWalltime(1, moldable: 10, 99), .reservationRefused(2),
    ])
    let jobs = try await reloaded(store, in: place).jobs
    #expect(jobs.map(\.reservation) == [.scheduled, .scheduled, .toSchedule])
    #expect(jobs.map(\.promised) == [[3, 7], [], []])
    #expect(jobs.map(\.startTime) == [9100, 9000, 9000])
    #expect(jobs.map(\.walltime) == [99, 3600, 3600])
  }

  @Test("a plan that is written after a promise keeps it, or not, as it says")
  func promiseInPlan() async throws {
    let job = sampleJob(1, request: sampleRequest(reservationStart: 9000))
    try await store.commit([.jobsSubmitted([job])])
    let promised = Prediction(moldable: 10, start: 9000, resources: [3])
    try await store.commit([
      .predictions([], at: 1), .reservationAccepted(1, moldable: 10, start: 9000, resources: [3]),
    ])
    try await store.commit([.predictions([promised], at: 2)])
    #expect(try await store.load().jobs.map(\.promised) == [[3]])
    try await store.commit([.predictions([], at: 3)])
    #expect(try await store.load().jobs.map(\.promised) == [[]])
  }

  @Test("what was asked of a walltime comes back, with the job and with its record")
  func walltimeChange() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)])])
    var change = WalltimeChange(pending: 60, force: true, delayNextJobs: false)
    change.granted = -5
    change.grantedWithForce = 3
    change.grantedWithDelayNextJobs = 2
    try await store.commit([.walltimeChange(5, WalltimeChange(pending: 7))])
    try await store.commit([.walltimeChange(5, change)])
    var filter = JobFilter()
    filter.ids = [5]
    #expect(try await store.jobs(matching: filter, limit: 1).first?.walltimeChange == change)
    #expect(try await reloaded(store, in: place).jobs.first?.walltimeChange == change)
  }

  @Test("empty and missing texts stay apart")
  func emptyTexts() async throws {
    let group = RequestGroup(properties: "", levels: [RequestLevel("core", .bestHalf)])
    let bare = JobRequest(user: "bob", moldables: [Moldable(walltime: 1, groups: [group])])
    let named = JobRequest(
      user: "bob", name: "", kind: .interactive, moldables: bare.moldables, notify: "",
      submissionHost: "")
    let jobs = [sampleJob(1, request: bare), sampleJob(2, request: named)]
    try await store.commit(jobs.map { .jobsSubmitted([$0]) })
    let cluster = try await reloaded(store, in: place)
    #expect(cluster.jobs.map(described) == jobs.map(described))
  }

  @Test("texts of any kind come back as they were")
  func strangeTexts() async throws {
    // PostgreSQL's texts have no byte 0.
    let zero = StoreKind.current == .sqlite ? "\u{0}" : ""
    let text = "'; DROP TABLE jobs; -- \" ` é 漢字 🚣 \(zero) \n \\ %jobid%"
    let group = RequestGroup(properties: text, levels: [RequestLevel("\"x\"'", .exactly(1))])
    let request = JobRequest(
      user: text, name: text, project: text, properties: text,
      moldables: [Moldable(walltime: 1, groups: [group])], directory: text, stdout: text,
      stderr: text, notify: text, initialRequest: text, submissionHost: text)
    var job = sampleJob(1, request: request)
    job.command = text
    job.types = [text]
    job.message = text
    job.queue = text
    try await store.commit([.jobsSubmitted([job]), .event(JobEvent("X", job: 1, at: 1, text))])
    #expect(try await store.events(.job(1)).map(\.text) == [text])
    #expect(try await reloaded(store, in: place).jobs.map(described) == [described(job)])
  }

  @Test("a running job comes back with its resources, and not with those it did not get")
  func runningJob() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)])])
    try await store.commit([
      .jobAssigned(5, moldable: 51, index: 1, resources: [4, 2], at: 200),
      .jobState(5, .running, at: 201),
      .predictions([Prediction(moldable: 50, start: 1, resources: [9])], at: 1),
    ])
    let job = try #require(try await reloaded(store, in: place).jobs.first)
    #expect(job.state == .running)
    #expect(job.startTime == 200)
    #expect(job.assignedMoldable == 1)
    #expect(job.assignedResources == [2, 4])
  }

  @Test("a job's suspensions are counted until it runs again")
  func suspendedJob() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)])])
    try await store.commit([
      .jobAssigned(5, moldable: 50, index: 0, resources: [2], at: 200),
      .jobState(5, .running, at: 200), .jobState(5, .suspended, at: 210), .jobSuspended(5),
      .jobState(5, .resuming, at: 230), .jobState(5, .running, at: 235),
      .jobState(5, .suspended, at: 300),
    ])
    let job = try #require(try await reloaded(store, in: place).jobs.first)
    #expect(job.wasSuspended)
    #expect(job.suspendedSeconds == 25)
    #expect(job.suspendedSince == 300)
  }

  @Test("types, queue, message and an asked deletion come back as they were changed")
  func changedJob() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)])])
    try await store.commit([
      .jobTypes(5, ["besteffort", "a=b"], queue: "besteffort"), .jobMessage(5, "a new message"),
      .jobState(5, .hold, at: 300), .jobDeletion(5, .asked, at: 310),
    ])
    let job = try #require(try await reloaded(store, in: place).jobs.first)
    #expect(job.types == ["besteffort", "a=b"])
    #expect(job.queue == "besteffort")
    #expect(job.message == "a new message")
    #expect(job.state == .hold)
    #expect(job.deletionAsked == 310)
  }

  @Test("ended jobs don't come back, and their numbers are not given again")
  func endedJob() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)])])
    try await store.commit([.jobEnded(5, .error, exitStatus: nil, at: 1)])
    let cluster = try await reloaded(store, in: place)
    #expect(cluster.jobs.isEmpty)
    #expect(cluster.nextJob == 6)
    #expect(cluster.nextMoldable == 52)
  }

  @Test("numbers are not given again even if the rows are gone")
  func purgedRows() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)]), .resourceAdded(sampleResource(8))])
    try await store.commit([.resourceRemoved(8)])
    await store.close()
    for table in ["jobs", "moldable_job_descriptions"] {
      _ = try rows("DELETE FROM \(table)", in: place)
    }
    let again = try await newStore(in: place)
    let cluster = try await again.load()
    await again.close()
    #expect(cluster.nextJob == 6)
    #expect(cluster.nextMoldable == 52)
    #expect(cluster.nextResource == 9)
  }

  @Test("resources come back with every column and the site's own properties")
  func resources() async throws {
    try await store.commit([
      .propertyAdded(PropertyDefinition(name: "core", kind: .integer)),
      .propertyAdded(PropertyDefinition(name: "Switch", kind: .text)),
    ])
    var full = Resource(id: 3)
    full.type = "licence"
    full.networkAddress = "node9"
    full.state = .absent
    full.suspectedByServer = true
    full.cpuset = "0,1"
    full.acceptsBesteffort = false
    full.acceptsDeploy = true
    full.acceptsDesktopComputing = true
    full.drain = true
    full.suspendedJobs = true
    full.schedulerPriority = -4
    full.expiryDate = 1
    full.lastJobDate = 2
    full.availableUpto = 3
    full.lastAvailableUpto = 4
    full.properties = ["core": .integer(7), "Switch": .text("s'1")]
    var plain = sampleResource(4)
    plain.properties = ["core": .null, "Switch": .null]
    try await store.commit([.resourceAdded(full), .resourceAdded(plain)])

    let cluster = try await reloaded(store, in: place)
    #expect(cluster.resources == [full, plain])
    #expect(
      cluster.properties == [
        PropertyDefinition(name: "core", kind: .integer),
        PropertyDefinition(name: "Switch", kind: .text),
      ])
    #expect(cluster.nextResource == 5)
  }

  @Test(
    "any column of a resource can be changed",
    arguments: standardResourceColumns.filter {
      !["resource_id", "next_state", "next_finaud_decision", "state_num"].contains($0)
    })
  func changedColumn(column: String) async throws {
    try await store.commit([.resourceAdded(Resource(id: 1))])
    var resource = Resource(id: 1)
    resource.type = "disk"
    resource.networkAddress = "other"
    resource.state = .dead
    resource.suspectedByServer = true
    resource.cpuset = "5"
    resource.acceptsBesteffort = false
    resource.acceptsDeploy = true
    resource.acceptsDesktopComputing = true
    resource.drain = true
    resource.suspendedJobs = true
    resource.schedulerPriority = 6
    resource.expiryDate = 7
    resource.lastJobDate = 8
    resource.availableUpto = 9
    resource.lastAvailableUpto = 10
    try await store.commit([.resourceChanged(resource, column: column, at: 5)])
    let loaded = try #require(try await reloaded(store, in: place).resources.first)
    #expect(loaded.value(of: column) == resource.value(of: column))
  }

  @Test("properties are renamed and removed with their values")
  func properties() async throws {
    try await store.commit([
      .propertyAdded(PropertyDefinition(name: "gpu", kind: .text)),
      .propertyAdded(PropertyDefinition(name: "mem", kind: .integer)),
    ])
    var resource = Resource(id: 1)
    resource.properties = ["gpu": .text("YES"), "mem": .integer(4)]
    try await store.commit([.resourceAdded(resource)])
    try await store.commit([.propertyRenamed("mem", to: "memory"), .propertyRemoved("gpu")])

    let cluster = try await reloaded(store, in: place)
    #expect(cluster.properties == [PropertyDefinition(name: "memory", kind: .integer)])
    #expect(cluster.resources.first?.properties == ["memory": .integer(4)])
  }

  @Test(
    "a property whose name is no plain name, or OAR's own, is refused",
    arguments: ["", "1x", "a b", "x\" integer; DROP TABLE jobs; --", "é", "state", "State"])
  func badProperty(name: String) async throws {
    await #expect(throws: StorageError.self) {
      try await store.commit([.propertyAdded(PropertyDefinition(name: name, kind: .text))])
    }
    await #expect(throws: StorageError.self) { try await store.commit([.propertyRemoved(name)]) }
    #expect(try await reloaded(store, in: place).properties.isEmpty)
  }

  @Test("queues come back as they were set, highest priority first")
  func queues() async throws {
    try await store.commit([
      .queueSet(Queue(name: "night", priority: 5, policy: "other", isActive: false)),
      .queueRemoved("besteffort"),
    ])
    #expect(
      try await reloaded(store, in: place).queues == [
        Queue(name: "admin", priority: 10),
        Queue(name: "night", priority: 5, policy: "other", isActive: false),
        Queue(name: "default", priority: 2),
      ])
  }

  @Test("a job without a request is set aside with a reason, the others come back")
  func brokenJob() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(5)]), .jobsSubmitted([sampleJob(6)])])
    await store.close()
    _ = try rows(
      "DELETE FROM moldable_job_descriptions WHERE moldable_job_id = 5", in: place)
    let again = try await newStore(in: place)
    let cluster = try await again.load()
    await again.close()
    #expect(cluster.jobs.map(\.id) == [6])
    #expect(cluster.problems.count == 1)
    #expect(cluster.problems.first?.contains("job 5") == true)
  }
}
