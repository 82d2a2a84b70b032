// The end of a job and the one that repeats it, when the server dies in between.

import ClusterModel
import Glibc
import Storage
import Testing
import Wire

@testable import Controller

/// A shared store that gives no ids, and lets nothing through any more once the server is dead.
private actor DyingStore: SharedStorage {
  private let inner: any SharedStorage
  private var isDead = false

  init(_ inner: any SharedStorage) { self.inner = inner }

  private var living: any SharedStorage {
    get throws {
      if isDead { throw StorageError.full("the server is dead") }
      return inner
    }
  }

  func die() async {
    isDead = true
    await inner.close()
  }

  func load() async throws -> StoredCluster { try await living.load() }
  func commit(_ changes: [Change]) async throws { try await living.commit(changes) }
  func jobs(matching filter: JobFilter, limit: Int) async throws -> [JobRecord] {
    try await living.jobs(matching: filter, limit: limit)
  }
  func request(of job: JobID) async throws -> JobRequest? { try await living.request(of: job) }
  func events(_ filter: EventFilter) async throws -> [JobEvent] { try await living.events(filter) }
  func pastUse(from begin: Instant, to end: Instant) async throws -> [PastUse] {
    try await living.pastUse(from: begin, to: end)
  }
  func loadWithPlan() async throws -> (cluster: StoredCluster, plan: StoredPlan) {
    try await living.loadWithPlan()
  }
  func plan() async throws -> StoredPlan { try await living.plan() }
  func foreignChanges() async throws -> AsyncStream<ForeignChange>? {
    try await living.foreignChanges()
  }
  func liveJobs() async throws -> [JobID] { try await living.liveJobs() }
  func reserve(jobs: Int, moldables: Int) async throws -> (job: JobID, moldable: MoldableID) {
    throw StorageError.failed("no ids")
  }
  func close() async { if !isDead { await inner.close() } }
  func news(after mark: NewsMark) async throws -> News { try await living.news(after: mark) }
  func currentResources() async throws -> (
    resources: [Resource], properties: [PropertyDefinition]
  ) { try await living.currentResources() }
  func secrets(of job: JobID) async throws -> JobSecrets? { try await living.secrets(of: job) }
  func waitingClients() async throws -> [JobID: String] { try await living.waitingClients() }
  func hasDeletionsForLeon() async throws -> Bool { try await living.hasDeletionsForLeon() }
}

@Suite("Jobs that are submitted again, and a server that dies") struct ResubmissionTests {
  @Test(
    "a job has not ended before the one that repeats it is there, and the next server does both",
    arguments: ["Error", "Terminated"])
  func ours(_ state: String) async throws {
    // A job that asks to be repeated has to have run for a minute.
    let end =
      state == "Error"
      ? AttemptStatus.failed(.confinement, "no cgroup")
      : .ended(status: 99 << 8, cause: .command, at: time(nil) + 1000)
    var store: DyingStore?
    let first = try await SharedStage(wrap: {
      let dying = DyingStore($0)
      store = dying
      return dying
    })
    await first.connect("node1")
    try first.other.submit(1, types: ["idempotent"])
    await first.hear("Qsub")
    let attempt = AttemptID(job: 1, number: 1)
    if state == "Terminated" {
      await first.report(.attempt(attempt, .running(pid: 9, since: time(nil))), from: "node1")
    }
    await first.report(.attempt(attempt, end), from: "node1")
    #expect(try first.other.state(1) == (state == "Error" ? "Launching" : "Running"))
    #expect(try first.other.read("SELECT count(*) FROM jobs") == "1")
    await first.act { $0.hear(.disconnected("the server dies"), from: "node1") }
    await store?.die()
    let second = try await SharedStage(in: first.directory)
    await second.connect("node1", [attempt: end])
    try await eventually { try second.other.state(1) == state }
    let again = "SELECT count(*) FROM jobs WHERE resubmit_job_id = 1"
    #expect(try second.other.read(again) == "1")
    await first.endAlone()
    try await second.end()
  }

  @Test("the same for a job that OAR's programs ran: what they said counts as seen with its end")
  func oars() async throws {
    var store: DyingStore?
    let first = try await SharedStage(
      { try $0.run(1, on: [1, 2], state: "Launching") },
      wrap: {
        let dying = DyingStore($0)
        store = dying
        return dying
      })
    await first.connect("node1")
    try first.other.event("LAUNCHING_OAREXEC_TIMEOUT", 1)
    await first.hear("ChState")
    #expect(try first.other.state(1) == "Launching")
    #expect(
      try first.other.read("SELECT to_check FROM event_logs WHERE type LIKE 'LAUNCHING%'") == "YES")
    await first.act { $0.hear(.disconnected("the server dies"), from: "node1") }
    await store?.die()
    let second = try await SharedStage(in: first.directory)
    await second.connect("node1")
    await second.hear("ChState")
    try await eventually { try second.other.state(1) == "Error" }
    #expect(
      try second.other.read("SELECT count(*) FROM jobs WHERE resubmit_job_id = 1") == "1")
    #expect(
      try second.other.read("SELECT to_check FROM event_logs WHERE type LIKE 'LAUNCHING%'") == "NO")
    await first.endAlone()
    try await second.end()
  }
}
