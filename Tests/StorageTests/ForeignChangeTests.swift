// A database of our own tells what others write, and nothing of what the store writes itself.

import ClusterModel
import PostgreSQLFixture
import Storage
import Testing

@testable import PostgreSQLStorage
@testable import SQLStorage

@Suite("What others write to a database of our own")
struct ForeignChangeTests {
  /// The store on a new database, and what it hears.
  private func listeningStore() async throws -> (
    database: TestDatabase, store: DatabaseStorage, words: AsyncStream<ForeignChange>.Iterator
  ) {
    let database = try PostgreSQLServer.shared().makeDatabase()
    let store = try await PostgreSQLStorage.open(database.settings, .ours)
    var words = try #require(try await store.foreignChanges()).makeAsyncIterator()
    #expect(await words.next(isolation: #isolation) == .listening)
    return (database, store, words)
  }

  @Test("is told when it is committed, with the tables", .timeLimit(.minutes(1)))
  func told() async throws {
    var (database, store, words) = try await listeningStore()
    // In the order of the commits: had ours been told, it would come first.
    try await store.commit([
      .resourceAdded(sampleResource(1)), .jobsSubmitted([sampleJob(1)]),
      .queueSet(Queue(name: "fast", priority: 9, policy: "kamelot", isActive: true)),
      .event(JobEvent("TEST", job: 1, at: 1, "one")), .jobDeletion(1, .asked, at: 2),
    ])
    try database.execute(
      """
      BEGIN; UPDATE resources SET cpuset = '7'; UPDATE queues SET priority = 1;
      UPDATE queues SET priority = 2; COMMIT
      """)
    #expect(await words.next(isolation: #isolation) == .written(["resources", "queues"]))
    try database.execute("BEGIN; UPDATE resources SET cpuset = '8'; ROLLBACK")
    try database.execute("UPDATE frag_jobs SET frag_state = 'LEON'")
    #expect(await words.next(isolation: #isolation) == .written(["frag_jobs"]))
    await store.close()
    #expect(await words.next(isolation: #isolation) == nil)
    try database.server.dropDatabase(database)
  }

  @Test("is told again after the connection was lost", .timeLimit(.minutes(1)))
  func reconnects() async throws {
    var (database, store, words) = try await listeningStore()
    try database.dropConnections()
    guard case .lost = await words.next(isolation: #isolation) else {
      Issue.record("the loss was not told")
      return
    }
    #expect(await words.next(isolation: #isolation) == .listening)
    try database.execute("UPDATE queues SET priority = 5 WHERE queue_name = 'default'")
    #expect(await words.next(isolation: #isolation) == .written(["queues"]))
    try await store.commit([.resourceAdded(sampleResource(1))])
    await store.close()
    try database.server.dropDatabase(database)
  }

  @Test("a database that was made before gets the triggers once")
  func older() async throws {
    var (database, store, _) = try await listeningStore()
    await store.close()
    let count = "SELECT count(*) FROM pg_trigger WHERE tgname = 'liburna_changes'"
    let all = try database.rows(count)
    #expect(all == ["\(ChangeTriggers.tables.count)"])
    try database.execute("DROP FUNCTION liburna_tell() CASCADE")
    for _ in 1...2 {
      store = try await PostgreSQLStorage.open(database.settings, .ours)
      await store.close()
      #expect(try database.rows(count) == all)
    }
    try database.server.dropDatabase(database)
  }

  @Test("in the database of an OAR server there are no triggers, and nothing is told")
  func shared() async throws {
    let (database, store, _) = try await listeningStore()
    await store.close()
    try database.execute(
      """
      DROP FUNCTION liburna_tell() CASCADE;
      DROP TABLE liburna_facts, liburna_jobs, liburna_arrays, liburna_array_requests
      """)
    for manner in [Manner.shared, .sharedWithOurTables] {
      let store = try await PostgreSQLStorage.open(database.settings, manner)
      #expect(try await store.foreignChanges() == nil)
      await store.close()
    }
    #expect(try database.rows("SELECT * FROM pg_trigger WHERE tgname = 'liburna_changes'") == [])
    try database.server.dropDatabase(database)
  }
}
