// What others write to our server's own PostgreSQL database, and what the server makes of it at once.

import ClusterModel
import Glibc
import PostgreSQLFixture
import PostgreSQLStorage
import Storage
import Testing
import Wire

@testable import Controller

extension TestDatabase: DatabaseWriter {
  func write(_ sql: String) throws { try execute(sql) }
}

@Suite("What others write to the server's own database", .timeLimit(.minutes(2)))
struct OutsiderTests {
  @Test("resources, their properties and states, and queues are taken up")
  func site() async throws {
    let stage = try await OutsiderStage()
    try stage.database.write(
      """
      UPDATE resources SET core = 77 WHERE resource_id = 1;
      UPDATE queues SET state = 'notActive' WHERE queue_name = 'admin';
      INSERT INTO resources (network_address, core) VALUES ('node9', 99)
      """)
    await stage.await { $0.state.resources[1]?.properties["core"] == .integer(77) }
    await stage.await { $0.state.queues.contains { $0.name == "admin" && !$0.isActive } }
    await stage.await { $0.state.allHosts.contains("node9") }
    try stage.database.write("UPDATE resources SET state = 'Absent' WHERE resource_id = 1")
    await stage.await { $0.state.resources[1]?.state == .absent }
    try stage.database.write("UPDATE resources SET next_state = 'Alive' WHERE resource_id = 1")
    await stage.await { $0.state.resources[1]?.state == .alive }
    await stage.settle()
    #expect(
      try stage.database.rows("SELECT state, next_state FROM resources WHERE resource_id = 1") == [
        "Alive|UnChanged"
      ])
    #expect(
      try stage.database.rows(
        """
        SELECT value FROM resource_logs WHERE resource_id = 1 AND attribute = 'state'
        ORDER BY resource_log_id
        """) == ["Alive", "Absent", "Alive"])
    try await stage.end()
  }

  @Test("a job whose rows a script writes runs, and no job of ours gets its number")
  func jobs() async throws {
    let stage = try await OutsiderStage()
    try stage.database.beginSubmission(100)
    try stage.database.finishSubmission(100)
    await stage.await { $0.state.jobs[100]?.state == .launching }
    let ids = try await stage.submit()
    #expect(ids == [101])
    try stage.database.beginSubmission(300)
    await stage.await { $0.outsiders?.horizon.isMissing(300) == true }
    #expect(try await stage.submit() == [301])
    try stage.database.finishSubmission(300)
    await stage.await { $0.state.jobs[300] != nil }
    await stage.settle()
    #expect(try stage.database.rows("SELECT count(*) FROM jobs") == ["4"])
    try stage.database.write(
      "INSERT INTO frag_jobs (frag_id_job, frag_state) VALUES (100, 'LEON')")
    await stage.await { $0.state.jobs[100] == nil || $0.state.jobs[100]?.deletionAsked != 0 }
    try await stage.end()
  }

  @Test("what was written while nobody listened is found")
  func afterLoss() async throws {
    let stage = try await OutsiderStage()
    let other = TestDatabase(server: stage.database.server, name: "postgres")
    try other.write("ALTER DATABASE \(stage.database.name) ALLOW_CONNECTIONS false")
    defer { try? stage.database.server.dropDatabase(stage.database) }
    let writer = try #require(stage.writer)
    // All connections but the one that writes.
    _ = try writer.rows(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
      """)
    _ = try writer.rows("UPDATE resources SET core = 55 WHERE resource_id = 2")
    _ = try other.rows("ALTER DATABASE \(stage.database.name) ALLOW_CONNECTIONS true")
    await stage.await { $0.state.resources[2]?.properties["core"] == .integer(55) }
    try await stage.end(dropping: false)
  }
}

/// A server on a PostgreSQL database of its own, with played hosts.
private final class OutsiderStage: PlayedServer {
  let loop = EventLoop()
  let controller: Controller
  let database: TestDatabase
  /// A connection of somebody else's.
  let writer: TestClient?
  private let thread: pthread_t

  init() async throws {
    database = try PostgreSQLServer.shared().makeDatabase()
    let storage = try await PostgreSQLStorage.open(
      PostgreSQLSettings(Configuration(parsing: database.configuration)), .ours)
    try await writeResources(to: storage)
    writer = try TestClient(database)
    controller = try Controller(
      settings: settings("SCHEDULER_JOB_SECURITY_TIME=0\nLIBURNA_NODE_TIMEOUT=3600"),
      storage: storage, loop: loop)
    thread = Self.startThread(of: loop)
    try await controller.beginPlay()
    await settle()
  }

  func end(dropping: Bool = true) async throws {
    await controller.stop()
    pthread_join(thread, nil)
    if dropping { try database.server.dropDatabase(database) }
  }

  func settle() async {
    while await !controller.act({ !$0.committer.hasWork && !$0.committer.isWriting }) {
      await Task.yield()
    }
  }

  /// Waits until the server knows; the suite's time limit ends it.
  func await(_ condition: @Sendable (isolated Controller) -> Bool) async {
    while await !controller.act(condition), !Task.isCancelled { usleep(1000) }
  }

  /// Submits one job as our own commands do.
  func submit() async throws -> [JobID] {
    let ids = try await controller.act { controller in
      var outcome = Outcome()
      let result = try controller.state.submit(
        submission("core=1"), by: alice, settings: controller.settings, at: time(nil), &outcome)
      controller.commit(outcome)
      return [result.first]
    }
    await settle()
    return ids
  }
}

extension Controller {
  fileprivate func act<Value: Sendable>(
    _ body: @Sendable (isolated Controller) throws -> Value
  ) rethrows -> Value { try body(self) }
}
