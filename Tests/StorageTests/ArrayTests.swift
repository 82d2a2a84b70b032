// Large arrays are accepted as one row and become OAR's rows later; nobody can tell the difference.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Large arrays", .onEachStore)
struct ArrayTests {
  let place: Place
  let store: DatabaseStorage

  init() async throws {
    place = try Place()
    store = try await newStore(in: place)
  }

  @Test("the jobs of an array come back as they were submitted, with one request")
  func reload() async throws {
    let jobs = sampleArray(of: 500, from: 11, firstMoldable: 21)
    try await store.commit([.jobsSubmitted(jobs)])
    let cluster = try await reloaded(store, in: place)
    #expect(cluster.jobs.map(described) == jobs.map(described))
    #expect(Set(cluster.jobs.map { ObjectIdentifier($0.request) }).count == 1)
    #expect(cluster.nextJob == 511)
    #expect(cluster.nextMoldable == 521)
  }

  @Test("closing leaves the rows that one submission for each job would leave")
  func rowsAfterClosing() async throws {
    let jobs = sampleArray(of: 200, from: 1)
    try await store.commit([.jobsSubmitted(jobs)])
    await store.close()
    let other = try Place()
    let single = try await newStore(in: other)
    try await single.commit(jobs.map { .jobsSubmitted([$0]) })
    await single.close()

    for table in oarSchema where table.name != "challenges" {
      let sql = "SELECT * FROM \(table.name)"
      #expect(try rows(sql, in: place) == rows(sql, in: other))
    }
    #expect(try rows("SELECT count(*) FROM challenges", in: place) == ["200"])
    #expect(try rows("SELECT count(*) FROM liburna_arrays", in: place) == ["0"])
    #expect(try rows("SELECT count(*) FROM liburna_array_requests", in: place) == ["0"])
  }

  @Test("a job can be changed before its rows are written, in the same commit even")
  func changeWithoutRows() async throws {
    var jobs = sampleArray(of: 3000, from: 1)
    try await store.commit([
      .jobsSubmitted(jobs), .jobState(2990, .hold, at: 600),
      .jobAssigned(2500, moldable: 2500, index: 0, resources: [1], at: 601),
    ])
    try await store.commit([.jobEnded(2000, .error, exitStatus: nil, at: 602)])
    jobs[2989].state = .hold
    jobs[2499].state = .toLaunch
    jobs[2499].startTime = 601
    jobs[2499].assignedMoldable = 0
    jobs[2499].assignedResources = [1]
    jobs.remove(at: 1999)
    #expect(try await store.load().jobs.map(described) == jobs.map(described))
    #expect(try await reloaded(store, in: place).jobs.map(described) == jobs.map(described))
  }

  @Test("an array that was refused with its commit is not there, nor written later")
  func refusedArray() async throws {
    await #expect(throws: StorageError.self) {
      try await store.commit([.jobsSubmitted(sampleArray(of: 100, from: 1)), .jobMessage(999, "")])
    }
    #expect(try await store.load().jobs.isEmpty)
    #expect(try await reloaded(store, in: place).jobs.isEmpty)
  }

  @Test("jobs without rows are answered for like any other")
  func records() async throws {
    let jobs = sampleArray(of: 5000, from: 1)
    let plan = Prediction(moldable: 4999, start: 777, resources: [1])
    try await store.commit([.jobsSubmitted(jobs), .predictions([plan], at: 700)])
    var filter = JobFilter()
    filter.ids = [4999]
    let early = try await store.jobs(matching: filter, limit: 10)
    while await !store.isComplete() { await Task.yield() }
    let late = try await store.jobs(matching: filter, limit: 10)
    #expect(early.map(described) == late.map(described))
    #expect(early.first?.scheduledStart == 777)
    #expect(early.first?.stdout == "OAR.4999.out")
    await store.close()
  }

  @Test("a list over jobs with and without rows is in order and within its limit")
  func mixedList() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(6000, firstMoldable: 90000)])])
    try await store.commit([
      .jobsSubmitted(sampleArray(of: 5000, from: 1)), .jobState(4500, .hold, at: 1),
    ])
    var filter = JobFilter()
    filter.users = ["alice"]
    #expect(
      try await store.jobs(matching: filter, limit: 9000).map(\.id) == Array(1...5000) + [6000])
    #expect(try await store.jobs(matching: filter, limit: 7).map(\.id) == Array(1...7))
    filter.states = [.hold]
    #expect(try await store.jobs(matching: filter, limit: 9000).map(\.id) == [4500])
    filter.states = nil
    filter.users = ["bob"]
    #expect(try await store.jobs(matching: filter, limit: 9000).isEmpty)
    await store.close()
  }
}
