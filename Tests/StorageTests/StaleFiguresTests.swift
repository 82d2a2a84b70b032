// A database whose figures about its tables are older than their rows, as after every pass of OAR 2's: it plans
// questions as if the tables were empty.

import ClusterModel
import PostgreSQLFixture
import Testing

@testable import PostgreSQLStorage
@testable import SQLStorage
@testable import Storage

@Suite("Figures that are older than the rows")
struct StaleFiguresTests {
  private static let jobs = 2000
  private static let resourcesEach = 20

  /// Fills the tables of jobs and of the plan; job 7 is a reservation that waits.
  private static let fill = """
    INSERT INTO jobs (job_id, array_id, array_index, job_user, command, state, reservation, queue_name,
      launching_directory, checkpoint_signal)
      SELECT j, j, 1, 'alice', 'true', 'Waiting', CASE WHEN j = 7 THEN 'Scheduled' ELSE 'None' END,
        'default', '/', 0 FROM generate_series(1, \(jobs)) j;
    INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
      SELECT j, j, 600 FROM generate_series(1, \(jobs)) j;
    INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
      SELECT j, j, '' FROM generate_series(1, \(jobs)) j;
    INSERT INTO job_resource_descriptions
      (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
      SELECT j, 'core', \(resourcesEach), 0 FROM generate_series(1, \(jobs)) j;
    INSERT INTO gantt_jobs_predictions (moldable_job_id, start_time)
      SELECT j, 1000 + j FROM generate_series(1, \(jobs)) j;
    INSERT INTO gantt_jobs_resources (moldable_job_id, resource_id)
      SELECT j, r FROM generate_series(1, \(jobs)) j, generate_series(1, \(resourcesEach)) r;
    """

  private static let empty = """
    DELETE FROM jobs; DELETE FROM moldable_job_descriptions; DELETE FROM job_resource_groups;
    DELETE FROM job_resource_descriptions; DELETE FROM gantt_jobs_predictions;
    DELETE FROM gantt_jobs_resources;
    """

  @Test(
    "all is read and written in seconds: no question joins tables row by row",
    .timeLimit(.minutes(1)))
  func stale() async throws {
    let place = try StoreKind.$current.withValue(.postgreSQL) { try Place() }
    let database = try #require(place.database)
    await (try PostgreSQLStorage.open(database.settings, .ours, clock: { 1000 })).close()
    // The figures say: pages, and no rows.
    try database.execute(Self.fill)
    try database.execute(Self.empty)
    try database.execute("ANALYZE")
    try database.execute(Self.fill)
    let store = try await PostgreSQLStorage.open(database.settings, .shared, clock: { 1000 })
    let clock = ContinuousClock()
    let begin = clock.now
    let cluster = try await store.load()
    #expect(cluster.jobs.count == Self.jobs)
    let promised = cluster.jobs.filter { !$0.promised.isEmpty }
    #expect(promised.map(\.id) == [7])
    #expect(promised.first?.promised == Array(1...Self.resourcesEach))
    let plan = try await store.plan()
    #expect(plan.predictions.count == Self.jobs)
    let moved = plan.predictions.map {
      Prediction(moldable: $0.moldable, start: $0.start + 5, resources: [$0.moldable % 20 + 1])
    }
    try await store.commit([.withdrawn(Array(1...1000)), .placed(Array(moved[1000...]))])
    #expect(clock.now - begin < .seconds(120))
    #expect(try await store.plan().predictions == Array(moved[1000...]))
    await store.close()
  }
}
