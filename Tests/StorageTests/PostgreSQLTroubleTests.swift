// A PostgreSQL server that is away, ends in the middle, or refuses: each with a sentence that says so, and
// nothing half-written.

import ClusterModel
import Glibc
import PostgreSQLFixture
import Testing

@testable import PostgreSQLStorage
@testable import SQLStorage
@testable import Storage

@Suite("Trouble with PostgreSQL", .serialized)
struct PostgreSQLTroubleTests {
  /// It is stopped, filled up and locked, so no other suite may use it.
  private static let server = Result {
    try PostgreSQLServer(settings: "max_connections = 7\nsuperuser_reserved_connections = 0")
  }

  let database: TestDatabase
  let settings: PostgreSQLSettings

  init() throws {
    database = try Self.server.get().makeDatabase()
    var settings = database.settings
    settings.patience = .milliseconds(300)
    settings.lockLimit = 200
    self.settings = settings
  }

  private func open(_ manner: Manner = .ours) async throws -> DatabaseStorage {
    try await PostgreSQLStorage.open(settings, manner, clock: { 1000 })
  }

  /// The sentence of a refusal, which says that it may go away.
  private func refusal(_ body: () async throws -> Void) async throws -> String {
    let error = await #expect(throws: StorageError.self) { try await body() }
    guard case .full(let text)? = error else {
      Issue.record("\(String(describing: error)) does not say that it may be tried again")
      return ""
    }
    return text
  }

  @Test("a database that is away at the start is named, with what to look at")
  func awayAtStart() async throws {
    var nowhere = settings
    nowhere.host = database.server.folder + "/nowhere"
    let text = try await refusal { _ = try await PostgreSQLStorage.open(nowhere, .ours) }
    #expect(text.contains("can't be reached") && text.contains("DB_HOSTNAME"), "\(text)")
  }

  @Test("while the database is away nothing is written, and when it is back everything can be")
  func awayLater() async throws {
    let store = try await open()
    try await store.commit([.jobsSubmitted([sampleJob(1)])])
    try database.server.stop(atOnce: false)
    let text = try await refusal { try await store.commit([.jobsSubmitted([sampleJob(2)])]) }
    #expect(text.contains("can't be reached"), "\(text)")
    _ = try await refusal { _ = try await store.load() }
    try database.server.start()
    try await store.commit([.jobsSubmitted([sampleJob(2)])])
    #expect(try await store.load().jobs.map(\.id) == [1, 2])
    await store.close()
  }

  @Test("a database that was restarted between two commits is not noticed")
  func restartedBetween() async throws {
    let store = try await open()
    try await store.commit([.jobsSubmitted([sampleJob(1)])])
    try database.server.restart()
    try await store.commit([.jobsSubmitted([sampleJob(2)])])
    try database.server.restart()
    #expect(try await store.load().jobs.map(\.id) == [1, 2])
    await store.close()
  }

  @Test("commits while the database crashes again and again are written once or refused whole")
  func restartedWithin() async throws {
    let store = try await open()
    let server = database.server
    let crashes = Task.detached {
      for _ in 0..<4 {
        usleep(200_000)
        try server.restart()
      }
    }
    let done = Task.detached { try? await crashes.value }
    var next = 1
    var refusals = 0
    let deadline = ContinuousClock.now + .seconds(60)
    while next <= 4000, .now < deadline {
      do {
        // Each is its own proof: a job that is there already can't be submitted again.
        try await store.commit((next..<next + 20).map { .jobsSubmitted([sampleJob($0)]) })
        next += 20
      } catch StorageError.full { refusals += 1 }
    }
    await done.value
    #expect(next > 4000, "\(refusals) commits were refused")
    #expect(try await store.load().jobs.map(\.id) == Array(1..<next))
    #expect(try database.rows("SELECT count(*) FROM job_state_logs") == ["\(next - 1)"])
    await store.close()
  }

