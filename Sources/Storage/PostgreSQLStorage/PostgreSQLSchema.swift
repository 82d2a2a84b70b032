// OAR's schema as PostgreSQL's statements, and the check of a database that is to be ours.

import SQLStorage
import Storage

/// Makes or checks the tables of a database.
struct PostgreSQLSchema {
  let connection: PostgreSQLDatabase

  /// Makes a database ours: OAR's tables if it has none, and our own.
  func prepareOurs() throws {
    let settings = connection.settings
    if oarSchema.allSatisfy({ !connection.hasTable($0.name) }) {
      try connection.transaction {
        for table in oarSchema + liburnaSchema { try make(table) }
        for index in ownIndexes { try connection.execute(index) }
        try insertFirstRows(connection)
        try writeLayout(connection)
      }
      try connection.readCatalog()
      return try ChangeTriggers(connection: connection).add()
    }
    let lack = lackOfOARs(hasTable: connection.hasTable, hasColumn: connection.hasColumn)
    if let lack { throw foreign(lack) }
    let version = try connection.prepare("SELECT version FROM schema").firstRow { $0.text(0) }
    guard let version, version.hasPrefix("2.5.") else {
      throw StorageError.unusable(
        "\(settings) has a schema of the version \(version ?? "(none)"), not \(oarSchemaVersion): it "
          + "was left as it is")
    }
    try addOwnTables()
    try connection.execute(ownIndexes.joined(separator: ";"))
    try ChangeTriggers(connection: connection).add()
  }

  /// Makes our own tables if they are missing.
  func addOwnTables() throws {
    let settings = connection.settings
    if connection.hasTable("liburna_facts") { try requireKnownLayout(connection, "\(settings)") }
    let missing = liburnaSchema.filter { !connection.hasTable($0.name) }
    if missing.isEmpty { return }
    try connection.transaction {
      for table in missing { try make(table) }
      try writeLayout(connection)
    }
    try connection.readCatalog()
  }

  private func foreign(_ what: String) -> StorageError {
    .unusable(
      "\(connection.settings) is not a database of OAR \(oarSchemaVersion): \(what). It was left as "
        + "it is: name another in DB_BASE_NAME")
  }

  // MARK: Statements

  private var ownIndexes: [String] {
    liburnaIndexes.flatMap { table, indexes in indexes.map { indexCreation($0, on: table) } }
  }

  private func make(_ table: SchemaTable) throws {
    var lines = table.columns.map { definition(of: $0) }
    if !table.primaryKey.isEmpty { lines.append(table.keyClause) }
    try connection.execute(
      "CREATE TABLE \(quoted(table.name)) (\n  \(lines.joined(separator: ",\n  "))\n)")
    for index in table.indexes { try connection.execute(indexCreation(index, on: table.name)) }
  }

  private func definition(of column: SchemaColumn) -> String {
    let isRequired = !column.isNullable && column.type != .serial
    return "\(quoted(column.name)) \(typeName(column.type))\(column.defaultClause)"
      + (isRequired ? " NOT NULL" : "") + column.checkClause
  }

  private func typeName(_ type: ColumnType) -> String {
    switch type {
    case .serial: "bigserial"
    case .integer: "integer"
    case .bigint: "bigint"
    case .varchar(let length): "varchar(\(length))"
    case .text: "text"
    case .blob: "bytea"
    }
  }
}
