// The doctor on real databases, and the program as people call it.

import ClusterModel
import Glibc
import LabFixture
import PostgreSQLFixture
import PostgreSQLStorage
import Storage
import Testing

@testable import SiteCheck

/// A folder with an oar.conf and what OARDIR holds, and a database as OAR 2 has it.
private final class LiveSite: Sendable {
  let database: TestDatabase
  let folder: String

  init(server: PostgreSQLServer? = nil) async throws {
    database = try (server ?? .shared()).makeDatabase()
    let access = try PostgreSQLSettings(Configuration(parsing: database.configuration))
    let storage = try await PostgreSQLStorage.open(access, .ours)
    var changes: [Change] = [.propertyAdded(PropertyDefinition(name: "core", kind: .integer))]
    for id in 1...2 {
      var resource = Resource(id: id)
      resource.networkAddress = "node1"
      resource.properties = ["core": .integer(id)]
      changes.append(.resourceAdded(resource))
    }
    try await storage.commit(changes)
    await storage.close()
    for table in liburnaSchema { try database.execute("DROP TABLE \(table.name)") }
    try database.execute("UPDATE queues SET scheduler_policy = '\(gantt)'")
    var template = Array("/tmp/liburna-doctor-XXXXXX".utf8CString)
    folder = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap(mkdtemp).map { String(cString: $0) } ?? "/nowhere"
    }
    mkdir(folder + "/schedulers", 0o755)
    for program in ["Almighty", "bipbip", "Leon", "schedulers/\(gantt)"] {
      try write("", to: "\(folder)/\(program)", mode: 0o755)
    }
    try configure()
  }

  deinit {
    for name in ["Almighty", "bipbip", "Leon", "schedulers/\(gantt)", "oar.conf"] {
      unlink("\(folder)/\(name)")
    }
    rmdir(folder + "/schedulers")
    rmdir(folder)
  }

  /// Writes the oar.conf; later lines win.
  func configure(_ more: String = "") throws {
    // A port at which nobody listens, whatever runs on the machine of the tests.
    try write(
      database.configuration + "SERVER_PORT=\"1\"\n" + more + "\n", to: folder + "/oar.conf",
      mode: 0o600)
  }

  private func write(_ text: String, to path: String, mode: mode_t) throws {
    guard let file = fopen(path, "w") else { throw MissingFile(path: path) }
    fputs(text, file)
    fclose(file)
    chmod(path, mode)
  }

  var readings: SiteReadings {
    let folder = folder
    return SiteReadings.live { name in
      ["OARCONFFILE": folder + "/oar.conf", "OARDIR": folder][name]
    }
  }

  var report: SiteReport { Judge.report(readings) }
}

@Suite("liburna doctor on a database")
struct LiveSiteTests {
  @Test("a healthy database can be taken, and nothing in it is changed by the look")
  func healthy() async throws {
    let site = try await LiveSite()
    let written = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
    _ = try site.database.rows("SELECT pg_stat_force_next_flush()")
    let before = try site.database.rows(written)
    let tables = try site.database.rows("SELECT tablename FROM pg_tables ORDER BY 1")
    let report = site.report
    #expect(report.finding("schema")?.fact == oarSchemaVersion)
    #expect(report.finding("tables")?.fact == "all of OAR 2.5's")
    #expect(report.finding("columns")?.state == .ok)
    #expect(report.finding("rights")?.state == .ok)
    #expect(report.finding("resources")?.fact == "2 of 1 hosts")
    #expect(report.finding("queue default")?.state == .ok)
    #expect(report.finding("port 1")?.state == .note)
    #expect(report.problems(of: .kamelot) == [])
    #expect(report.problems(of: .kao) == [])
    #expect(try site.database.rows(written) == before)
    #expect(try site.database.rows("SELECT tablename FROM pg_tables ORDER BY 1") == tables)
  }

  @Test("an older schema with columns of the site's and a broken row")
  func older() async throws {
    let site = try await LiveSite()
    try site.database.execute(
      """
      DROP TABLE walltime_change;
      ALTER TABLE jobs DROP COLUMN array_index;
      ALTER TABLE event_logs ADD COLUMN audit integer NOT NULL;
      UPDATE schema SET version = '2.4.7';
      INSERT INTO jobs (state, job_user, queue_name, launching_directory, checkpoint_signal)
        VALUES ('Waiting', 'alice', 'default', '/tmp', 12)
      """)
    let report = site.report
    #expect(report.finding("schema")?.state == .note)
    #expect(report.problems(of: .kamelot) == [])
    #expect(report.problems(of: .kao).map(\.subject) == ["columns"])
    let aside = report.finding("set aside")
    #expect(aside?.state == .note)
    #expect(aside?.fact.contains("job 1") == true, "\(String(describing: aside))")
  }

  @Test("a database without OAR's tables, one that is away and an unknown one are told apart")
  func others() async throws {
    let site = try await LiveSite()
    try site.database.execute("DROP TABLE frag_jobs")
    #expect(site.report.finding("tables")?.fact == "missing: frag_jobs")
    try site.configure("DB_BASE_NAME=\"nosuch\"")
    let unknown = site.report.finding("connection")
    #expect(unknown?.state == .problem)
    #expect(unknown?.fact.contains("DB_BASE_NAME") == true)
    try site.configure("DB_HOSTNAME=\"\(site.folder)\"")
    let away = site.report.finding("connection")
    #expect(away?.state == .problem)
    #expect(away?.fact.contains("DB_HOSTNAME") == true)
    try site.configure("DB_TYPE=\"mysql\"")
    #expect(site.report.finding("DB_TYPE")?.state == .problem)
    #expect(site.report.finding("connection") == nil)
  }

