// What the store's tests share: folders, samples, and a plain look into the database.

import CSQLite
import ClusterModel
import Glibc
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

/// A folder of a test's own, removed with the value.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/liburna-storage-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    path = try #require(made)
  }

  deinit {
    for name in contents { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  var database: String { path + "/oar.db" }

  var contents: [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
        start.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// A copy of the database and its log as they are on the disk now: what a killed server leaves.
  func copyDatabase(to other: TemporaryFolder) throws {
    // While somebody reads, the log is not begun anew between the two copies.
    let reader = try SQLiteConnection(path: database, flags: SQLITE_OPEN_READWRITE)
    try reader.execute("BEGIN; SELECT * FROM schema")
    for suffix in ["", "-wal"] where access(database + suffix, F_OK) == 0 {
      try write(try bytes(of: database + suffix), to: other.database + suffix)
    }
  }
}

func bytes(of path: String) throws -> [UInt8] {
  let file = open(path, O_RDONLY)
  try #require(file >= 0, "\(path) can't be read")
  defer { close(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
    if count <= 0 { return bytes }
    bytes.append(contentsOf: buffer[..<count])
  }
}

func write(_ bytes: [UInt8], to path: String) throws {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  try #require(file >= 0, "\(path) can't be written")
  defer { close(file) }
  let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
  #expect(count == bytes.count)
}

/// The rows of a query, values joined with `|`, as another program reads the database.
func rows(_ sql: String, in path: String) throws -> [String] {
  let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READWRITE)
  return try connection.prepare(sql).rows { row in
    (0..<row.columnCount).map { row.isNull($0) ? "null" : row.text($0) }.joined(separator: "|")
  }
}

/// A store on a new database, at a fixed date.
func newStore(in folder: TemporaryFolder) async throws -> DatabaseStorage {
  try await SQLiteStorage.open(path: folder.database, durability: .normal, clock: { 1000 })
}

/// What a server would load after this one was closed.
func reloaded(_ store: DatabaseStorage, in folder: TemporaryFolder) async throws -> StoredCluster {
  await store.close()
  let again = try await newStore(in: folder)
  let cluster = try await again.load()
  await again.close()
  return cluster
}

// MARK: Samples

func sampleRequest(
  user: String = "alice", moldables: [Moldable]? = nil, dependencies: [JobID] = [],
  reservationStart: Instant = 0
) -> JobRequest {
  let two = RequestGroup(
    properties: "type = 'default'",
    levels: [RequestLevel("host", .exactly(2)), RequestLevel("core", .best)])
  return JobRequest(
    user: user, name: "it's a name", project: "default", properties: "mem > 4",
    moldables: moldables ?? [
      Moldable(
        walltime: 3600, groups: [two, RequestGroup(levels: [RequestLevel("licence", .all)])]),
      Moldable(walltime: 60, groups: [RequestGroup(levels: [RequestLevel("core", .exactly(1))])]),
    ],
    directory: "/home/\(user)", stdout: "OAR.%jobid%.out", stderr: "OAR.%jobname%.err",
    dependencies: dependencies, checkpoint: 30, checkpointSignal: 10, notify: "mail:\(user)@site",
    initialRequest: "oarsub -l host=2/core=BEST ./job", reservationStart: reservationStart,
    submissionHost: "frontend")
}

func sampleJob(
  _ id: JobID, request: JobRequest = sampleRequest(), firstMoldable: MoldableID? = nil
) -> Job {
  Job(
    id: id, arrayID: id, arrayIndex: 1, request: request, command: "./job \(id)", state: .waiting,
    queue: "default", types: ["idempotent", "container=c1"], submissionTime: 100 + id,
    firstMoldableID: firstMoldable ?? id * 10, message: "R=2,W=1:0:0,J=B")
}

/// The jobs of an array that shares one request of one moldable.
func sampleArray(of count: Int, from first: JobID, firstMoldable: MoldableID = 1) -> [Job] {
  let request = sampleRequest(moldables: [
    Moldable(walltime: 60, groups: [RequestGroup(levels: [RequestLevel("core", .exactly(1))])])
  ])
  return (0..<count).map { index in
    Job(
      id: first + index, arrayID: first, arrayIndex: index + 1, request: request,
      command: "./job parameter \(index)", state: .waiting, queue: "default", types: ["idempotent"],
      submissionTime: 500, firstMoldableID: firstMoldable + index, message: "R=1,W=0:1:0,J=B")
  }
}

func sampleResource(_ id: ResourceID, host: String = "node1") -> Resource {
  var resource = Resource(id: id)
  resource.networkAddress = host
  return resource
}

// MARK: Comparing

/// Everything of a job in one text, so that two jobs can be compared and their difference read.
func described(_ job: Job) -> String {
  let request = job.request
  return """
    \(job.id) \(job.arrayID).\(job.arrayIndex) \(job.command) \(job.state) \(job.reservation) \
    \(job.queue) \(job.types) \(job.submissionTime) \(job.startTime) \(job.firstMoldableID) \
    \(String(describing: job.assignedMoldable)) \(job.assignedResources) \(job.message) \
    \(job.resubmittedFrom) \(job.wasSuspended) \(job.suspendedSeconds) \(job.suspendedSince) \
    \(job.deletionAsked) | \(request.user) \(String(describing: request.name)) \(request.project) \
    \(request.kind) \(request.properties) \(request.moldables) \(request.directory) \
    \(request.stdout) \(request.stderr) \(request.dependencies) \(request.checkpoint) \
    \(request.checkpointSignal) \(String(describing: request.notify)) \(request.initialRequest) \
    \(request.reservationStart) \(request.submissionHost)
    """
}

/// Everything of a record in one text.
func described(_ record: JobRecord) -> String {
  var text = ""
  dump(record, to: &text)
  return text
}