  @Test("a database that is read-only is written when it is that no more")
  func readOnly() async throws {
    let store = try await open()
    try database.execute(
      "ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
    try database.dropConnections()
    let text = try await refusal { try await store.commit([.jobsSubmitted([sampleJob(1)])]) }
    #expect(text.contains("read-only"), "\(text)")
    try TestDatabase(server: database.server, name: "postgres").execute(
      "ALTER DATABASE \(database.name) RESET default_transaction_read_only")
    try database.dropConnections()
    try await store.commit([.jobsSubmitted([sampleJob(1)])])
    #expect(try await store.load().jobs.map(\.id) == [1])
    await store.close()
  }

  @Test("a server without a connection left says so")
  func outOfConnections() async throws {
    var clients: [TestClient] = []
    while clients.count < 20, let client = try? TestClient(database) { clients.append(client) }
    #expect(clients.count < 20)
    let text = try await refusal { _ = try await open() }
    #expect(text.contains("max_connections"), "\(text)")
    clients.removeAll()
    await (try open()).close()
  }

  @Test("a user without the right to write may read, and is named")
  func permissionDenied() async throws {
    let store = try await open()
    try await store.commit([.jobsSubmitted([sampleJob(1)])])
    await store.close()
    try? database.execute("CREATE ROLE reader LOGIN")
    try database.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    var reading = settings
    reading.user = "reader"
    let reader = try await PostgreSQLStorage.open(reading, .shared)
    #expect(try await reader.load().jobs.map(\.id) == [1])
    let text = try await refusal { try await reader.commit([.jobMessage(1, "new")]) }
    #expect(text.contains("reader") && text.contains("GRANT"), "\(text)")
    #expect(try await reader.load().jobs.first?.message == sampleJob(1).message)
    await reader.close()
  }

  @Test("a wrong password and an unknown database are said, with the variable to look at")
  func wrongAccess() async throws {
    try? database.execute("CREATE ROLE secured LOGIN PASSWORD 'right'")
    let access = database.server.folder + "/data/pg_hba.conf"
    try write(
      Array("local all secured scram-sha-256\nlocal all all trust\n".utf8), to: access)
    try database.execute("SELECT pg_reload_conf()")
    var wrong = settings
    wrong.user = "secured"
    wrong.password = "wr0ng-secret"
    let first = await #expect(throws: StorageError.self) {
      _ = try await PostgreSQLStorage.open(wrong, .shared)
    }
    #expect(first?.description.contains("DB_BASE_PASSWD") == true, "\(String(describing: first))")
    #expect(first?.description.contains("wr0ng-secret") == false)
    var unknown = settings
    unknown.database = "nosuch"
    let second = await #expect(throws: StorageError.self) {
      _ = try await PostgreSQLStorage.open(unknown, .shared)
    }
    #expect(second?.description.contains("DB_BASE_NAME") == true, "\(String(describing: second))")
  }

  @Test("a lock that another program holds is waited for a while, and named")
  func locked() async throws {
    let store = try await open()
    let other = try TestClient(database)
    _ = try other.rows("BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
    let text = try await refusal { try await store.commit([.jobsSubmitted([sampleJob(1)])]) }
    #expect(text.contains("lock"), "\(text)")
    _ = try other.rows("ROLLBACK")
    try await store.commit([.jobsSubmitted([sampleJob(1)])])
    #expect(try await store.load().jobs.map(\.id) == [1])
    await store.close()
  }

  @Test("a second server leaves with a message, and may come when the first has gone")
  func secondServer() async throws {
    let store = try await open()
    let error = await #expect(throws: StorageError.self) { _ = try await open() }
    #expect(error?.description.contains("in use by another server") == true)
    await store.close()
    await (try open()).close()
  }

  @Test("a database that is not OAR's is left as it is", arguments: [Manner.ours, .shared])
  func foreign(manner: Manner) async throws {
    try database.execute("CREATE TABLE jobs (id integer)")
    let error = await #expect(throws: StorageError.self) { _ = try await open(manner) }
    #expect(error?.description.contains("not a database of OAR") == true)
    #expect(
      try database.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == ["1"])
  }
}

extension TestDatabase {
  /// Ends all other connections to it.
  func dropConnections() throws {
    try execute(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '\(name)' AND pid <> pg_backend_pid()
      """)
  }
}
