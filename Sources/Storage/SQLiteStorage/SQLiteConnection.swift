// SQLite as a database of the store: what its codes mean, and what it does its own way.

import CSQLite
import SQLStorage
import Storage

/// A connection to an SQLite database. Used by the storage thread alone.
final class SQLiteConnection: Connection {
  let path: String
  private let handle: OpaquePointer
  private let durability: SQLiteStorage.Durability
  private var waitsForDisk = true
  // The last, so that it goes after the database is closed.
  private let lock: DatabaseLock?

  /// Opens the database at `path`; with `SQLITE_OPEN_URI` it may be a `file:` URI.
  ///
  /// - Parameters:
  ///   - durability: what a commit waits for, as the database was configured.
  ///   - lock: what is held until the database is closed.
  init(
    path: String, flags: Int32, durability: SQLiteStorage.Durability = .normal,
    lock: DatabaseLock? = nil
  ) throws(StorageFailure) {
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(
      path, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle else {
      let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
      sqlite3_close_v2(handle)
      throw StorageFailure(code: code, text: text, path: path)
    }
    self.path = path
    self.handle = handle
    self.durability = durability
    self.lock = lock
    super.init(.sqlite)
  }

  deinit {
    dropStatements()
    sqlite3_close_v2(handle)
  }

  // MARK: Statements

  override func prepare(_ sql: String, isKept: Bool) throws(StorageFailure) -> Statement {
    var statement: OpaquePointer?
    let flags = isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
    let code = sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code) }
    return SQLiteStatement(statement, of: self)
  }

  /// Here it may be several statements.
  override func execute(_ sql: String) throws(StorageFailure) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// How many rows the last statement changed.
  var changedRows: Int { Int(sqlite3_changes(handle)) }

  // MARK: Transactions

  override func begin(durable: Bool) throws(StorageFailure) {
    if durability == .full, durable != waitsForDisk {
      try execute("PRAGMA synchronous = \(durable ? "FULL" : "NORMAL")")
      waitsForDisk = durable
    }
    try statement("BEGIN IMMEDIATE").run()
  }

  override func commit() throws { try statement("COMMIT").run() }

  /// SQLite has ended the transaction by itself after some errors, a full disk among them.
  override func rollBack() {
    if sqlite3_get_autocommit(handle) == 0 { try? statement("ROLLBACK").run() }
  }

  /// Leaves a database without a log: everything is in its one file.
  override func finish() throws { try execute("PRAGMA wal_checkpoint(TRUNCATE)") }

  // MARK: Tables and numbers

  override func columns(of table: String) throws -> [(name: String, isInteger: Bool)] {
    try prepare("SELECT name, type FROM pragma_table_info(?) ORDER BY cid").bind(table)
      .rows { ($0.text(0), $0.text(1).lowercased().contains("int")) }
  }

  /// SQLite remembers the greatest number given in some tables, even if its row is gone.
  override func nextID(_ column: String, _ table: String) throws -> Int {
    let given = try statement("SELECT seq FROM sqlite_sequence WHERE name = ?").bind(table)
      .firstRow { $0.integer(0) }
    return max((given ?? 0) + 1, try super.nextID(column, table))
  }

  // MARK: Settings

  /// How long to wait for another program that writes to the database.
  func setBusyTimeout(milliseconds: Int32) {
    sqlite3_busy_timeout(handle, milliseconds)
  }

  override func withPatience<Result>(
    _ duration: Duration, _ body: () throws -> Result
  ) throws -> Result {
    let box = Unmanaged.passRetained(Patience(duration))
    defer {
      sqlite3_progress_handler(handle, 0, nil, nil)
      box.release()
    }
    sqlite3_progress_handler(handle, Patience.stepsPerQuestion, isPatienceOver, box.toOpaque())
    return try body()
  }

  func failure(_ code: Int32) -> StorageFailure {
    StorageFailure(code: code, text: String(cString: sqlite3_errmsg(handle)), path: path)
  }
}

private func isPatienceOver(_ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let argument else { return 0 }
  return Unmanaged<Patience>.fromOpaque(argument).takeUnretainedValue().isOver() ? 1 : 0
}

/// How long a call may take: some work in any case, so that what is small is always finished, however
/// busy the machine is; then until a deadline.
private final class Patience {
  /// SQLite asks after so many steps of its own; a step is less than a microsecond.
  static let stepsPerQuestion: Int32 = 1000
  /// How many questions are answered without a look at the clock.
  private static let freeQuestions = 500

  private let end: ContinuousClock.Instant
  private var questions = 0

  init(_ duration: Duration) {
    end = .now + duration
  }

  func isOver() -> Bool {
    questions += 1
    return questions > Self.freeQuestions && .now >= end
  }
}

extension StorageFailure {
  /// A failed call of SQLite.
  ///
  /// - Parameters:
  ///   - code: the extended result code.
  ///   - text: SQLite's text.
  ///   - path: the database's file, named to the store's callers.
  init(code: Int32, text: String, path: String) {
    let kind: Kind
    let error: StorageError
    switch code & 0xff {
    case SQLITE_FULL:
      kind = .other
      error = .full(
        "the disk of \(path) is full: nothing was written; free some space and try again")
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY:
      kind = .other
      error = .full(
        "\(path) can't be written (\(text)): nothing was written; check its disk, permissions "
          + "and quota, and try again")
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      kind = .other
      error = .unusable("\(path) is damaged (\(text)): stop the server and restore a backup")
    case SQLITE_BUSY, SQLITE_LOCKED:
      kind = .busy
      error = .failed(
        "another program has kept \(path) locked for writing; end it and try again")
    case let code:
      kind = code == SQLITE_INTERRUPT ? .interrupted : .refused
      error = .failed("the database \(path) refused: \(text)")
    }
    self.init(kind, text, error)
  }
}
