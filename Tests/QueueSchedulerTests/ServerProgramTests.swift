// liburnad started in Almighty's place, as a program on a real database: what it says and leaves when the
// database is in trouble at the start or later, or when somebody else serves already.

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

@Suite("liburnad on the database of an OAR 2", .serialized) struct ServerProgramTests {
  /// Jobs of this site have no processes, so they run though no host is there.
  private func makeSite(server: PostgreSQLServer? = nil) async throws -> ServedSite {
    let site = try await QueueSite(jobs: [1, 1], server: server)
    try site.database.execute(
      "INSERT INTO job_types (job_id, type) VALUES (1, 'noop'), (2, 'noop')")
    return try ServedSite(site)
  }

  @Test("a database in trouble at the start: 1, with what is wrong, and nothing is made in it")
  func start() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let name = site.database.name
    let before = try site.everything
    try await site.refused("DB_HOSTNAME=\"/nowhere\"", saying: "/nowhere")
    try await site.refused("DB_BASE_NAME=\"\(name)_not\"", saying: "DB_BASE_NAME")
    try await site.refused("DB_BASE_NAME=\"postgres\"", saying: "not a database of OAR")
    try await site.refused("DB_TYPE=\"mysql\"", saying: "PostgreSQL")
    try site.database.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    try await site.refused(saying: "read-only")
    let other = try TestClient(site.database)
    _ = try other.rows("SET default_transaction_read_only = off")
    _ = try other.rows("ALTER DATABASE \(name) RESET default_transaction_read_only")
    _ = try other.rows("CREATE ROLE \(name)_user LOGIN")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT 0")
    try await site.refused("DB_BASE_LOGIN=\"\(name)_user\"", saying: "too many connections")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT -1")
    try await site.refused("DB_BASE_LOGIN=\"\(name)_user\"", saying: "permission denied")
    #expect(try site.everything == before)
  }

  @Test("who serves already is left alone: another server on the port, a liburnad on the database")
  func second() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let before = try site.everything
    let almighty = try Listener(port: site.port)
    try await site.refused(saying: "a server answers at 127.0.0.1:\(site.port) already")
    try await site.refused(option: "--leave", saying: "stop OAR 2's Almighty")
    #expect(try site.everything == before)
    almighty.end()
    let first = try site.start()
    try await site.runs([1, 2])
    try await site.refused(saying: "a server answers")
    try await site.refused("SERVER_PORT=\"0\"", saying: "in use by another server")
    try await site.ends(first)
    #expect(try site.histories == ["1|1", "2|1"])
  }

  @Test(
    "a database that crashes while it is served: what is asked for is done when it is back, once")
  func crash() async throws {
    let server = try PostgreSQLServer()
    let site = try await makeSite(server: server)
    defer { site.remove() }
    let process = try site.start()
    try await site.runs([1, 2])
    try server.restart()
    try site.submit(3)
    try await site.runs([1, 2, 3])
    try server.stop()
    usleep(1_500_000)
    try server.start()
    try site.submit(4)
    try await site.runs([1, 2, 3, 4])
    try await site.ends(process)
    #expect(try site.histories == ["1|1", "2|1", "3|1", "4|1"])
  }

  @Test(
    "a database that becomes read-only, or takes nobody else: nothing half-written, then all of it")
  func later() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let name = site.database.name
    let other = try TestClient(site.database)
    _ = try other.rows("CREATE ROLE \(name)_user LOGIN")
    _ = try other.rows("GRANT ALL ON SCHEMA public TO \(name)_user")
    _ = try other.rows("GRANT ALL ON ALL TABLES IN SCHEMA public TO \(name)_user")
    _ = try other.rows("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(name)_user")
    let process = try site.start("DB_BASE_LOGIN=\"\(name)_user\"")
    try await site.runs([1, 2])
    // All at once, as when a primary becomes a standby: connections are cut and new ones can't write.
    _ = try other.rows("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    _ = try other.rows(Self.cut(name))
    _ = try other.rows(ServedSite.submission(3))
    usleep(1_500_000)
    #expect(try other.rows("SELECT state FROM jobs WHERE job_id = 3") == ["Waiting"])
    #expect(try other.rows("SELECT count(*) FROM assigned_resources") == ["2"])
    _ = try other.rows("ALTER DATABASE \(name) RESET default_transaction_read_only")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT 0")
    _ = try other.rows(Self.cut(name))
    usleep(1_500_000)
    #expect(try other.rows("SELECT state FROM jobs WHERE job_id = 3") == ["Waiting"])
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT -1")
    try await site.runs([1, 2, 3])
    let result = try await site.ends(process)
    #expect(result.stderr.contains("read-only"), "\(result)")
    #expect(try site.histories == ["1|1", "2|1", "3|1"])
  }

  private static func cut(_ name: String) -> String {
    """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = '\(name)' AND pid <> pg_backend_pid()
    """
  }

  @Test("an older schema, columns of the site's and rows with nonsense: the others run")
  func older() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    try site.site.makeOlder()
    try site.submit(3)
    try site.database.execute(
      "UPDATE moldable_job_descriptions SET moldable_walltime = -5 WHERE moldable_id = 1")
    let columns = try site.site.columns
    let process = try site.start()
    try await site.runs([2, 3])
    let result = try await site.ends(process)
    #expect(result.stderr.contains("job 1"), "\(result)")
    #expect(try site.site.columns == columns)
    #expect(try site.database.rows("SELECT state FROM jobs WHERE job_id = 1") == ["Waiting"])
  }
}
