// One prepared statement: its parameters in, its rows out.

import CSQLite

/// What can be bound to a parameter.
enum SQLValue: Hashable, Sendable {
  case integer(Int)
  case text(String)
  case null
}

/// SQLite copies the bytes before the call returns.
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

/// A prepared statement. Used by the storage thread alone.
final class Statement {
  private let handle: OpaquePointer
  private unowned let connection: Connection
  private var boundCount: Int32 = 0

  init(_ handle: OpaquePointer, of connection: Connection) {
    self.handle = handle
    self.connection = connection
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: Parameters, in order

  @discardableResult
  func bind(_ value: Int) -> Self {
    boundCount += 1
    sqlite3_bind_int64(handle, boundCount, Int64(value))
    return self
  }

  @discardableResult
  func bind(_ value: Int?) -> Self {
    guard let value else { return bindNull() }
    return bind(value)
  }

  @discardableResult
  func bind(_ value: String) -> Self {
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
  func bind(_ value: String?) -> Self {
    guard let value else { return bindNull() }
    return bind(value)
  }

  @discardableResult
  func bind(_ bytes: [UInt8]) -> Self {
    boundCount += 1
    _ = bytes.withUnsafeBytes {
      sqlite3_bind_blob64(handle, boundCount, $0.baseAddress, UInt64($0.count), copied)
    }
    if bytes.isEmpty { sqlite3_bind_zeroblob(handle, boundCount, 0) }
    return self
  }

  @discardableResult
  func bind(_ value: SQLValue) -> Self {
    switch value {
    case .integer(let number): bind(number)
    case .text(let text): bind(text)
    case .null: bindNull()
    }
  }

  private func bindNull() -> Self {
    boundCount += 1
    sqlite3_bind_null(handle, boundCount)
    return self
  }

  // MARK: Running

  /// Runs a statement that gives no rows.
  func run() throws(StorageFailure) {
    defer { reset() }
    while try step() {}
  }

  /// Calls `body` for each row.
  func forEachRow(_ body: (Statement) throws -> Void) throws {
    defer { reset() }
    while try step() { try body(self) }
  }

  /// The value of `body` for each row.
  func rows<Value>(_ body: (Statement) throws -> Value) throws -> [Value] {
    var values: [Value] = []
    try forEachRow { values.append(try body($0)) }
    return values
  }

  /// The value of `body` for the first row; `nil` if there is none.
  func firstRow<Value>(_ body: (Statement) throws -> Value) throws -> Value? {
    defer { reset() }
    return try step() ? body(self) : nil
  }

  /// The value of `body` for the only row of a statement that also writes: it is run to its end.
  func onlyRow<Value>(_ body: (Statement) throws -> Value) throws -> Value? {
    try rows(body).last
  }

  /// Goes to the next row; `false` after the last. Callers reset the statement in the end.
  func step() throws(StorageFailure) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code:
      let failure = connection.failure(code)
      reset()
      throw failure
    }
  }

  func reset() {
    sqlite3_reset(handle)
    boundCount = 0
  }

  // MARK: Columns of the present row, from 0

  var columnCount: Int { Int(sqlite3_column_count(handle)) }

  func name(_ column: Int) -> String { String(cString: sqlite3_column_name(handle, Int32(column))) }

  func integer(_ column: Int) -> Int { Int(sqlite3_column_int64(handle, Int32(column))) }

  func isNull(_ column: Int) -> Bool {
    sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
  }

  func optionalInteger(_ column: Int) -> Int? { isNull(column) ? nil : integer(column) }

  /// The text of a column; empty for NULL. Bytes that aren't UTF-8 are replaced.
  func text(_ column: Int) -> String {
    String(decoding: textBytes(column), as: UTF8.self)
  }

  func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

  /// The bytes of a text column, valid until the next step.
  func textBytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    let start = sqlite3_column_text(handle, Int32(column))
    return UnsafeBufferPointer(
      start: start, count: Int(sqlite3_column_bytes(handle, Int32(column))))
  }

  func blob(_ column: Int) -> [UInt8] {
    let start = sqlite3_column_blob(handle, Int32(column))
    let count = Int(sqlite3_column_bytes(handle, Int32(column)))
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  func value(_ column: Int) -> SQLValue {
    switch sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_NULL: .null
    default: .text(text(column))
    }
  }
}
