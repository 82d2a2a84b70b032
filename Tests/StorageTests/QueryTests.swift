// Questions about jobs, live and ended.

import ClusterModel
import RequestLanguage
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Asking for jobs", .onEachStore)
struct QueryTests {
  let place: Place
  let store: DatabaseStorage

  /// Jobs 1 to 4: alice's ended one, bob's running one, alice's waiting ones.
  init() async throws {
    place = try Place()
    store = try await newStore(in: place)
    try await store.commit([
      .resourceAdded(sampleResource(1, host: "node2")),
      .resourceAdded(sampleResource(2, host: "node1")),
      .resourceAdded(sampleResource(3, host: "node2")), .resourceAdded(sampleResource(4, host: "")),
    ])
    var fourth = sampleJob(4)
    fourth.arrayID = 3
    fourth.arrayIndex = 2
    let bobs = sampleJob(2, request: sampleRequest(user: "bob", dependencies: [1]))
    let jobs = [sampleJob(1), bobs, sampleJob(3), fourth]
    try await store.commit(jobs.map { .jobsSubmitted([$0]) })
    try await store.commit([
      .jobAssigned(1, moldable: 11, index: 1, resources: [3, 1, 2, 4], at: 200),
      .event(JobEvent("SWITCH_INTO_TERMINATE_STATE", job: 1, at: 210, "ended", hosts: ["node1"])),
      .jobEnded(1, .terminated, exitStatus: 256, at: 210),
      .jobAssigned(2, moldable: 20, index: 0, resources: [2], at: 205),
      .jobState(2, .running, at: 206),
      .predictions([Prediction(moldable: 31, start: 888, resources: [1])], at: 207),
    ])
  }

