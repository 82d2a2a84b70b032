// A site for a test: a database as OAR 2 has it, an oar.conf, and the program as OAR's metascheduler calls it.

import ClusterModel
import Glibc
import LabFixture
import PostgreSQLFixture
import PostgreSQLStorage
import Storage
import Testing

/// A database with two hosts of two cores and jobs, none of whose tables is Liburna's.
struct QueueSite {
  let database: TestDatabase
  private let folder: String
  /// The time of all passes.
  static let now: Instant = 1_800_000_000

  /// - Parameter jobs: waiting jobs of the queue default, each with so many cores.
  init(
    jobs: [Int] = [1, 2, 4], server: PostgreSQLServer? = nil, _ configuration: String = ""
  ) async throws {
    database = try (server ?? .shared()).makeDatabase()
    let settings = try PostgreSQLSettings(Configuration(parsing: database.configuration))
    let storage = try await PostgreSQLStorage.open(settings, .ours)
    var changes: [Change] = [
      .propertyAdded(PropertyDefinition(name: "core", kind: .integer))
    ]
    for id in 1...4 {
      var resource = Resource(id: id)
      resource.networkAddress = "node\((id + 1) / 2)"
      resource.properties = ["core": .integer(id)]
      changes.append(.resourceAdded(resource))
    }
    for (index, cores) in jobs.enumerated() {
      changes.append(.jobsSubmitted([Self.job(index + 1, cores: cores)]))
    }
    try await storage.commit(changes)
    await storage.close()
    for table in try database.rows(
      "SELECT tablename FROM pg_tables WHERE tablename LIKE 'liburna%'")
    { try database.execute("DROP TABLE \(table) CASCADE") }
    try database.execute(
      """
      INSERT INTO gantt_jobs_predictions (moldable_job_id, start_time) VALUES (0, \(Self.now))
      ON CONFLICT (moldable_job_id) DO UPDATE SET start_time = excluded.start_time
      """)
    var template = Array("/tmp/liburna-queue-XXXXXX".utf8CString)
    folder = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap(mkdtemp).map { String(cString: $0) } ?? "/nowhere"
    }
    try configure(configuration)
  }

  func remove() {
    unlink(folder + "/oar.conf")
    rmdir(folder)
  }

  /// Writes the oar.conf; later lines win.
  func configure(_ more: String) throws {
    let text = database.configuration + "SCHEDULER_JOB_SECURITY_TIME=\"0\"\n" + more + "\n"
    let file = try #require(fopen(folder + "/oar.conf", "w"))
    fputs(text, file)
    fclose(file)
  }

  private static func job(_ id: JobID, cores: Int) -> Job {
    let group = RequestGroup(levels: [RequestLevel("core", .exactly(cores))])
    let request = JobRequest(
      user: "alice", moldables: [Moldable(walltime: 600, groups: [group])], directory: "/tmp")
    return Job(
      id: id, arrayID: id, arrayIndex: 1, request: request, command: "true", state: .waiting,
      queue: "default", types: [], submissionTime: now - 100, firstMoldableID: id,
      message: "R=\(cores),W=0:10:0,J=B")
  }

  // MARK: The program

  /// Starts it as OAR does.
  func start(_ words: String...) throws -> Subprocess {
    try Subprocess(["env", "OARCONFFILE=\(folder)/oar.conf", try Self.program] + words)
  }

  /// Runs it as OAR does, and is back when it has ended.
  func call(_ words: String...) async throws -> CommandResult {
    let words = words.isEmpty ? ["default", "\(Self.now)", "2027-01-15 08:00:00"] : words
    let process = try Subprocess(
      ["env", "OARCONFFILE=\(folder)/oar.conf", try Self.program] + words)
    return try await offThread { try process.finish() }
  }

  /// Starts a pass of all queues, as Almighty does; kao plans each of them itself.
  func startKao() throws -> Subprocess {
    let kao = try Self.program("kao")
    return try Subprocess(["env", "OARCONFFILE=\(folder)/oar.conf", kao])
  }

  /// Starts another program of ours on this site.
  func start(program name: String, _ words: [String]) throws -> Subprocess {
    let program = try Self.program(name)
    return try Subprocess(["env", "OARCONFFILE=\(folder)/oar.conf", program] + words)
  }

  /// Makes a pass of all queues.
  func callKao() async throws -> CommandResult {
    let process = try startKao()
    return try await offThread { try process.finish() }
  }

  /// kamelot, as it was built together with these tests.
  static var program: String { get throws { try program("kamelot") } }

  /// A program that was built together with these tests.
  static func program(_ name: String) throws -> String {
    var path = [CChar](repeating: 0, count: 4096)
    var maps = ""
    let file = try #require(fopen("/proc/self/maps", "r"))
    defer { fclose(file) }
    while fgets(&path, Int32(path.count), file) != nil {
      maps = path.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
      if maps.hasSuffix(".xctest\n") { break }
    }
    let own = try #require(maps.split(separator: " ").last).dropLast()
    return own[...(try #require(own.lastIndex(of: "/")))] + name
  }

  // MARK: The tables

  /// Makes the database one that OAR 2.4 left: with fewer columns, and with some of the site's.
  func makeOlder() throws {
    try database.execute(
      """
      DROP TABLE walltime_change;
      ALTER TABLE jobs DROP COLUMN array_index, DROP COLUMN scheduler_info,
        ADD COLUMN ticket varchar(20), ADD COLUMN cost numeric(8,2) NOT NULL DEFAULT 0;
      ALTER TABLE resources DROP COLUMN drain, DROP COLUMN last_available_upto,
        ADD COLUMN "Rack Name" varchar(20), ADD COLUMN since timestamp DEFAULT '2020-01-02 03:04:05',
        ADD COLUMN fast boolean DEFAULT true;
      """)
  }

  /// All columns of OAR's tables.
  var columns: [String] {
    get throws {
      try database.rows(
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE 'liburna%' ORDER BY 1, 2
        """)
    }
  }

  /// `moldable@start` with its resources, row 0 left out.
  var plan: [String] {
    get throws {
      try database.rows(
        """
        SELECT p.moldable_job_id || '@' || p.start_time - \(Self.now),
          string_agg(r.resource_id::text, '+' ORDER BY r.resource_id)
        FROM gantt_jobs_predictions p LEFT JOIN gantt_jobs_resources r USING (moldable_job_id)
        WHERE p.moldable_job_id <> 0 GROUP BY p.moldable_job_id, p.start_time ORDER BY p.moldable_job_id
        """)
    }
  }

  /// Everything that a pass could write, with the transaction that wrote each row.
  var everything: [String] {
    get throws {
      try [
        "jobs", "gantt_jobs_predictions", "gantt_jobs_resources", "gantt_jobs_predictions_visu",
        "gantt_jobs_resources_visu", "queues", "event_logs", "job_state_logs", "frag_jobs",
        "assigned_resources", "resources", "moldable_job_descriptions",
      ].flatMap {
        try database.rows("SELECT xmin::text, t.* FROM \($0) t ORDER BY 1, 2, 3")
      }
    }
  }

  /// Jobs that don't wait any more: job, state, resources.
  var started: [String] {
    get throws {
      try database.rows(
        """
        SELECT job_id, state, string_agg(resource_id::text, '+' ORDER BY resource_id)
        FROM jobs LEFT JOIN assigned_resources ON moldable_job_id = assigned_moldable_job
        WHERE state <> 'Waiting' GROUP BY job_id, state ORDER BY job_id
        """)
    }
  }
}