  @Test("a wrong password is said and not shown; a right that is missing is named")
  func wrongAccess() async throws {
    let site = try await LiveSite(server: PostgreSQLServer())
    try site.database.execute(
      """
      CREATE ROLE secured LOGIN PASSWORD 'right';
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO secured
      """)
    let file = try #require(fopen(site.database.server.folder + "/data/pg_hba.conf", "w"))
    fputs("local all secured scram-sha-256\nlocal all all trust\n", file)
    fclose(file)
    try site.database.execute("SELECT pg_reload_conf()")
    try site.configure("DB_BASE_LOGIN=\"secured\"\nDB_BASE_PASSWD=\"wr0ng-secret\"")
    let wrong = site.report
    #expect(wrong.finding("connection")?.fact.contains("DB_BASE_PASSWD") == true)
    #expect(!wrong.text(isColoured: false).contains("wr0ng-secret"))
    try site.configure("DB_BASE_LOGIN=\"secured\"\nDB_BASE_PASSWD=\"right\"")
    let report = site.report
    #expect(
      report.problems(of: .kamelot).map(\.fact) == [
        "secured may not write gantt_jobs_predictions, gantt_jobs_resources, jobs"
      ])
    #expect(report.finding("our tables")?.state == .problem)
  }

  @Test("liburna doctor hands over to the program with libpq: text, JSON, parts, exit codes")
  func program() async throws {
    let site = try await LiveSite()
    let result = try await call(site.folder, "kamelot", "kao")
    #expect(result.exitCode == 0, "\(result)")
    #expect(result.stdout.contains("kamelot: can be taken\n"))
    #expect(!result.stdout.contains("Almighty's place"))
    #expect(!result.stdout.contains("\u{1b}"))
    let document = try await call(site.folder, "--json", "kao")
    #expect(document.stdout.hasPrefix("{\"works\":true,\"sections\":[{\"title\":\"This host\""))
    try site.configure("DB_TYPE=\"mysql\"")
    let refused = try await call(site.folder)
    #expect(refused.exitCode == 1)
    #expect(refused.stdout.contains("server (liburnad in Almighty's place): can't be taken"))
    let wrong = try await call(site.folder, "kamelots")
    #expect(wrong.exitCode == 1)
    #expect(wrong.stderr.contains("There is no part \"kamelots\""))
    unlink(site.folder + "/oar.conf")
    let none = try await call(site.folder, "kamelot")
    #expect(none.exitCode == 1)
    #expect(none.stdout.contains("oar.conf can't be read: No such file"))
    // Which port it is, only oar.conf says.
    #expect(!none.stdout.contains("port "))
  }

  private func call(_ folder: String, _ words: String...) async throws -> CommandResult {
    let own = try #require(realpath("/proc/self/exe", nil))
    defer { free(own) }
    let path = String(cString: own)
    var program = path[..<(try #require(path.lastIndex(of: "/")))] + "/liburna"
    if Glibc.access(String(program), X_OK) != 0 { program = Substring(try Self.besideTests) }
    let line = [
      "env", "OARCONFFILE=\(folder)/oar.conf", "OARDIR=\(folder)", String(program), "doctor",
    ]
    return try await offThread { try Subprocess(line + words).finish(within: 60) }
  }

  /// Where the runner of the tests is not beside what was built.
  private static var besideTests: String {
    get throws {
      let maps = String(decoding: try readWhole("/proc/self/maps"), as: UTF8.self)
      let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix(".xctest") })
      let path = try #require(line.split(separator: " ").last)
      return path[..<(try #require(path.lastIndex(of: "/")))] + "/liburna"
    }
  }

  @Test("sockets that listen are found in the kernel's table, and their program by two words")
  func ports() {
    let table = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000:1A0A 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1
         1: 0100007F:1A0A 0100007F:9999 01 00000000:00000000 00:00000000 00000000   101        0 4712 1
      """
    #expect(PortReading.listeners(in: table, on: 6666) == ["4711"])
    #expect(PortReading.listeners(in: table, on: 22) == [])
    let line = Array("/usr/bin/perl\0/usr/lib/oar/Almighty\0--secret=x\0".utf8)
    #expect(PortReading.program(line) == "/usr/bin/perl /usr/lib/oar/Almighty")
    #expect(PortReading.program(Array("nc\0--key=x\0".utf8)) == "nc")
  }

  @Test("versions are read from dpkg's file")
  func packages() {
    let status = """
      Package: oar-server
      Status: install ok installed
      Version: 2.5.9-1

      Package: oar-node
      Status: deinstall ok config-files
      Version: 2.5.9-1

      Package: bash
      Status: install ok installed
      Version: 5.2
      """
    #expect(DebianPackages.versions(in: Array(status.utf8)[...]) == ["oar-server": "2.5.9-1"])
  }
}