  @Test("what ended jobs had is added up by user, project and queue, within the span alone")
  func pastUse() async throws {
    func use(from begin: Instant, to end: Instant) async throws -> [[Int]] {
      let past = try await store.pastUse(from: begin, to: end)
      #expect(
        past.allSatisfy { ($0.user, $0.project, $0.queue) == ("alice", "default", "default") })
      return past.map { [$0.used, $0.asked] }
    }
    // Job 1 had 4 resources from 200 to 210, with a walltime of 60; job 2 runs.
    #expect(try await use(from: 0, to: 1000) == [[40, 240]])
    #expect(try await use(from: 204, to: 1000) == [[24, 224]])
    #expect(try await use(from: 0, to: 205) == [[20, 20]])
    #expect(try await use(from: 210, to: 1000) == [])
    #expect(try await use(from: 0, to: 200) == [])
  }

  @Test("use is added up over many slices of jobs")
  func pastUseInSlices() async throws {
    let step = UsageReader.sliceLength
    for (id, first) in [(step, 100), (step + 1, 200), (3 * step + 9, 300)] {
      try await store.commit([.jobsSubmitted([sampleJob(id, firstMoldable: first)])])
      try await store.commit([
        .jobAssigned(id, moldable: first, index: 0, resources: [1], at: 300),
        .jobEnded(id, .error, exitStatus: 0, at: 305),
      ])
    }
    let past = try await store.pastUse(from: 250, to: 1000)
    #expect(past.map(\.used) == [15])
    await store.close()
    let empty = try Place()
    #expect(try await newStore(in: empty).pastUse(from: 0, to: 1000) == [])
  }

  @Test("the record of an ended job has all that it was and did")
  func endedRecord() async throws {
    let record = try #require(try await ask { $0.ids = [1] }.first)
    let request = sampleRequest()
    #expect(record.state == .terminated)
    #expect(record.moldables == request.moldables)
    #expect(record.types == ["idempotent", "container=c1"])
    #expect(record.assignedMoldable == 1)
    #expect(record.assignedResources == [1, 2, 3, 4])
    #expect(record.assignedHosts == ["node2", "node1"])
    #expect(record.exitCode == 256)
    #expect([record.submissionTime, record.startTime, record.stopTime] == [101, 200, 210])
    #expect(record.stdout == "OAR.1.out")
    #expect(record.stderr == "OAR.it's a name.err")
    #expect(record.initialRequest == request.initialRequest)
    #expect(record.properties == "mem > 4")
    #expect(record.events.map(\.type) == ["SWITCH_INTO_TERMINATE_STATE"])
    #expect(record.events.first?.hosts == ["node1"])
    #expect(record.scheduledStart == nil)
  }

  @Test("the record of a waiting job says when it is planned, in any of its shapes")
  func waitingRecord() async throws {
    let records = try await ask { $0.ids = [3, 4] }
    #expect(records.map(\.scheduledStart) == [888, nil])
    #expect(records.map(\.exitCode) == [nil, nil])
  }

  @Test("events are read only when jobs are asked for by number")
  func eventsByNumber() async throws {
    #expect(try await ask { $0.states = [.terminated] }.first?.events.isEmpty == true)
  }

  @Test("filters are taken together, and answers are by number within the limit")
  func filters() async throws {
    #expect(try await numbers { _ in } == [1, 2, 3, 4])
    #expect(try await numbers(limit: 2) { _ in } == [1, 2])
    #expect(try await numbers { $0.ids = [4, 1, 99, 1] } == [1, 4])
    #expect(try await numbers { $0.arrays = [3] } == [3, 4])
    #expect(try await numbers { $0.arrays = [3, 1] } == [1, 3, 4])
    #expect(try await numbers { $0.users = ["bob"] } == [2])
    #expect(try await numbers { $0.users = ["bob", "alice"] } == [1, 2, 3, 4])
    #expect(try await numbers { $0.states = [.waiting, .running] } == [2, 3, 4])
    #expect(try await numbers { $0.states = [.waiting, .terminated] } == [1, 3, 4])
    #expect(
      try await numbers {
        $0.users = ["alice"]
        $0.states = [.waiting]
        $0.arrays = [3]
        $0.ids = [1, 4]
      } == [4])
    #expect(try await numbers { $0.ids = [] } == [])
    #expect(try await numbers(limit: 0) { _ in } == [])
  }

  @Test("a user's name is a name, whatever it looks like")
  func strangeUser() async throws {
    #expect(try await numbers { $0.users = ["alice' OR '1'='1"] } == [])
  }

  @Test("a condition is on the columns of jobs")
  func condition() async throws {
    let condition = try PropertyExpression(
      parsing: "job_user = 'alice' AND (state = 'Terminated' OR array_index > 1)")
    #expect(try await numbers { $0.condition = condition } == [1, 4])
    #expect(
      try await numbers {
        $0.condition = condition
        $0.states = [.waiting]
      } == [4])
  }

  @Test("a condition on another column is refused", arguments: ["nothing = 1", "rowid = 1"])
  func unknownColumn(text: String) async throws {
    let condition = try PropertyExpression(parsing: text)
    let error = await #expect(throws: StorageError.self) {
      try await numbers { $0.condition = condition }
    }
    guard case .badCondition(let text)? = error else {
      Issue.record("\(String(describing: error)) is not about the condition")
      return
    }
    #expect(text.contains(text.hasPrefix("nothing") ? "nothing" : "rowid"))
  }

  @Test("a condition sees jobs of an array that have no rows yet")
  func conditionOverArray() async throws {
    let array = sampleArray(of: 2000, from: 100, firstMoldable: 1000)
    try await store.commit([.jobsSubmitted(array)])
    let condition = try PropertyExpression(parsing: "array_index > 1998")
    #expect(try await numbers { $0.condition = condition } == [2098, 2099])
  }

  @Test("the request of a job can be had after its end, to submit it again")
  func oldRequest() async throws {
    try await store.commit([.jobEnded(2, .error, exitStatus: nil, at: 300)])
    let old = try #require(try await store.request(of: 2))
    var job = sampleJob(2, request: old)
    let wanted = sampleJob(2, request: sampleRequest(user: "bob", dependencies: [1]))
    #expect(described(job) == described(wanted))
    #expect(try await store.request(of: 99) == nil)
    try await store.commit([.jobsSubmitted(sampleArray(of: 3000, from: 100, firstMoldable: 1000))])
    job.request = try #require(try await store.request(of: 3099))
    #expect(job.request.user == "alice")
  }

  @Test("the last events of a host come oldest first, within the limit")
  func hostEvents() async throws {
    for date in 1...5 {
      try await store.commit([
        .event(JobEvent("LOG_SUSPECTED", job: 0, at: date, "\(date)", hosts: ["node1", "node2"])),
        .event(JobEvent("LOG_SUSPECTED", job: 0, at: date, "other", hosts: ["node3"])),
      ])
    }
    let events = try await store.events(.host("node2", limit: 3))
    #expect(events.map(\.date) == [3, 4, 5])
    #expect(events.allSatisfy { $0.hosts == ["node1", "node2"] })
    #expect(try await store.events(.host("nowhere", limit: 3)).isEmpty)
  }

  private func ask(limit: Int = 100, _ fill: (inout JobFilter) -> Void) async throws -> [JobRecord]
  {
    var filter = JobFilter()
    fill(&filter)
    return try await store.jobs(matching: filter, limit: limit)
  }

  private func numbers(limit: Int = 100, _ fill: (inout JobFilter) -> Void) async throws -> [JobID]
  {
    try await ask(limit: limit, fill).map(\.id)
  }
}
