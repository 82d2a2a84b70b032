// A table in SQLite with the columns of `RandomConditions`, to ask SQLite what a condition means.

import CSQLite
import ClusterModel

final class SQLiteTable {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private var handle: OpaquePointer?
  /// The values of each row, by column.
  let rows: [[String: PropertyValue]]

  init(rows: [[String: PropertyValue]]) throws {
    self.rows = rows
    guard sqlite3_open(":memory:", &handle) == SQLITE_OK else { throw failure() }
    try run(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, core INTEGER, mem integer, host varchar(255), tag text)",
      [])
    for (index, row) in rows.enumerated() {
      try run(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
        [.integer(index)] + ["core", "mem", "host", "tag"].map { row[$0] ?? .null })
    }
  }

  deinit { sqlite3_close(handle) }

  /// The numbers of the rows that meet a condition.
  func rows(where condition: String, _ parameters: [PropertyValue]) throws -> [Int] {
    try run("SELECT id FROM t WHERE \(condition) ORDER BY id", parameters)
  }

  @discardableResult
  private func run(_ sql: String, _ parameters: [PropertyValue]) throws -> [Int] {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
      throw failure(sql)
    }
    defer { sqlite3_finalize(statement) }
    guard sqlite3_bind_parameter_count(statement) == parameters.count else {
      throw Failure(description: "\(parameters.count) parameters for \(sql)")
    }
    for (index, value) in parameters.enumerated() { bind(value, Int32(index + 1), statement) }
    var result: [Int] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: result.append(Int(sqlite3_column_int64(statement, 0)))
      case SQLITE_DONE: return result
      default: throw failure(sql)
      }
    }
  }

  private func bind(_ value: PropertyValue, _ index: Int32, _ statement: OpaquePointer?) {
    switch value {
    case .integer(let integer): sqlite3_bind_int64(statement, index, Int64(integer))
    case .text(let text):
      let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      sqlite3_bind_text(statement, index, text, -1, transient)
    case .null: sqlite3_bind_null(statement, index)
    }
  }

  private func failure(_ sql: String = "") -> Failure {
    Failure(description: String(cString: sqlite3_errmsg(handle)) + ": " + sql)
  }
}
