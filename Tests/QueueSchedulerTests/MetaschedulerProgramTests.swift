// kao called as Almighty calls its metascheduler, on a real database: whatever happens, it ends with a code
// that Almighty goes on after, says why, and has written all of a pass or nothing.

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

@Suite("kao as the metascheduler of a database", .serialized) struct MetaschedulerProgramTests {
  /// All queues are kao's own; nobody is where Almighty should be.
  static let settings = """
    METASCHEDULER_MODE="internal"
    SERVER_HOSTNAME="127.0.0.1"
    SERVER_PORT="1"
    """

  private func makeSite(_ jobs: [Int] = [1, 2, 4], server: PostgreSQLServer? = nil) async throws
    -> QueueSite
  {
    try await QueueSite(jobs: jobs, server: server, Self.settings)
  }

  /// Makes a pass that is in trouble, and checks what is the same for all of them.
  private func troubled(_ site: QueueSite, _ more: String = "", saying words: String) async throws {
    try site.configure(Self.settings + "\n" + more)
    let result = try await site.callKao()
    #expect(result.exitCode == 0 && result.stdout.isEmpty, "\(result)")
    #expect(result.lastError.contains("[error]") && result.lastError.contains(words), "\(result)")
    try Alarm.end()
  }

  @Test("a pass gives jobs their resources, and both copies of the plan hold the same")
  func pass() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let result = try await site.callKao()
    #expect(result.exitCode == 0, "\(result)")
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
    #expect(
      try site.database.rows("SELECT moldable_job_id FROM gantt_jobs_predictions_visu ORDER BY 1")
        == ["0", "1", "2", "3"])
  }

  @Test(
    "a database that is away, read-only, takes nobody else or denies something: 0, with what is wrong"
  )
  func trouble() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let name = site.database.name
    let before = try site.everything
    try await troubled(site, "DB_HOSTNAME=\"/nowhere\"", saying: "/nowhere")
    try await troubled(site, "DB_BASE_NAME=\"\(name)_not\"", saying: "does not exist")
    try await troubled(site, "DB_BASE_NAME=\"postgres\"", saying: "postgres")
    try site.database.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    try await troubled(site, saying: "read-only")
    let other = try TestClient(site.database)
    _ = try other.rows("SET default_transaction_read_only = off")
    _ = try other.rows("ALTER DATABASE \(name) RESET default_transaction_read_only")
    let user = "\(name)_kao"
    let login = "DB_BASE_LOGIN=\"\(user)\""
    _ = try other.rows("CREATE ROLE \(user) LOGIN")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT 0")
    try await troubled(site, login, saying: "too many connections")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT -1")
    try await troubled(site, login, saying: "permission denied")
    // It may do everything but one of the last steps of a pass.
    _ = try other.rows("GRANT ALL ON ALL TABLES IN SCHEMA public TO \(user)")
    _ = try other.rows("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(user)")
    _ = try other.rows("REVOKE INSERT, UPDATE, DELETE ON gantt_jobs_predictions_visu FROM \(user)")
    try await troubled(site, login, saying: "permission denied")
    #expect(try site.everything == before)
    try await server(of: site, isHealthyAgain: login, user, other)
  }

  private func server(
    of site: QueueSite, isHealthyAgain login: String, _ user: String, _ other: TestClient
  ) async throws {
    _ = try other.rows("GRANT ALL ON gantt_jobs_predictions_visu TO \(user)")
    try site.configure(Self.settings + "\n" + login)
    #expect(try await site.callKao().exitCode == 0)
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
  }

  @Test("when META_SCHED_CMD names OAR's own again, that one makes the pass; if it can't, kao does")
  func back() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let before = try site.everything
    // A program that ends with 1, where OAR's would be.
    let directory = "/tmp/liburna-own-\(getpid())"
    mkdir(directory, 0o755)
    let own = directory + "/oar_meta_sched"
    symlink("/bin/false", own)
    defer {
      unlink(own)
      rmdir(directory)
    }
    try site.configure(Self.settings + "\nMETA_SCHED_CMD=\"\(own)\"")
    let result = try await site.callKao()
    #expect(result.exitCode == 1 && result.stderr.contains("\(own) makes this pass"), "\(result)")
    #expect(try site.everything == before)
    unlink(own)
    let missing = try await site.callKao()
    #expect(missing.exitCode == 0 && missing.stderr.contains("kao goes on"), "\(missing)")
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
  }

  @Test("moldables whose numbers don't follow each other get their rows, from kao and from kamelot")
  func scattered() async throws {
    let site = try await makeSite([4, 4])
    defer { site.remove() }
    // Job 1 could run on 9 cores or, by a moldable of a far number, on 2; job 2 has the number between.
    try site.database.execute(
      """
      UPDATE job_resource_descriptions SET res_job_value = 9 WHERE res_job_group_id IN (
        SELECT res_group_id FROM job_resource_groups WHERE res_group_moldable_id = 1);
      INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
        VALUES (500, 1, 300);
      INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
        VALUES (500, 500, '');
      INSERT INTO job_resource_descriptions
        (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
        VALUES (500, 'core', 2, 0);
      """)
    #expect(try await site.call().exitCode == 0)
    #expect(try site.plan == ["2@300|1+2+3+4", "500@0|1+2"])
    let result = try await site.callKao()
    #expect(result.exitCode == 0, "\(result)")
    #expect(try site.started == ["1|toLaunch|1+2"])
    #expect(
      try site.database.rows("SELECT assigned_moldable_job FROM jobs WHERE job_id = 1") == ["500"])
    #expect(
      try site.database.rows(
        "SELECT moldable_job_id, count(*) FROM gantt_jobs_resources_visu GROUP BY 1 ORDER BY 1")
        == ["2|4", "500|2"])
    // The same from the plan of a scheduler of OAR 2's, and a pass later.
    #expect(try await site.callKao().exitCode == 0)
    #expect(
      try site.database.rows("SELECT moldable_job_id FROM gantt_jobs_predictions ORDER BY 1")
        == ["0", "2", "500"])
  }
}

