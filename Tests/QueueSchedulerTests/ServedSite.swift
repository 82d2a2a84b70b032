// A site for tests of the server as a program: how liburnad is started on it in Almighty's place, and what it
// did there.

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

/// A site that liburnad serves.
struct ServedSite {
  let site: QueueSite
  /// SERVER_PORT.
  let port: Int

  var database: TestDatabase { site.database }

  init(_ site: QueueSite) throws {
    self.site = site
    let listener = try Listener(port: 0)
    port = listener.port
    listener.end()
    try configure()
  }

  func remove() {
    unlink(socket)
    site.remove()
  }

  private var socket: String { "/tmp/liburna-served-\(getpid())-\(port)" }

  private func configure(_ more: String = "") throws {
    try site.configure(
      """
      LIBURNA_WITH_OAR2="yes"
      SERVER_HOSTNAME="127.0.0.1"
      SERVER_PORT="\(port)"
      LIBURNA_SOCKET="\(socket)"
      LIBURNA_NODE_COMMAND="/bin/false {host}"
      LIBURNA_NODE_TIMEOUT="86400"
      LIBURNA_OAR2_POLL="1"
      \(more)
      """)
  }

  /// Starts the server.
  func start(_ more: String = "", option: String? = nil) throws -> Subprocess {
    try configure(more)
    return try site.start(program: "liburnad", option.map { [$0] } ?? [])
  }

  /// Expects that a start fails, with words.
  func refused(_ more: String = "", option: String? = nil, saying words: String) async throws {
    let process = try start(more, option: option)
    let result = try await offThread { try process.finish() }
    #expect(result.exitCode == 1 && result.stderr.contains(words), "\(words): \(result)")
  }

  /// Ends the server in good order; what it said.
  @discardableResult
  func ends(_ process: Subprocess) async throws -> CommandResult {
    kill(process.pid, SIGTERM)
    let result = try await offThread { try process.finish() }
    #expect(result.exitCode == 0, "\(result)")
    return result
  }

  // MARK: The tables

  /// A job without processes, as `oarsub` writes it.
  static func submission(_ id: Int) -> String {
    """
    BEGIN;
    INSERT INTO jobs (job_id, array_id, state, job_user, queue_name, command, launching_directory,
      checkpoint_signal, submission_time) VALUES (\(id), \(id), 'Waiting', 'alice', 'default', 'true',
      '/tmp', 12, 1000);
    INSERT INTO job_types (job_id, type) VALUES (\(id), 'noop');
    INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
      VALUES (\(id), \(id), 600);
    INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
      VALUES (\(id), \(id), '');
    INSERT INTO job_resource_descriptions
      (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
      VALUES (\(id), 'core', 1, 0);
    INSERT INTO job_state_logs (job_id, job_state, date_start) VALUES (\(id), 'Waiting', 1000);
    COMMIT;
    """
  }

  func submit(_ id: Int) throws { try database.execute(Self.submission(id)) }

  /// Waits until these jobs run and no others.
  func runs(_ jobs: [Int]) async throws {
    let wanted = jobs.map(String.init)
    var running: [String] = []
    for _ in 0..<3000 {
      running = (try? self.running) ?? []
      if running == wanted { return }
      usleep(20_000)
    }
    throw StoryError("\(running) run, not \(wanted)")
  }

  private var running: [String] {
    get throws {
      try database.rows("SELECT job_id FROM jobs WHERE state = 'Running' ORDER BY job_id")
    }
  }

  /// How often each job was begun, and that each has its resources once.
  var histories: [String] {
    get throws {
      let twice = try database.rows(
        """
        SELECT resource_id FROM assigned_resources WHERE assigned_resource_index = 'CURRENT'
        GROUP BY resource_id HAVING count(*) > 1
        """)
      #expect(twice.isEmpty)
      return try database.rows(
        """
        SELECT job_id, count(*) FROM job_state_logs WHERE job_state = 'Running'
        GROUP BY job_id ORDER BY job_id
        """)
    }
  }

  /// All rows that a server could write, and which tables there are.
  var everything: [String] {
    get throws {
      try site.everything
        + database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    }
  }
}

/// Somebody who listens on a port of this host.
struct Listener {
  private let descriptor: Int32
  let port: Int

  /// - Parameter port: 0 for any that is free.
  init(port: Int) throws {
    // What other tests start meanwhile must not go on listening.
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, kind, 0)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, size) == 0 && listen(descriptor, 8) == 0
          && getsockname(descriptor, pointer, &size) == 0
      }
    }
    guard code else { throw StoryError("no port \(port): errno \(errno)") }
    self.descriptor = descriptor
    self.port = Int(in_port_t(bigEndian: address.sin_port))
  }

  func end() { close(descriptor) }
}
