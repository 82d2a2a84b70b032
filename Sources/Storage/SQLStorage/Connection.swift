// One open database, whichever it is: statements by their text, and transactions.

import Storage

/// A connection to a database. Used by the storage thread alone. Each database has a subclass.
open class Connection {
  /// Its language.
  public let dialect: Dialect
  // By the address of the literal: no hashing of SQL text on the way of each row.
  private var prepared: [UInt: Statement] = [:]
  private var made: [Purpose: Statement] = [:]

  private struct Purpose: Hashable {
    var verb: String
    var table: String
    var rows: Int
  }

  public init(_ dialect: Dialect) {
    self.dialect = dialect
  }

  // MARK: Statements

  /// The statement of a literal, prepared at its first use and kept.
  public final func statement(_ sql: StaticString) throws(StorageFailure) -> Statement {
    let key = UInt(bitPattern: sql.utf8Start)
    if let statement = prepared[key] { return statement }
    let statement = try prepare(sql.description, isKept: true)
    prepared[key] = statement
    return statement
  }

  /// The statement that does `verb` to so many rows of a table, made at its first use and kept. The
  /// same verb, table and number of rows must always have the same SQL.
  public final func statement(
    _ verb: String, _ table: String, rows: Int = 1, _ sql: () -> String
  ) throws(StorageFailure) -> Statement {
    let key = Purpose(verb: verb, table: table, rows: rows)
    if let statement = made[key] { return statement }
    let statement = try prepare(sql(), isKept: true)
    made[key] = statement
    return statement
  }

  /// A statement made for one use.
  public final func prepare(_ sql: String) throws(StorageFailure) -> Statement {
    try prepare(sql, isKept: false)
  }

  /// Ends all statements that are kept; for subclasses that close the database.
  public final func dropStatements() {
    prepared.removeAll()
    made.removeAll()
  }

  // MARK: Transactions

  /// Runs `body` in a transaction that is undone if `body` or the commit fails.
  ///
  /// - Parameter durable: whether it survives a power failure once it is committed.
  public final func transaction<Result>(
    durable: Bool = true, _ body: () throws -> Result
  ) throws -> Result {
    try begin(durable: durable)
    do {
      let result = try body()
      try commit()
      return result
    } catch {
      rollBack()
      throw error
    }
  }

  // MARK: What each database does its own way

  /// Makes a statement; a kept one will be run again.
  open func prepare(_ sql: String, isKept: Bool) throws(StorageFailure) -> Statement {
    fatalError("a subclass prepares statements")
  }

  /// Runs one statement of our own that gives no rows and has no parameters.
  open func execute(_ sql: String) throws(StorageFailure) {
    try prepare(sql, isKept: false).run()
  }

  open func begin(durable: Bool) throws(StorageFailure) {}

  /// Ends the transaction; when it returns, all of it is written.
  open func commit() throws {}

  /// Undoes the transaction, if there still is one.
  open func rollBack() {}

  /// Runs questions that belong together: all see the same state of the database, whatever others write.
  open func snapshot<Result>(_ body: () throws -> Result) throws -> Result { try body() }

  /// Has the database give up a call of `body` when it takes too long, with a failure that is
  /// ``StorageFailure/Kind/interrupted``.
  open func withPatience<Result>(_ patience: Duration, _ body: () throws -> Result) throws -> Result
  {
    try body()
  }

  /// Leaves the database in good order before it is closed.
  open func finish() throws {}

  // MARK: Tables

  /// The columns of a table in order, and whether each holds whole numbers.
  open func columns(of table: String) throws -> [(name: String, isInteger: Bool)] { [] }

  /// Whether the database has the table. Ours has them all; one that OAR made may be older.
  open func hasTable(_ table: String) -> Bool { true }

  /// Whether the table has the column.
  open func hasColumn(_ column: String, _ table: String) -> Bool { true }

  /// A column of a SELECT.
  open func expression(_ column: String, _ table: String) -> String { quoted(column) }

  /// Columns were added, removed or renamed.
  open func columnsChanged() throws {}

  /// Others may have added, removed or renamed columns since they were looked up.
  open func columnsMayHaveChanged() throws { try columnsChanged() }

  /// Whether large arrays may be accepted as one row of our own, to become OAR's rows later.
  open var takesWholeArrays: Bool { true }

