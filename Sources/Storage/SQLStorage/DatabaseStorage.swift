// A store in a database of OAR's, whichever it is.

import ClusterModel
import Storage

/// A store in a database.
///
/// All work is done on a thread of its own, in the order of the calls. Large arrays are accepted as
/// one durable row and become OAR's rows in the background, in slices short enough not to hold up
/// commits.
public actor DatabaseStorage: Storage {
  private nonisolated let thread: StorageThread
  /// What the database is called in messages.
  private nonisolated let name: String
  /// `nil` before it is opened and after it is closed.
  private var database: Database?
  private var isWritingRows = false

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  private init(name: String, thread: StorageThread) {
    self.name = name
    self.thread = thread
  }

  deinit { thread.stop() }

  /// Opens a store.
  ///
  /// - Parameters:
  ///   - name: what the database is called in messages.
  ///   - clock: the date of what has no date of its own, such as a new resource.
  ///   - connect: opens the database; called on the thread of the store.
  package static func open(
    name: String, clock: @escaping @Sendable () -> Instant,
    connect: @escaping @Sendable () throws -> Connection
  ) async throws -> DatabaseStorage {
    guard let thread = StorageThread.start(name: "storage") else {
      throw StorageError.failed("no thread can be started for the database")
    }
    let storage = DatabaseStorage(name: name, thread: thread)
    try await storage.start(clock, connect)
    return storage
  }

  private func start(
    _ clock: @escaping @Sendable () -> Instant,
    _ connect: @escaping @Sendable () throws -> Connection
  ) throws(StorageError) {
    do {
      database = try Database(try connect(), clock: clock)
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

  public func existing(_ jobs: [JobID]) throws -> Set<JobID> {
    try withDatabase { try QueueRows(connection: $0.connection).existing(jobs) }
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

  public func reserve(
    jobs: Int, moldables: Int
  ) throws -> (job: JobID, moldable: MoldableID) {
    try withDatabase { try $0.reserve(jobs: jobs, moldables: moldables) }
  }

  /// Writes what is pending and closes the database; what fails here is done at the next start.
  public func close() {
    try? database?.finish()
    database = nil
  }

  /// Lets go of the database as it is.
  func abandon() { database = nil }

  /// Whether every job has its rows in OAR's tables.
  func isComplete() -> Bool { database?.pending.isEmpty ?? true }

  // MARK: Parts

  func withDatabase<Result>(_ body: (Database) throws -> Result) throws -> Result {
    guard let database else { throw StorageError.failed("the database \(name) is closed") }
    do {
      return try body(database)
    } catch {
      throw storageError(error)
    }
  }

  private func storageError(_ error: any Error) -> StorageError {
    switch error {
    case let error as StorageError: error
    case let failure as StorageFailure: failure.storageError
    default: .failed("the database \(name) failed: \(error)")
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
