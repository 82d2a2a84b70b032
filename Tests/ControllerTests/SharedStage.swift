// A server in the place of OAR 2's Almighty, over a real database that the test writes as OAR 2's commands
// do, with played hosts and played programs of OAR's.

import CSQLite
import ClusterModel
import Glibc
import SQLiteStorage
import Storage
import Testing
import Wire

@testable import Controller

/// The database as OAR 2's commands see it: statements of their own, at any time.
final class OtherWriter {
  private let handle: OpaquePointer

  init(_ path: String) throws {
    var handle: OpaquePointer?
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    self.handle = try #require(handle)
    sqlite3_busy_timeout(handle, 10_000)
  }

  deinit { sqlite3_close(handle) }

  func write(_ sql: String) throws {
    var text: UnsafeMutablePointer<CChar>?
    let code = sqlite3_exec(handle, sql, nil, nil, &text)
    defer { sqlite3_free(text) }
    try #require(code == SQLITE_OK, "\(text.map { String(cString: $0) } ?? ""): \(sql)")
  }

  /// The first column of the rows, joined by blanks.
  func read(_ sql: String) throws -> String {
    var statement: OpaquePointer?
    try #require(sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, "\(sql)")
    defer { sqlite3_finalize(statement) }
    var values: [String] = []
    while sqlite3_step(statement) == SQLITE_ROW {
      values.append(sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? "NULL")
    }
    return values.joined(separator: " ")
  }
}

/// A database as other programs write it.
protocol DatabaseWriter {
  func write(_ sql: String) throws
}

extension OtherWriter: DatabaseWriter {
  func state(_ id: JobID) throws -> String {
    try read("SELECT state FROM jobs WHERE job_id = \(id)")
  }
}

extension DatabaseWriter {
  /// The first rows of a submission, as `oarsub` writes them; the job is not there yet.
  func beginSubmission(
    _ id: JobID, _ columns: [String: String] = [:], cores: Int = 1, walltime: Int = 3600,
    types: [String] = []
  ) throws {
    var all = [
      "job_id": "\(id)", "array_id": "\(id)", "state": "'Hold'", "job_user": "'alice'",
      "job_type": "'PASSIVE'", "info_type": "'frontend:'", "queue_name": "'default'",
      "command": "'sleep 60'", "launching_directory": "'/home/alice'", "project": "'default'",
      "message": "'R=\(cores),W=1:0:0,J=B'", "submission_time": "1000", "checkpoint_signal": "12",
      "stdout_file": "'OAR.%jobid%.stdout'", "stderr_file": "'OAR.%jobid%.stderr'",
    ]
    all.merge(columns) { $1 }
    let names = all.keys.sorted()
    try write(
      """
      INSERT INTO jobs (\(names.joined(separator: ", ")))
        VALUES (\(names.map { all[$0] ?? "" }.joined(separator: ", ")));
      INSERT INTO challenges (job_id, challenge) VALUES (\(id), '4711');
      INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
        VALUES (\(id), \(id), \(walltime));
      INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
        VALUES (\(id), \(id), 'type = ''default''');
      INSERT INTO job_resource_descriptions
        (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
        VALUES (\(id), 'core', \(cores), 0);
      """)
    for type in types {
      try write("INSERT INTO job_types (job_id, type) VALUES (\(id), '\(type)')")
    }
  }

  /// The last rows of a submission.
  func finishSubmission(_ id: JobID, as state: String = "Waiting") throws {
    try write(
      """
      INSERT INTO job_state_logs (job_id, job_state, date_start) VALUES (\(id), '\(state)', 1000);
      UPDATE jobs SET state = '\(state)' WHERE job_id = \(id);
      """)
  }

  func submit(
    _ id: JobID, _ columns: [String: String] = [:], cores: Int = 1, walltime: Int = 3600,
    types: [String] = []
  ) throws {
    try beginSubmission(id, columns, cores: cores, walltime: walltime, types: types)
    try finishSubmission(id)
  }

  /// A job that OAR 2 started before.
  func run(_ id: JobID, on resources: [ResourceID], state: String = "Running") throws {
    try submit(id, cores: resources.count)
    for resource in resources {
      try write(
        "INSERT INTO assigned_resources (moldable_job_id, resource_id) VALUES (\(id), \(resource))")
    }
    try write(
      """
      UPDATE jobs SET state = '\(state)', start_time = \(time(nil) - 10), assigned_moldable_job = \(id)
        WHERE job_id = \(id);
      UPDATE job_state_logs SET job_state = '\(state)' WHERE job_id = \(id);
      """)
  }