  /// Whether others write the tables while we do: then nothing that was written is known to be there.
  open var isShared: Bool { false }

  /// Begins to tell what others write, until the connection is ended; `nil` where nobody tells.
  open func foreignChanges() -> AsyncStream<ForeignChange>? { nil }

  // MARK: Numbers of rows

  /// The first number of a serial column that was never given to a row.
  open func nextID(_ column: String, _ table: String) throws -> Int {
    let last = try prepare("SELECT max(\(quoted(column))) FROM \(quoted(table))")
      .firstRow { $0.integer(0) }
    return (last ?? 0) + 1
  }

  /// Numbers for new rows, which nobody else gets.
  open func takeIDs(_ column: String, _ table: String, count: Int) throws -> [Int] {
    let first = try nextID(column, table)
    return Array(first..<first + count)
  }

  /// As ``takeIDs(_:_:count:)``, without gaps.
  open func takeConsecutiveIDs(_ column: String, _ table: String, count: Int) throws -> Int {
    try nextID(column, table)
  }

  /// Rows were written with numbers of our own up to `last`.
  open func gaveIDs(upTo last: Int, _ column: String, _ table: String) throws {}

  // MARK: Many rows

  /// How many rows one statement inserts.
  open var rowsPerInsert: Int { 16 }

  /// Adds rows of two numbers.
  open func insertPairs(
    into table: String, _ columns: (String, String), _ pairs: [(Int, Int)]
  ) throws {
    var rest = pairs[...]
    while !rest.isEmpty {
      // SQLite opens the table anew for each statement.
      let count = min(rest.count, 32)
      let statement = try statement("insert pairs", table, rows: count) {
        let rows = Array(repeating: "(?, ?)", count: count).joined(separator: ", ")
        return "INSERT INTO \(table) (\(columns.0), \(columns.1)) VALUES \(rows)"
      }
      for pair in rest.prefix(count) { statement.bind(pair.0).bind(pair.1) }
      try statement.run()
      rest = rest.dropFirst(count)
    }
  }

  /// The same, for rows that are surely not there: a failure if one is.
  open func insertNewPairs(
    into table: String, _ columns: (String, String), _ pairs: [(Int, Int)]
  ) throws {
    try insertPairs(into: table, columns, pairs)
  }

  /// Sets a number in rows of two numbers, found by the first, which is the key; those that are missing
  /// are added.
  open func setPairs(
    in table: String, key: String, _ column: String, _ pairs: [(Int, Int)]
  ) throws {
    for pair in pairs {
      try statement("set pair", table) {
        """
        INSERT INTO \(table) (\(key), \(column)) VALUES (?, ?)
        ON CONFLICT (\(key)) DO UPDATE SET \(column) = excluded.\(column)
        """
      }.bind(pair.0).bind(pair.1).run()
    }
  }

  /// Deletes rows by a number.
  open func deleteRows(from table: String, where column: String, isOneOf ids: [Int]) throws {
    for id in ids {
      try statement("delete rows", table) { "DELETE FROM \(table) WHERE \(column) = ?" }
        .bind(id).run()
    }
  }

  /// Sets a text in rows found by their key.
  open func setTexts(
    in table: String, key: String, _ column: String, _ values: [(id: Int, text: String)]
  ) throws {
    for value in values {
      try statement("set text", table) { "UPDATE \(table) SET \(column) = ? WHERE \(key) = ?" }
        .bind(value.text).bind(value.id).run()
    }
  }
}

/// A text that is for people, as much of it as a column of OAR's holds; not every database cuts it.
func shortened(_ text: String) -> String {
  text.utf8.count <= 255 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(255)))
}

extension Connection {
  /// Columns of one of OAR's tables for a SELECT; one that the database lacks as what it would hold.
  func list(_ columns: [String], of table: String) -> String {
    columns.map { column in
      hasColumn(column, table)
        ? expression(column, table) : "\(standIn(column, table)) AS \(quoted(column))"
    }.joined(separator: ", ")
  }

  private func standIn(_ column: String, _ table: String) -> String {
    let definition = oarSchema.first { $0.name == table }?.columns.first { $0.name == column }
    return switch definition?.defaultValue {
    case .integer(let number): String(number)
    case .text(let text): literal(text)
    case nil: "NULL"
    }
  }
}
