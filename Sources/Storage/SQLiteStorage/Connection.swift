// One open database: statements by their text, transactions, and what SQLite's codes mean.

import CSQLite
import Storage

/// A call of SQLite that failed.
struct StorageFailure: Error, CustomStringConvertible {
  /// The extended result code.
  let code: Int32
  /// SQLite's text.
  let text: String

  /// The code without its details.
  var kind: Int32 { code & 0xff }

  var description: String { text }
}

/// A connection to a database. Used by the storage thread alone.
final class Connection {
  let path: String
  private let handle: OpaquePointer
  // By the address of the literal: no hashing of SQL text on the way of each row.
  private var prepared: [UInt: Statement] = [:]
  private var made: [Purpose: Statement] = [:]

  private struct Purpose: Hashable {
    var verb: String
    var table: String
    var rows: Int
  }

  /// Opens the database at `path`; with `SQLITE_OPEN_URI` it may be a `file:` URI.
  init(path: String, flags: Int32) throws(StorageFailure) {
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(
      path, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle else {
      let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
      sqlite3_close_v2(handle)
      throw StorageFailure(code: code, text: text)
    }
    self.path = path
    self.handle = handle
  }

  deinit {
    prepared.removeAll()
    made.removeAll()
    sqlite3_close_v2(handle)
  }

  // MARK: Statements

  /// The statement of a literal, prepared at its first use and kept.
  func statement(_ sql: StaticString) throws(StorageFailure) -> Statement {
    let key = UInt(bitPattern: sql.utf8Start)
    if let statement = prepared[key] { return statement }
    let statement = try prepare(sql.description, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
    prepared[key] = statement
    return statement
  }

  /// The statement that does `verb` to so many rows of a table, made at its first use and kept. The
  /// same verb, table and number of rows must always have the same SQL.
  func statement(
    _ verb: String, _ table: String, rows: Int = 1, _ sql: () -> String
  ) throws(StorageFailure) -> Statement {
    let key = Purpose(verb: verb, table: table, rows: rows)
    if let statement = made[key] { return statement }
    let statement = try prepare(sql(), flags: UInt32(SQLITE_PREPARE_PERSISTENT))
    made[key] = statement
    return statement
  }

  /// A statement made for one use.
  func prepare(_ sql: String, flags: UInt32 = 0) throws(StorageFailure) -> Statement {
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code) }
    return Statement(statement, of: self)
  }

  /// Runs SQL of our own that gives no rows; may be several statements.
  func execute(_ sql: String) throws(StorageFailure) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// The number of the row that the last INSERT made.
  var lastInsertedID: Int { Int(sqlite3_last_insert_rowid(handle)) }

  /// How many rows the last statement changed.
  var changedRows: Int { Int(sqlite3_changes(handle)) }

  // MARK: Transactions

  /// Runs `body` in a transaction that is undone if `body` or the commit fails.
  func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try statement("BEGIN IMMEDIATE").run()
    do {
      let result = try body()
      try statement("COMMIT").run()
      return result
    } catch {
      // SQLite has ended the transaction by itself after some errors, a full disk among them.
      if sqlite3_get_autocommit(handle) == 0 { try? statement("ROLLBACK").run() }
      throw error
    }
  }

  // MARK: Settings

  /// How long to wait for another program that writes to the database.
  func setBusyTimeout(milliseconds: Int32) {
    sqlite3_busy_timeout(handle, milliseconds)
  }

  /// Has SQLite give up a call when it takes too long.
  func withPatience<Result>(_ patience: Patience, _ body: () throws -> Result) rethrows -> Result {
    let box = Unmanaged.passRetained(patience)
    defer {
      sqlite3_progress_handler(handle, 0, nil, nil)
      box.release()
    }
    sqlite3_progress_handler(handle, Patience.stepsPerQuestion, isPatienceOver, box.toOpaque())
    return try body()
  }

  func failure(_ code: Int32) -> StorageFailure {
    StorageFailure(code: code, text: String(cString: sqlite3_errmsg(handle)))
  }
}

private func isPatienceOver(_ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let argument else { return 0 }
  return Unmanaged<Patience>.fromOpaque(argument).takeUnretainedValue().isOver() ? 1 : 0
}

/// How long a call may take: some work in any case, so that what is small is always finished, however
/// busy the machine is; then until a deadline.
final class Patience {
  /// SQLite asks after so many steps of its own; a step is less than a microsecond.
  static let stepsPerQuestion: Int32 = 1000
  /// How many questions are answered without a look at the clock.
  private static let freeQuestions = 500

  private let deadline: Deadline
  private var questions = 0

  init(_ duration: Duration) {
    deadline = Deadline(after: duration)
  }

  fileprivate func isOver() -> Bool {
    questions += 1
    return questions > Self.freeQuestions && deadline.isOver
  }
}

/// A moment after which work on the storage thread makes room for other work.
final class Deadline {
  private let end: ContinuousClock.Instant

  init(after duration: Duration) {
    end = .now + duration
  }

  var isOver: Bool { .now >= end }
}

extension StorageFailure {
  /// The failure in the words of the store's callers.
  ///
  /// - Parameter path: the database's file, named in the text.
  func storageError(path: String) -> StorageError {
    switch kind {
    case SQLITE_FULL:
      .full("the disk of \(path) is full: nothing was written; free some space and try again")
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY:
      .full(
        "\(path) can't be written (\(text)): nothing was written; check its disk, permissions "
          + "and quota, and try again")
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      .unusable("\(path) is damaged (\(text)): stop the server and restore a backup")
    case SQLITE_BUSY, SQLITE_LOCKED:
      .failed("another program has kept \(path) locked for writing; end it and try again")
    default:
      .failed("the database \(path) refused: \(text)")
    }
  }
}
