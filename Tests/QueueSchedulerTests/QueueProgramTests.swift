// kamelot called as OAR's metascheduler calls the scheduler of a queue, on a real database: what it writes,
// and how it ends whatever happens to it.

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

@Suite("kamelot QUEUE EPOCH DATE", .serialized) struct QueueProgramTests {
  @Test("jobs get places and messages; row 0, the copies and everything else stay")
  func places() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    let result = try await site.call()
    #expect(result.exitCode == 0)
    #expect(result.stdout == "")
    #expect(try site.plan == ["1@0|1", "2@0|2+3", "3@600|1+2+3+4"])
    #expect(
      try site.database.rows("SELECT message FROM jobs ORDER BY job_id") == [
        "R=1,W=0:10:0,J=B (FIFO)", "R=2,W=0:10:0,J=B (FIFO)", "R=4,W=0:10:0,J=B (FIFO)",
      ])
    #expect(
      try site.database.rows("SELECT * FROM gantt_jobs_predictions_visu WHERE moldable_job_id <> 0")
        .isEmpty)
    #expect(
      try site.database.rows(
        "SELECT start_time FROM gantt_jobs_predictions WHERE moldable_job_id = 0")
        == ["\(QueueSite.now)"])
  }

  @Test("a pass that would write what is there already writes nothing")
  func nothingNew() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    _ = try await site.call()
    let before = try site.everything
    #expect(try await site.call().exitCode == 0)
    #expect(try site.everything == before)
  }

  @Test(
    "a job that is being submitted is passed over without a word; one that waits half written is told"
  )
  func halfWritten() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    try site.database.execute(
      """
      INSERT INTO jobs (job_id, state, queue_name, launching_directory, checkpoint_signal)
        VALUES (90, 'Hold', 'default', '/', 12)
      """)
    #expect(try await !site.call().stderr.contains("job 90"))
    try site.database.execute("UPDATE jobs SET state = 'Waiting' WHERE job_id = 90")
    let told = try await site.call()
    #expect(told.stderr.contains("job 90 was set aside: it has no resource description"), "\(told)")
    #expect(told.exitCode == 0)
  }

  /// As if another `oarsub` had taken numbers in between: job 1 has the moldables 1 and 50.
  private func scatter(_ site: QueueSite) throws {
    try site.database.execute(
      """
      INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
        VALUES (50, 1, 60);
      INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
        VALUES (50, 50, '');
      INSERT INTO job_resource_descriptions
        (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
        VALUES (50, 'core', 1, 0);
      """)
  }

  @Test("a job whose moldables' numbers are apart gets the row of the one that was chosen")
  func scattered() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    try scatter(site)
    let result = try await site.call()
    #expect(result.stderr == "" || !result.stderr.contains("ERROR"), "\(result)")
    #expect(try site.plan == ["2@0|2+3", "3@600|1+2+3+4", "50@0|1"])
    // The next pass knows the row as its own.
    let before = try site.everything
    _ = try await site.call()
    #expect(try site.everything == before)
  }

  @Test("a place of another queue's keeps its resources, also if its moldables' numbers are apart")
  func scatteredElsewhere() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    try scatter(site)
    try site.database.execute(
      """
      UPDATE jobs SET queue_name = 'admin' WHERE job_id = 1;
      INSERT INTO gantt_jobs_predictions VALUES (50, \(QueueSite.now));
      INSERT INTO gantt_jobs_resources VALUES (50, 1);
      """)
    let result = try await site.call()
    #expect(!result.stderr.contains("ERROR"), "\(result)")
    #expect(try site.plan == ["2@0|2+3", "3@600|1+2+3+4", "50@0|1"])
  }

  @Test("a job that has no place any more loses its row, and its message says why")
  func withdrawn() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    _ = try await site.call()
    try site.database.execute("UPDATE resources SET state = 'Dead' WHERE resource_id = 4")
    _ = try await site.call()
    #expect(try site.plan == ["1@0|1", "2@0|2+3"])
    #expect(
      try site.database.rows("SELECT message FROM jobs WHERE job_id = 3").first?.contains("(")
        == false)
  }

  @Test("rows with nonsense harm no other job", arguments: Nonsense.statements)
  func nonsense(poison: String) async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    try site.database.execute(poison)
    let result = try await site.call()
    #expect(result.exitCode == 0)
    #expect(!result.stderr.contains("by signal"), "\(result)")
    #expect(try site.plan.contains { $0.hasPrefix("2@") }, "\(result)")
  }

  @Test("a call that makes no sense ends with 1 and says why; a queue that there is not with 0")
  func calls() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    let bad = try await site.call("default", "abc")
    #expect(bad.exitCode == 1 && bad.stderr.contains("not \"abc\""))
    let unknown = try await site.call("nosuch", "\(QueueSite.now)", "x")
    #expect(unknown.exitCode == 0 && unknown.stderr.contains("has no queue \"nosuch\""))
    #expect(try site.plan.isEmpty)
  }
}

