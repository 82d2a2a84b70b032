// Where the databases' languages differ; everything else is SQL that all of them read alike.

/// The language of a database.
public enum Dialect: Sendable {
  case sqlite
  case postgreSQL

  /// The function that gives the greatest of its arguments.
  var greatest: String { self == .sqlite ? "MAX" : "GREATEST" }

  /// The function that gives the least of its arguments.
  var least: String { self == .sqlite ? "MIN" : "LEAST" }

  /// The column that every table has and that is in the order of insertion.
  var insertionOrder: String { self == .sqlite ? "rowid" : "ctid" }

  /// A column of a condition that no index shall be used for. SQLite has no figures about the values of
  /// columns and may take an index that is worse than none.
  func withoutIndex(_ column: String) -> String { self == .sqlite ? "+" + column : column }

  /// A condition with one parameter, ``list(_:)``: the column is one of these numbers.
  func isListed(_ column: String) -> String {
    switch self {
    case .sqlite: "\(column) IN (SELECT value FROM json_each(?))"
    case .postgreSQL: "\(column) = ANY (CAST(? AS bigint[]))"
    }
  }

  /// Numbers as one parameter.
  func list(_ numbers: [Int]) -> SQLValue {
    let text = numbers.map(String.init).joined(separator: ",")
    return .text(self == .sqlite ? "[\(text)]" : "{\(text)}")
  }
}

/// A name as SQL writes it.
package func quoted(_ name: String) -> String {
  "\"" + name.replacing("\"", with: "\"\"") + "\""
}

/// A text as an SQL literal; only for texts of our own.
package func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
