// The parts of OAR's schema that all databases write alike, and the checks of a database that somebody made.

import Storage

/// The statement that makes an index if it is missing.
package func indexCreation(_ index: SchemaIndex, on table: String) -> String {
  let columns = index.columns.map(quoted).joined(separator: ", ")
  return "CREATE INDEX IF NOT EXISTS \(quoted(index.name)) ON \(quoted(table)) (\(columns))"
}

extension SchemaColumn {
  /// ` DEFAULT …`, if it has one.
  package var defaultClause: String {
    switch defaultValue {
    case .integer(let value): " DEFAULT \(value)"
    case .text(let value): " DEFAULT \(literal(value))"
    case nil: ""
    }
  }

  /// ` CHECK …`, if it takes some words alone.
  package var checkClause: String {
    if allowed.isEmpty { return "" }
    let values = allowed.map(literal).joined(separator: ", ")
    return " CHECK (\(quoted(name)) IN (\(values)))"
  }
}

extension SchemaTable {
  /// `PRIMARY KEY …`.
  package var keyClause: String {
    "PRIMARY KEY (\(primaryKey.map(quoted).joined(separator: ", ")))"
  }
}

/// What a database lacks of OAR's, in words; `nil` if it has all tables and columns.
package func lackOfOARs(
  hasTable: (String) throws -> Bool, hasColumn: (String, String) throws -> Bool
) rethrows -> String? {
  for table in oarSchema {
    guard try hasTable(table.name) else { return "it has no table \(table.name)" }
    for column in table.columns where try !hasColumn(column.name, table.name) {
      return "its table \(table.name) has no column \(column.name)"
    }
  }
  return nil
}

/// Refuses a database whose tables of ours come from a newer version.
///
/// - Parameter name: what the database is called in messages.
/// - Throws: ``StorageError/unusable(_:)``.
package func requireKnownLayout(_ connection: Connection, _ name: String) throws {
  let layout = try connection.prepare("SELECT value FROM liburna_facts WHERE name = 'layout'")
    .firstRow { $0.text(0) }
  guard let layout, let number = Int(layout), number <= liburnaLayout else {
    throw StorageError.unusable(
      "\(name) was written by a newer Liburna (layout \(layout ?? "none"), known: "
        + "\(liburnaLayout)); it was left as it is: install that version again")
  }
}
