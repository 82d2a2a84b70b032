// The database of another server: read and written as it is, with older tables, columns of the site's, and
// rows that make no sense.

import ClusterModel
import PostgreSQLFixture
import Testing

@testable import PostgreSQLStorage
@testable import SQLStorage
@testable import Storage

@Suite("A database that others write")
struct SharedDatabaseTests {
  let place: Place
  let database: TestDatabase

  init() throws {
    place = try StoreKind.$current.withValue(.postgreSQL) { try Place() }
    database = try #require(place.database)
  }

  private func open(_ manner: Manner = .shared) async throws -> DatabaseStorage {
    try await PostgreSQLStorage.open(database.settings, manner, clock: { 1000 })
  }

  /// As OAR 2.4 left it: without our tables, and with fewer columns.
  private func makeOlder() throws {
    for table in liburnaSchema { try database.execute("DROP TABLE \(table.name)") }
    try database.execute(
      """
      DROP TABLE walltime_change;
      ALTER TABLE jobs DROP COLUMN array_index, DROP COLUMN scheduler_info;
      ALTER TABLE resources DROP COLUMN drain, DROP COLUMN last_available_upto;
      """)
  }

  private func fill() async throws {
    let store = try await open(.ours)
    try await store.commit((1...4).map { .resourceAdded(sampleResource($0)) })
    try await store.commit((1...3).map { .jobsSubmitted([sampleJob($0)]) })
    await store.close()
  }

  @Test("an older schema is read with what its columns would hold, and written without them")
  func olderSchema() async throws {
    try await fill()
    try makeOlder()
    let tables = try database.rows("SELECT tablename FROM pg_tables ORDER BY 1")
    let store = try await open()
    let cluster = try await store.load()
    #expect(cluster.problems == [])
    #expect(cluster.jobs.map(\.arrayIndex) == [1, 1, 1])
    #expect(cluster.resources.map(\.drain) == [false, false, false, false])
    let new = try await store.reserve(jobs: 1, moldables: 2)
    try await store.commit([
      .jobsSubmitted([sampleJob(new.job, firstMoldable: new.moldable)]),
      .walltimeChange(1, WalltimeChange(pending: 5)), .jobEnded(2, .error, exitStatus: nil, at: 9),
    ])
    #expect(try await store.load().jobs.map(\.id) == [1, 3, 4])
    #expect(try await store.jobs(matching: JobFilter(), limit: 10).count == 4)
    #expect(try await store.request(of: 4)?.user == "alice")
    #expect(try database.rows("SELECT tablename FROM pg_tables ORDER BY 1") == tables)
    await store.close()
  }

  @Test("a server of ours beside OAR 2 gets its own tables, and alters none of OAR's")
  func withOurTables() async throws {
    try await fill()
    try makeOlder()
    let columns = """
      SELECT table_name, column_name FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name NOT LIKE 'liburna%' ORDER BY 1, 2
      """
    let before = try database.rows(columns)
    let store = try await open(.sharedWithOurTables)
    #expect(try database.rows(columns) == before)
    #expect(try database.rows("SELECT value FROM liburna_facts WHERE name = 'layout'") == ["1"])
    // Whole arrays would be missed by OAR's commands.
    let new = try await store.reserve(jobs: 100, moldables: 100)
    try await store.commit([
      .jobsSubmitted(sampleArray(of: 100, from: new.job, firstMoldable: new.moldable))
    ])
    #expect(try database.rows("SELECT count(*) FROM jobs") == ["103"])
    await store.close()
  }

  @Test("columns of the site are read whatever their type")
  func siteColumns() async throws {
    try await fill()
    try database.execute(
      """
      ALTER TABLE resources ADD COLUMN gpu integer, ADD COLUMN "Rack Name" varchar(20),
        ADD COLUMN price numeric(6,2) DEFAULT 1.25, ADD COLUMN fast boolean DEFAULT true,
        ADD COLUMN since timestamp DEFAULT '2020-01-02 03:04:05';
      UPDATE resources SET gpu = 4 WHERE resource_id = 1;
      """)
    let store = try await open()
    let cluster = try await store.load()
    let properties = try #require(cluster.resources.first?.properties)
    #expect(properties["gpu"] == .integer(4))
    #expect(properties["Rack Name"] == .null)
    #expect(properties["price"] == .text("1.25"))
    #expect(properties["fast"] == .text("true"))
    #expect(properties["since"] == .text("2020-01-02 03:04:05"))
    #expect(cluster.properties.first { $0.name == "gpu" }?.kind == .integer)
    await store.close()
  }