// What happens in the middle of a pass.
extension MetaschedulerProgramTests {
  @Test(
    "a database that crashes and comes back in the middle of a pass: all of the pass is written")
  func restart() async throws {
    let server = try PostgreSQLServer()
    let site = try await makeSite(server: server)
    defer { site.remove() }
    let pass = try site.heldKao()
    try server.restart()
    let result = try await pass.finish()
    #expect(result.exitCode == 0, "\(result)")
    // As a rule by the same pass, which connects anew.
    if try site.started.isEmpty { #expect(try await site.callKao().exitCode == 0) }
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
    #expect(
      try site.database.rows("SELECT job_id FROM job_state_logs WHERE job_state = 'toLaunch'")
        .sorted() == ["1", "2"])
  }

  @Test(
    "a database that crashes in the middle of a pass and stays away: 0, nothing of it is written")
  func crashOfTheDatabase() async throws {
    let server = try PostgreSQLServer()
    let site = try await makeSite(server: server)
    defer { site.remove() }
    let before = try site.everything
    let pass = try site.heldKao()
    try server.stop()
    let result = try await pass.finish()
    #expect(result.exitCode == 0 && result.lastError.contains("no pass: "), "\(result)")
    try Alarm.end()
    try server.start()
    #expect(try site.everything == before)
  }

  @Test(
    "a pass that is ended by a signal: 0, nothing of it is written",
    arguments: [SIGKILL, SIGXCPU, SIGTERM])
  func crash(signal: Int32) async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let before = try site.everything
    let pass = try site.heldKao()
    kill(pass.worker, signal)
    let result = try await pass.finish()
    try pass.release()
    #expect(result.exitCode == 0 && result.stdout.isEmpty, "\(result)")
    #expect(result.stderr.contains("the pass ended by signal \(signal)"), "\(result)")
    #expect(try site.everything == before)
  }

  @Test("two at once: the second says so and leaves; the first's pass is whole")
  func atOnce() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let pass = try site.heldKao()
    try await troubled(site, saying: "metascheduler")
    try pass.release()
    let result = try await pass.finish()
    #expect(result.exitCode == 0, "\(result)")
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
  }

  @Test("many at once: each ends with 0, and every job has its resources once")
  func manyAtOnce() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    let processes = try (0..<4).map { _ in try site.startKao() }
    for process in processes {
      #expect(try await offThread { try process.finish() }.exitCode == 0)
    }
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
    try Alarm.end(isSet: false)
  }
}

extension CommandResult {
  /// The last line of what a program complained of.
  fileprivate var lastError: String {
    stderr.split(separator: "\n").last.map(String.init) ?? ""
  }
}

/// The process that asks for another pass after a while.
private enum Alarm {
  /// Lets it ask now, and so end.
  ///
  /// - Parameter isSet: whether there must be one.
  static func end(isSet: Bool = true) throws {
    let home = getpwuid(geteuid()).flatMap { $0.pointee.pw_dir }.map { String(cString: $0) } ?? "/"
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array((home + "/.liburna-kao-alarm").utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    for _ in 0..<(isSet ? 1000 : 1) {
      let sent = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(descriptor, "1", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      if sent == 1 { return }
      usleep(10_000)
    }
    if isSet { throw StoryError("no other pass is asked for") }
  }
}