  func event(_ type: String, _ job: JobID) throws {
    try write(
      "INSERT INTO event_logs (type, job_id, date, description) VALUES ('\(type)', \(job), 1000, 'x')"
    )
  }
}

/// The resources of ``storedCluster()``, as far as OAR 2 knows their properties.
func writeResources(to storage: any Storage) async throws {
  try await storage.commit(
    [.propertyAdded(PropertyDefinition(name: "core", kind: .integer))]
      + storedCluster().resources.map { resource in
        var resource = resource
        resource.properties["host"] = nil
        return .resourceAdded(resource)
      })
}

/// The server and what is around it.
final class SharedStage: PlayedServer {
  let loop = EventLoop()
  let controller: Controller
  let other: OtherWriter
  /// Where the played programs of OAR's note how they were called.
  let directory: String
  private let thread: pthread_t

  /// A server over a database that `prepare` has written to. The first look is over.
  ///
  /// - Parameters:
  ///   - former: where another server was; its database is gone on with.
  ///   - wrap: puts a store of the test before the real one.
  init(
    _ prepare: (OtherWriter) throws -> Void = { _ in }, configuration: String = "",
    in former: String? = nil, wrap: (any SharedStorage) -> any SharedStorage = { $0 }
  ) async throws {
    directory = try former ?? Self.makeDirectory()
    let path = directory + "/oar.sqlite"
    let storage = wrap(try await Self.openStore(path))
    other = try OtherWriter(path)
    if former == nil { try await writeResources(to: storage) }
    try prepare(other)
    var settings = try ServerSettings(
      Configuration(
        parsing: "SCHEDULER_JOB_SECURITY_TIME=0\nLIBURNA_WITH_OAR2=yes\n" + configuration))
    settings.withOAR2?.directory = directory
    controller = Controller(settings: settings, storage: storage, loop: loop)
    thread = Self.startThread(of: loop)
    try await controller.beginPlay()
    await settle()
  }

  /// The lock of a former server may outlive it for a moment: in a child that another test has just forked.
  private static func openStore(_ path: String) async throws -> any SharedStorage {
    let deadline = time(nil) + 20
    while true {
      do {
        return try await SQLiteStorage.open(path: path, durability: .normal)
      } catch StorageError.unusable(let reason)
        where reason.contains("in use by another server") && time(nil) < deadline
      {
        await Task.yield()
      }
    }
  }

  /// Ends the server and leaves what it used to another one.
  func endAlone() async {
    await controller.stop()
    pthread_join(thread, nil)
  }

  /// Ends the server and removes what it used.
  func end() async throws {
    await endAlone()
    for name in [
      "oar.sqlite", "oar.sqlite-wal", "oar.sqlite-shm", "oar.sqlite.lock", "bipbip", "Leon",
      "oardel", "calls",
    ] {
      unlink(directory + "/" + name)
    }
    rmdir(directory)
  }

  static func makeDirectory() throws -> String {
    var template = Array("/tmp/liburna-shared-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let directory = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for name in ["bipbip", "Leon", "oardel"] {
      let text = "#!/bin/sh\necho \"\(name) $*\" >>\(directory)/calls\n"
      let file = open(directory + "/" + name, O_WRONLY | O_CREAT, 0o755)
      try #require(file >= 0)
      _ = Array(text.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      close(file)
    }
    return directory
  }

  /// What the programs of OAR's were called with, once there are so many calls.
  func calls(_ count: Int) async throws -> [String] {
    let deadline = time(nil) + 20
    while true {
      let lines = notes().split(separator: "\n").map { String($0) }
      if lines.count >= count || time(nil) > deadline { return lines }
      await Task.yield()
    }
  }

  private func notes() -> String {
    let file = open(directory + "/calls", O_RDONLY)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(file, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }

  func settle() async {
    while await !controller.isSettled { await Task.yield() }
  }

  /// A word comes, and what it leads to is over.
  func hear(_ words: String...) async {
    for word in words { await act { $0.hearWord(word) } }
  }
}

extension Controller {
  fileprivate var isSettled: Bool {
    guard let side = withOAR2 else { return true }
    return !committer.hasWork && !committer.isWriting && !state.needsPlan && !state.hasNewcomers
      && !side.isLooking && !side.isLookScheduled && !side.isReserving
      && side.programs.isIdle
  }
}