  @Test("rows that make no sense are set aside with a sentence each, and the rest comes")
  func nonsense() async throws {
    try await fill()
    try database.execute(
      """
      ALTER TABLE jobs DROP CONSTRAINT jobs_state_check;
      ALTER TABLE resources DROP CONSTRAINT resources_state_check;
      INSERT INTO resources (resource_id, state) VALUES (90, 'Sleepy'), (-5, 'Alive');
      INSERT INTO jobs (job_id, state, launching_directory, checkpoint_signal, queue_name)
        VALUES (20, 'Waiting', '', 0, 'default'), (21, 'Dreaming', '', 0, 'default'),
          (22, 'Waiting', '', 0, 'default'), (23, 'Waiting', '', 0, 'default'),
          (24, 'Waiting', '', 0, 'default'), (-7, 'Waiting', '', 0, 'default');
      INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
        VALUES (900, 22, -1), (901, 23, 60), (902, 24, 60), (903, -7, 60), (904, 77777, 60);
      INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
        VALUES (900, 900, NULL), (901, 901, NULL), (902, 902, NULL), (903, 903, '');
      INSERT INTO job_resource_descriptions
          (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
        VALUES (900, 'core', 1, 0), (901, 'core', -9, 0), (902, 'core', 1, -4), (903, 'core', 1, 0);
      UPDATE jobs SET start_time = -3 WHERE job_id = 3;
      UPDATE jobs SET queue_name = 'gone' WHERE job_id = 2;
      UPDATE jobs SET command = NULL, stdout_file = NULL, assigned_moldable_job = NULL
        WHERE job_id = 24;
      INSERT INTO job_types (job_id, type) VALUES (77777, 'besteffort');
      INSERT INTO gantt_jobs_resources VALUES (904, 1), (555, 2);
      """)
    let store = try await open()
    let cluster = try await store.load()
    #expect(cluster.jobs.map(\.id) == [1, 2, 24])
    #expect(cluster.resources.map(\.id) == [1, 2, 3, 4])
    for word in [
      "resource 90 ", "resource -5 ", "job 20 ", "Dreaming", "job 22 ", "job 23 ", "job -7 ",
      "job 3 ", "\"gone\"",
    ] {
      #expect(cluster.problems.contains { $0.contains(word) }, "\(word): \(cluster.problems)")
    }
    #expect(try await store.plan().predictions.map(\.moldable) == [555, 904])
    await store.close()
  }

  @Test("moldables that others numbered at the same time stay with their jobs")
  func scatteredMoldables() async throws {
    try await fill()
    try database.execute(
      """
      UPDATE job_resource_groups SET res_group_moldable_id = 500 WHERE res_group_moldable_id = 11;
      UPDATE moldable_job_descriptions SET moldable_id = 500 WHERE moldable_id = 11;
      """)
    let store = try await open()
    let job = try #require(try await store.load().jobs.first)
    #expect(job.firstMoldableID == 10 && job.moldableID(at: 1) == 500)
    try await store.commit([
      .jobAssigned(1, moldable: 500, index: 1, resources: [2], at: 50),
      .jobState(1, .launching, at: 51), .jobState(1, .running, at: 52),
    ])
    let running = try #require(try await store.load().jobs.first)
    #expect(running.assignedMoldable == 1 && running.assignedResources == [2])
    var filter = JobFilter()
    filter.ids = [1]
    #expect(try await store.jobs(matching: filter, limit: 1).first?.assignedMoldable == 1)
    await store.close()
  }

