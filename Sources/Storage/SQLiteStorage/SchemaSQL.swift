// The schema's tables as SQLite's statements.

import SQLStorage
import Storage

/// Tables whose numbers users see or keep: they are never given twice, whatever is deleted.
private let neverReused: Set = ["jobs", "moldable_job_descriptions", "resources"]

/// Tables with a key of several columns whose rows are also read in the order of insertion.
private let insertionOrdered: Set = ["job_dependencies"]

/// The statements that make `table` and its indexes.
func creation(of table: SchemaTable) -> String {
  let statements =
    [tableCreation(table)] + table.indexes.map { indexCreation($0, on: table.name) }
  return statements.joined(separator: ";\n")
}

private func tableCreation(_ table: SchemaTable) -> String {
  let isSingleKey = table.primaryKey.count == 1
  var lines = table.columns.map { column in
    let isKey = isSingleKey && table.primaryKey.first == column.name
    return definition(of: column, isKey: isKey, isCounted: neverReused.contains(table.name))
  }
  if table.primaryKey.count > 1 { lines.append(table.keyClause) }
  let keepsOrder = isSingleKey || table.primaryKey.isEmpty || insertionOrdered.contains(table.name)
  let suffix = keepsOrder ? "" : " WITHOUT ROWID"
  return "CREATE TABLE \(quoted(table.name)) (\n  \(lines.joined(separator: ",\n  "))\n)\(suffix)"
}

private func definition(of column: SchemaColumn, isKey: Bool, isCounted: Bool) -> String {
  var text = "\(quoted(column.name)) \(typeName(column.type))"
  if !column.isNullable && column.type != .serial { text += " NOT NULL" }
  text += column.defaultClause
  if isKey { text += " PRIMARY KEY" + (isCounted ? " AUTOINCREMENT" : "") }
  return text + column.checkClause
}

private func typeName(_ type: ColumnType) -> String {
  switch type {
  case .integer, .serial: "integer"
  case .bigint: "bigint"
  case .varchar(let length): "varchar(\(length))"
  case .text: "text"
  case .blob: "blob"
  }
}
