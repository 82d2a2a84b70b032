// Rows of one table, written several with each statement: SQLite opens a table and all its indexes
// anew for each, which costs as much as a row.

/// New rows of one table on their way.
struct RowBuffer {
  /// How many rows a statement writes; what is left over goes one by one.
  static let rowsPerStatement = 16

  let table: String
  let columns: [String]
  private var values: [SQLValue] = []

  init(_ table: String, _ columns: String...) {
    self.table = table
    self.columns = columns
  }

  /// Adds values of the next row, in the order of the columns; a row may come in parts.
  mutating func add(_ parts: SQLValue...) { values += parts }

  /// Writes all rows.
  func write(to connection: Connection) throws {
    let width = columns.count
    precondition(values.count % width == 0, "a row of \(table) is not complete")
    var rest = values[...]
    while rest.count >= width * Self.rowsPerStatement {
      try write(rest.prefix(width * Self.rowsPerStatement), rows: Self.rowsPerStatement, connection)
      rest = rest.dropFirst(width * Self.rowsPerStatement)
    }
    while !rest.isEmpty {
      try write(rest.prefix(width), rows: 1, connection)
      rest = rest.dropFirst(width)
    }
  }

  private func write(
    _ values: ArraySlice<SQLValue>, rows: Int, _ connection: Connection
  ) throws {
    let statement = try connection.statement("insert", table, rows: rows) { sql(rows: rows) }
    for value in values { statement.bind(value) }
    try statement.run()
  }

  private func sql(rows: Int) -> String {
    let names = columns.map(quoted).joined(separator: ", ")
    let row = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
    let all = Array(repeating: row, count: rows).joined(separator: ", ")
    return "INSERT INTO \(quoted(table)) (\(names)) VALUES \(all)"
  }
}

extension SQLValue {
  static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
}
