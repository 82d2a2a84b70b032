// How a database schema is written down as data, so that every store renders the same tables.

/// The type of a column, in OAR's words.
public enum ColumnType: Hashable, Sendable {
  case integer
  case bigint
  /// A number that the database gives out, from 1; always the primary key.
  case serial
  case varchar(Int)
  case text
  case blob
}

/// What a column holds when a row does not say.
public enum ColumnDefault: Hashable, Sendable {
  case integer(Int)
  case text(String)
}

/// One column of a table.
public struct SchemaColumn: Hashable, Sendable {
  public var name: String
  public var type: ColumnType
  public var isNullable: Bool
  public var defaultValue: ColumnDefault?
  /// The only values that it takes; empty for any.
  public var allowed: [String] = []

  init(
    _ name: String, _ type: ColumnType, nullable: Bool = false, default value: ColumnDefault? = nil,
    allowed: [String] = []
  ) {
    self.name = name
    self.type = type
    self.isNullable = nullable
    self.defaultValue = value
    self.allowed = allowed
  }

  static func serial(_ name: String) -> SchemaColumn { SchemaColumn(name, .serial) }

  /// A number that is always there.
  static func number(_ name: String, default value: Int? = 0) -> SchemaColumn {
    SchemaColumn(name, .integer, default: value.map { .integer($0) })
  }

  /// A bounded text that is always there.
  static func word(_ name: String, _ length: Int, default value: String? = "") -> SchemaColumn {
    SchemaColumn(name, .varchar(length), default: value.map { .text($0) })
  }

  /// One of a few words; the first is the default.
  static func choice(_ name: String, _ length: Int, _ allowed: [String]) -> SchemaColumn {
    SchemaColumn(name, .varchar(length), default: allowed.first.map { .text($0) }, allowed: allowed)
  }

  /// YES or NO.
  static func flag(_ name: String, default value: String = "NO") -> SchemaColumn {
    SchemaColumn(name, .varchar(3), default: .text(value), allowed: ["YES", "NO"])
  }

  /// A column that may hold nothing.
  static func optional(_ name: String, _ type: ColumnType) -> SchemaColumn {
    SchemaColumn(name, type, nullable: true)
  }
}

/// An index of a table.
public struct SchemaIndex: Hashable, Sendable {
  public var name: String
  public var columns: [String]

  init(_ name: String, _ columns: String...) {
    self.name = name
    self.columns = columns
  }
}

/// One table with its indexes.
public struct SchemaTable: Hashable, Sendable {
  public var name: String
  public var columns: [SchemaColumn]
  public var primaryKey: [String]
  public var indexes: [SchemaIndex]

  init(
    _ name: String, key: [String] = [], _ columns: [SchemaColumn], indexes: [SchemaIndex] = []
  ) {
    self.name = name
    self.columns = columns
    self.primaryKey = key
    self.indexes = indexes
  }
}