// What happens to the process that makes the pass.
extension QueueProgramTests {
  @Test(
    "a pass that crashes ends with 0, and nothing of it is written",
    arguments: [
      SIGSEGV, SIGABRT, SIGKILL, SIGILL,
    ])
  func crash(signal: Int32) async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    let before = try site.everything
    let pass = try site.held()
    kill(pass.worker, signal)
    let result = try await pass.finish()
    try pass.release()
    #expect(result.exitCode == 0)
    #expect(result.stderr.contains("the pass ended by signal \(signal)"))
    #expect(try site.everything == before)
  }

  @Test("a pass that hangs is ended when its time is over, even if it was stopped")
  func hang() async throws {
    let site = try await QueueSite(jobs: [1], "SCHEDULER_TIMEOUT=\"1\"")
    defer { site.remove() }
    let pass = try site.held()
    kill(pass.worker, SIGSTOP)
    let result = try await pass.finish()
    try pass.release()
    #expect(result.exitCode == 0)
    #expect(result.stderr.contains("no end after 1 s (SCHEDULER_TIMEOUT)"))
    #expect(kill(pass.worker, 0) != 0)
    #expect(try site.plan.isEmpty)
  }

  @Test("who ends the program ends the pass, and still hears 0; who kills it ends the pass too")
  func ended() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    for signal in [SIGTERM, SIGKILL] {
      let pass = try site.held()
      kill(pass.process.pid, signal)
      let result = try await pass.finish()
      #expect(result.exitCode == (signal == SIGTERM ? 0 : 128 + SIGKILL))
      for _ in 0..<500 where kill(pass.worker, 0) == 0 { usleep(10_000) }
      #expect(kill(pass.worker, 0) != 0)
      try pass.release()
    }
    #expect(try site.plan.isEmpty)
  }

  @Test("a lack of memory is the end of the pass alone")
  func memory() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    let program = try QueueSite.program
    for kilobytes in [150_000, 100_000, 80_000] {
      let process = try Subprocess([
        "sh", "-c", "ulimit -v \(kilobytes); OARCONFFILE=/nowhere \(program) default 1 x",
      ])
      #expect(try await offThread { try process.finish() }.exitCode == 0)
    }
  }
}

// What happens to the database.
extension QueueProgramTests {
  @Test("a database that is away, or read-only, or takes nobody else: 0, with what is wrong")
  func trouble() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    let name = site.database.name
    let before = try site.everything
    try site.configure("DB_HOSTNAME=\"/nowhere\"")
    let away = try await site.call()
    #expect(away.exitCode == 0 && away.stderr.contains("[ERROR]"), "\(away)")
    try site.configure("")
    try site.database.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    let readOnly = try await site.call()
    #expect(readOnly.exitCode == 0 && readOnly.stderr.contains("read-only"), "\(readOnly)")
    let other = try TestClient(site.database)
    _ = try other.rows("SET default_transaction_read_only = off")
    _ = try other.rows("ALTER DATABASE \(name) RESET default_transaction_read_only")
    _ = try other.rows("CREATE ROLE \(name)_user LOGIN")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT 0")
    try site.configure("DB_BASE_LOGIN=\"\(name)_user\"")
    let full = try await site.call()
    #expect(full.exitCode == 0 && full.stderr.contains("too many connections"), "\(full)")
    _ = try other.rows("ALTER DATABASE \(name) CONNECTION LIMIT -1")
    let denied = try await site.call()
    #expect(denied.exitCode == 0 && denied.stderr.contains("permission denied"), "\(denied)")
    #expect(try site.everything == before)
  }

  @Test("a database that is restarted while a pass waits in it: 0, and the next pass is whole")
  func restart() async throws {
    let server = try PostgreSQLServer()
    let site = try await QueueSite(jobs: [1], server: server)
    defer { site.remove() }
    let pass = try site.held()
    try server.restart()
    let result = try await pass.finish()
    #expect(result.exitCode == 0)
    #expect(try await site.call().exitCode == 0)
    #expect(try site.plan == ["1@0|1"])
  }

  @Test("passes at once: each ends with 0, and the plan is one pass's")
  func atOnce() async throws {
    let site = try await QueueSite()
    defer { site.remove() }
    let processes = try (0..<4).map { _ in try site.start("default", "\(QueueSite.now)", "x") }
    for process in processes {
      #expect(try await offThread { try process.finish() }.exitCode == 0)
    }
    #expect(try site.plan == ["1@0|1", "2@0|2+3", "3@600|1+2+3+4"])
  }
}
