// One prepared statement of SQLite.

import CSQLite
import SQLStorage
import Storage

/// SQLite copies the bytes before the call returns.
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

/// A prepared statement. Used by the storage thread alone.
final class SQLiteStatement: Statement {
  private let handle: OpaquePointer
  private unowned let connection: SQLiteConnection
  private var boundCount: Int32 = 0

  init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
    self.handle = handle
    self.connection = connection
    super.init()
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: Parameters, in order

  @discardableResult
  override func bind(_ value: Int) -> Self {
    boundCount += 1
    sqlite3_bind_int64(handle, boundCount, Int64(value))
    return self
  }

  @discardableResult
  override func bind(_ value: String) -> Self {
    boundCount += 1
    var value = value
    value.withUTF8 { bytes in
      // A missing address would bind NULL instead of an empty text.
      bytes.withMemoryRebound(to: CChar.self) { characters in
        _ = sqlite3_bind_text(
          handle, boundCount, characters.baseAddress, Int32(clamping: characters.count), copied)
      }
    }
    if value.isEmpty { sqlite3_bind_text(handle, boundCount, "", 0, copied) }
    return self
  }

  @discardableResult
  override func bind(_ bytes: [UInt8]) -> Self {
    boundCount += 1
    _ = bytes.withUnsafeBytes {
      sqlite3_bind_blob64(handle, boundCount, $0.baseAddress, UInt64($0.count), copied)
    }
    if bytes.isEmpty { sqlite3_bind_zeroblob(handle, boundCount, 0) }
    return self
  }

  @discardableResult
  override func bindNull() -> Self {
    boundCount += 1
    sqlite3_bind_null(handle, boundCount)
    return self
  }

  // MARK: Running

  override func run(orElse error: @escaping () -> StorageError) throws {
    try run()
    guard connection.changedRows > 0 else { throw error() }
  }

  /// Goes to the next row; `false` after the last. Callers reset the statement in the end.
  override func step() throws(StorageFailure) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code:
      let failure = connection.failure(code)
      reset()
      throw failure
    }
  }

  override func reset() {
    sqlite3_reset(handle)
    boundCount = 0
  }

  // MARK: Columns of the present row, from 0

  override var columnCount: Int { Int(sqlite3_column_count(handle)) }

  override func name(_ column: Int) -> String {
    String(cString: sqlite3_column_name(handle, Int32(column)))
  }

  override func integer(_ column: Int) -> Int { Int(sqlite3_column_int64(handle, Int32(column))) }

  override func isNull(_ column: Int) -> Bool {
    sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
  }

  /// The bytes of a text column, valid until the next step.
  override func textBytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    let start = sqlite3_column_text(handle, Int32(column))
    return UnsafeBufferPointer(
      start: start, count: Int(sqlite3_column_bytes(handle, Int32(column))))
  }

  override func blob(_ column: Int) -> [UInt8] {
    let start = sqlite3_column_blob(handle, Int32(column))
    let count = Int(sqlite3_column_bytes(handle, Int32(column)))
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  override func value(_ column: Int) -> SQLValue {
    switch sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_NULL: .null
    default: .text(text(column))
    }
  }
}
