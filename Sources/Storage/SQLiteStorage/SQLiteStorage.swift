// The embedded store: OAR's schema in one SQLite file beside the server.

import ClusterModel
import Glibc
import Storage

/// A store in an SQLite database, for one server at a time.
///
/// All work is done on a thread of its own, in the order of the calls. Large arrays are accepted as
/// one durable row and become OAR's rows in the background, in slices short enough not to hold up
/// commits.
public actor SQLiteStorage: Storage {
  /// What a commit waits for.
  public enum Durability: String, Sendable {
    /// The disk: commits survive a power failure.
    case full = "FULL"
    /// The kernel: commits survive the end of the server, and may be lost with the machine's power.
    case normal = "NORMAL"
  }

  private nonisolated let thread: StorageThread
  private nonisolated let path: String
  /// `nil` before it is opened and after it is closed.
  private var database: Database?
  private var isWritingRows = false

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  private init(path: String, thread: StorageThread) {
    self.path = path
    self.thread = thread
  }

  deinit { thread.stop() }

  /// Opens the database at `path`, making it if there is none.
  ///
  /// - Parameters:
  ///   - durability: what a commit waits for.
  ///   - clock: the date of what has no date of its own, such as a new resource.
  /// - Throws: ``StorageError/unusable(_:)`` if the file is damaged, not OAR's, or in use by another
  ///   server; it is then not changed by a byte.
  public static func open(
    path: String, durability: Durability = .full, clock: @escaping @Sendable () -> Instant = now
  ) async throws -> SQLiteStorage {
    guard let thread = StorageThread.start(name: "storage") else {
      throw StorageError.failed("no thread can be started for the database")
    }
    let storage = SQLiteStorage(path: path, thread: thread)
    try await storage.start(durability, clock)
    return storage
  }

  /// The present second of the machine.
  public static func now() -> Instant { time(nil) }

  private func start(
    _ durability: Durability, _ clock: @escaping @Sendable () -> Instant
  ) throws(StorageError) {
    do {
      database = try Database(path: path, durability: durability, clock: clock)
    } catch {
      throw storageError(error)
    }
    writeRowsInBackground()
  }

  // MARK: Storage

  public func load() throws -> StoredCluster {
    try withDatabase { try $0.load() }
  }

  public func commit(_ changes: [Change]) throws {
    try withDatabase { try $0.commit(changes) }
    writeRowsInBackground()
  }

  /// A condition needs all jobs as rows: with large arrays just accepted, the answer waits for them.
  public func jobs(matching filter: JobFilter, limit: Int) async throws -> [JobRecord] {
    if filter.condition != nil {
      while try withDatabase({ !$0.pending.isEmpty }) {
        try withDatabase { try $0.writeSomeRows() }
        await Task.yield()
      }
    }
    return try withDatabase { try $0.records(matching: filter, limit: limit) }
  }

  public func request(of job: JobID) throws -> JobRequest? {
    try withDatabase { try $0.request(of: job) }
  }

  public func events(_ filter: EventFilter) throws -> [JobEvent] {
    try withDatabase { try $0.events(filter) }
  }

  /// Reads all jobs, and lets others in meanwhile.
  public func pastUse(from begin: Instant, to end: Instant) async throws -> [PastUse] {
    var reader = UsageReader(from: begin, to: end)
    while try withDatabase({ try reader.readSlice($0.connection) }) { await Task.yield() }
    return reader.pastUse
  }

  /// Writes what is pending and closes the database; what fails here is done at the next start.
  public func close() {
    try? database?.finish()
    database = nil
  }

  /// Whether every job has its rows in OAR's tables.
  func isComplete() -> Bool { database?.pending.isEmpty ?? true }

  // MARK: Parts

  private func withDatabase<Result>(_ body: (Database) throws -> Result) throws -> Result {
    guard let database else { throw StorageError.failed("the database \(path) is closed") }
    do {
      return try body(database)
    } catch {
      throw storageError(error)
    }
  }

  private func storageError(_ error: any Error) -> StorageError {
    switch error {
    case let error as StorageError: error
    case let failure as StorageFailure: failure.storageError(path: path)
    default: .failed("the database \(path) failed: \(error)")
    }
  }

  /// Turns arrays into rows while others use the store. A failure, such as a full disk, ends it until
  /// the next commit that succeeds: nothing is lost meanwhile.
  private func writeRowsInBackground() {
    guard !isWritingRows, database?.pending.isEmpty == false else { return }
    isWritingRows = true
    Task {
      defer { isWritingRows = false }
      // Nothing may hold the database while others are let in: they may close it.
      while self.database?.pending.isEmpty == false {
        // Whoever waits for the thread comes first.
        await Task.yield()
        do { try self.database?.writeSomeRows() } catch { return }
      }
    }
  }
}
