// A PostgreSQL server of the tests' own: made in a second, reached through a unix socket alone, and gone with
// the process, however that ends.

import CPostgreSQL
import Glibc
import Synchronization

/// What the fixture could not do.
public struct FixtureFailure: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A running server. Nothing that it writes is meant to survive the machine.
public final class PostgreSQLServer: Sendable {
  /// The folder of its socket, and of everything that it has.
  public let folder: String
  public let port = 5432
  /// May do everything, from this host, without a password.
  public let administrator = "postgres"
  private let programs: String
  /// Closed at the latest when this process ends; then the server is ended too.
  private let lifeline: Int32
  private let count = Mutex(0)

  private static let common = Mutex<PostgreSQLServer?>(nil)

  /// The server that the tests of a process share; started by the first that asks.
  public static func shared() throws -> PostgreSQLServer {
    try common.withLock { server in
      if let server { return server }
      let new = try PostgreSQLServer()
      server = new
      return new
    }
  }

  /// Starts a server of its own, for a test that ends it or fills it up.
  ///
  /// - Parameter settings: lines for its `postgresql.conf`.
  public init(settings: String = "") throws {
    programs = try Self.newestPrograms()
    var template = Array("\(Self.roomyFolder)/liburna-pg-XXXXXX".utf8CString)
    folder = try template.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress, mkdtemp(start) != nil else {
        throw FixtureFailure(
          "no folder can be made in \(Self.roomyFolder): \(String(cString: strerror(errno)))")
      }
      return String(cString: start)
    }
    let account = getpwnam("postgres") ?? getpwnam("nobody")
    if let account, getuid() == 0 { chown(folder, account.pointee.pw_uid, account.pointee.pw_gid) }
    (lifeline, _) = try Self.watch(
      ["sh", "-c", Self.keeper, "keeper", folder, programs, settings], awaiting: "ready")
  }

  deinit { close(lifeline) }

  /// Makes the database, runs it until its input ends, and removes everything.
  private static let keeper = """
    cd "$1" || exit 1
    {
      "$2/initdb" -D data -U postgres -A trust -N -E UTF8 --no-locale --no-instructions &&
      cat >> data/postgresql.conf <<END
    listen_addresses = ''
    unix_socket_directories = '$1'
    fsync = off
    full_page_writes = off
    shared_buffers = 32MB
    max_wal_senders = 0
    wal_level = minimal
    autovacuum_naptime = 5min
    $3
    END
      "$2/pg_ctl" -D data -l log -s -w start
    } >> setup.log 2>&1 && echo ready || { cat setup.log log >&2; echo failed; }
    exec >&-
    read -r line
    "$2/pg_ctl" -D data -s -m immediate stop
    cd / && rm -rf "$1"
    """

  /// A database has some thousand files, which are made and removed faster in memory.
  private static var roomyFolder: String {
    var status = statvfs()
    let isRoomy =
      statvfs("/dev/shm", &status) == 0
      && status.f_bavail * UInt(status.f_frsize) > 1 << 30
    return isRoomy ? "/dev/shm" : "/tmp"
  }

  private static func newestPrograms() throws -> String {
    let root = "/usr/lib/postgresql"
    var versions: [Int] = []
    if let directory = opendir(root) {
      defer { closedir(directory) }
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
          start.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if let version = Int(name) { versions.append(version) }
      }
    }
    guard let newest = versions.max() else {
      throw FixtureFailure("there is no PostgreSQL below \(root): run Scripts/setup tests")
    }
    return "\(root)/\(newest)/bin"
  }

  /// Starts a command as the server's user, and waits for its first line.
  ///
  /// - Returns: the writing end of its input, and its process.
  private static func watch(
    _ words: [String], awaiting word: String
  ) throws -> (input: Int32, process: pid_t) {
    var (input, output): ([Int32], [Int32]) = ([0, 0], [0, 0])
    // Closed in other children from their beginning, which a pipe made in two steps is not.
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &input) == 0, socketpair(AF_UNIX, kind, 0, &output) == 0
    else {
      throw FixtureFailure("no pair of sockets can be made")
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input[0], 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    let process = try spawn(words, &actions)
    close(input[0])
    close(output[1])
    defer { close(output[0]) }
    var answer = ""
    var buffer = [UInt8](repeating: 0, count: 256)
    while !answer.contains("\n") {
      let count = read(output[0], &buffer, buffer.count)
      if count <= 0 { break }
      answer += String(decoding: buffer[..<count], as: UTF8.self)
    }
    guard answer.hasPrefix(word) else {
      close(input[1])
      throw FixtureFailure("PostgreSQL did not start; its complaints are above")
    }
    return (input[1], process)
  }

  private static func spawn(
    _ words: [String], _ actions: inout posix_spawn_file_actions_t
  ) throws -> pid_t {
    let user = getpwnam("postgres") == nil ? "nobody" : "postgres"
    let words =
      getuid() == 0
      ? ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] + words : words
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let variables = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { for text in environment { free(text) } }
    // A group of its own: who stops the tests by a key lets it still clean up.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var process: pid_t = 0
    let code = posix_spawnp(&process, words[0], &actions, &attributes, &arguments, &environment)
    guard code == 0 else {
      throw FixtureFailure("\(words[0]) can't be started: \(String(cString: strerror(code)))")
    }
    return process
  }

  // MARK: Up and down

  /// Stops the server: at once, as a crash would, or letting what is under way end.
  public func stop(atOnce: Bool = true) throws {
    try control(["-m", atOnce ? "immediate" : "fast", "stop"])
  }

  public func start() throws { try control(["-l", folder + "/log", "start"]) }

  /// As after a crash and a recovery.
  public func restart() throws {
    try stop()
    try start()
  }

  private func control(_ words: [String]) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    let process = try Self.spawn(
      ["\(programs)/pg_ctl", "-D", folder + "/data", "-s", "-w"] + words, &actions)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw FixtureFailure("pg_ctl \(words) ended with \(status)") }
  }

  // MARK: Databases

  /// Makes a database of its own for a test.
  ///
  /// - Parameter template: the database of which it is a copy; nobody may be connected to that.
  public func makeDatabase(template: String = "template0") throws -> TestDatabase {
    let number = count.withLock { count in
      count += 1
      return count
    }
    let name = "test\(number)"
    try TestDatabase(server: self, name: "postgres").execute(
      "CREATE DATABASE \(name) TEMPLATE \(template) STRATEGY file_copy")
    return TestDatabase(server: self, name: name)
  }

  /// Removes a database, whoever is connected to it.
  public func dropDatabase(_ database: TestDatabase) throws {
    try TestDatabase(server: self, name: "postgres").execute(
      "DROP DATABASE \(database.name) WITH (FORCE)")
  }
}
