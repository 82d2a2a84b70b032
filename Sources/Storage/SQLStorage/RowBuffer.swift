// Rows of one table, written several with each statement: SQLite opens a table and all its indexes
// anew for each, which costs as much as a row.

/// New rows of one table on their way.
struct RowBuffer {
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
    precondition(values.count % columns.count == 0, "a row of \(table) is not complete")
    let columns = columns.filter { connection.hasColumn($0, table) }
    if columns.isEmpty { return }
    var rest = columns.count == self.columns.count ? values[...] : values(of: columns)[...]
    let width = columns.count
    // What is left over goes one by one.
    let rows = connection.rowsPerInsert
    while rest.count >= width * rows {
      try write(rest.prefix(width * rows), columns, rows: rows, connection)
      rest = rest.dropFirst(width * rows)
    }
    while !rest.isEmpty {
      try write(rest.prefix(width), columns, rows: 1, connection)
      rest = rest.dropFirst(width)
    }
  }

  /// The values for the columns that an older database has.
  private func values(of present: [String]) -> [SQLValue] {
    let kept = columns.map { present.contains($0) }
    return values.indices.filter { kept[$0 % kept.count] }.map { values[$0] }
  }

  private func write(
    _ values: ArraySlice<SQLValue>, _ columns: [String], rows: Int, _ connection: Connection
  ) throws {
    let statement = try connection.statement("insert", table, rows: rows) {
      sql(columns, rows: rows)
    }
    for value in values { statement.bind(value) }
    try statement.run()
  }

  private func sql(_ columns: [String], rows: Int) -> String {
    let names = columns.map(quoted).joined(separator: ", ")
    let row = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
    let all = Array(repeating: row, count: rows).joined(separator: ", ")
    return "INSERT INTO \(quoted(table)) (\(names)) VALUES \(all)"
  }
}