  @Test("numbers are consecutive while others take some")
  func reservedNumbers() async throws {
    let store = try await open()
    let database = database
    let others = Task.detached {
      let client = try TestClient(database)
      for _ in 0..<300 { _ = try client.rows("SELECT nextval('jobs_job_id_seq')") }
    }
    var last = 0
    for _ in 0..<30 {
      let first = try await store.reserve(jobs: 10, moldables: 3).job
      #expect(first > last)
      last = first + 9
    }
    try await others.value
    #expect(
      try database.rows("SELECT last_value > \(last - 1) FROM jobs_job_id_seq") == ["t"])
    await store.close()
  }

  @Test("places of a queue are added to the plan, and replace those of the same moldables alone")
  func places() async throws {
    try database.execute(
      """
      UPDATE gantt_jobs_predictions SET start_time = 77;
      INSERT INTO gantt_jobs_predictions VALUES (5, 100), (6, 100);
      INSERT INTO gantt_jobs_resources VALUES (5, 1), (6, 2), (6, 3);
      """)
    let store = try await open()
    try await store.commit([
      .placed([
        Prediction(moldable: 6, start: 200, resources: [3, 4]),
        Prediction(moldable: 7, start: 300, resources: [1]),
      ])
    ])
    let plan = try await store.plan()
    #expect(plan.date == 77)
    #expect(
      plan.predictions == [
        Prediction(moldable: 5, start: 100, resources: [1]),
        Prediction(moldable: 6, start: 200, resources: [3, 4]),
        Prediction(moldable: 7, start: 300, resources: [1]),
      ])
    #expect(try database.rows("SELECT count(*) FROM gantt_jobs_predictions_visu") == ["1"])
    await store.close()
  }

  @Test("a plan is written over whatever others left in the tables")
  func planOfOthers() async throws {
    let store = try await open()
    let plan = (1...50).map { Prediction(moldable: $0, start: 10 * $0, resources: [$0, $0 + 1]) }
    try await store.commit([.predictions(plan, at: 5)])
    try database.execute(
      """
      DELETE FROM gantt_jobs_predictions WHERE moldable_job_id < 10;
      INSERT INTO gantt_jobs_resources VALUES (3, 999), (4000, 1);
      INSERT INTO gantt_jobs_predictions_visu VALUES (4000, 1);
      """)
    try await store.commit([.predictions(plan, at: 6)])
    #expect(try await store.plan() == StoredPlan(date: 6, predictions: plan))
    #expect(
      try database.rows("SELECT * FROM gantt_jobs_resources ORDER BY 1, 2")
        == database.rows("SELECT * FROM gantt_jobs_resources_visu ORDER BY 1, 2"))
    await store.close()
  }

  @Test("state and plan are of one instant, whatever others write between the two")
  func oneInstant() async throws {
    try await fill()
    let store = try await open()
    let plan = [Prediction(moldable: 10, start: 50, resources: [1])]
    try await store.commit([.predictions(plan, at: 5)])
    let other = try TestClient(database)
    _ = try other.rows("BEGIN; LOCK TABLE gantt_jobs_predictions")
    let reading = Task { try await store.loadWithPlan() }
    try other.awaitWaiter()
    _ = try other.rows(
      """
      UPDATE jobs SET state = 'Terminated' WHERE job_id = 1;
      DELETE FROM gantt_jobs_predictions; DELETE FROM gantt_jobs_resources; COMMIT
      """)
    let read = try await reading.value
    #expect(read.cluster.jobs.map(\.id) == [1, 2, 3])
    #expect(read.plan == StoredPlan(date: 5, predictions: plan))
    #expect(try await store.plan() == StoredPlan())
    await store.close()
  }

  @Test("many messages are one statement, and the last one counts")
  func messages() async throws {
    try await fill()
    let store = try await open()
    try await store.commit([
      .jobMessage(1, "a"), .jobMessage(2, "{\"b\", \\}"), .jobMessage(1, "c"),
    ])
    #expect(
      try await store.load().jobs.map(\.message) == ["c", "{\"b\", \\}", sampleJob(3).message])
    await store.close()
  }
}
