// What tables and columns the database has, and which sequences count their rows.

import SQLStorage
import Storage

/// The tables of OAR's and ours that a database has.
struct Catalog {
  struct Column {
    var name: String
    var isInteger: Bool
    /// Whether its values are whole numbers, texts or bytes; others are read as text.
    var isPlain: Bool
  }

  var columns: [String: [Column]] = [:]
  /// By table and column.
  var sequences: [String: String] = [:]

  func has(_ column: String, _ table: String) -> Bool {
    columns[table]?.contains { $0.name == column } ?? false
  }
}

/// A connection that knows the tables of its database. Used by the storage thread alone.
final class PostgreSQLDatabase: PostgreSQLConnection {
  private var catalog = Catalog()
  /// When the tables were looked up at the opening; `nil` once that has been made use of.
  private var opened: ContinuousClock.Instant?
  private var listener: ChangeListener?

  override init(_ settings: PostgreSQLSettings, _ manner: Manner, lock: AdvisoryLock?) throws {
    try super.init(settings, manner, lock: lock)
    try readCatalog()
    opened = .now
  }

  deinit { listener?.end() }

  override var isShared: Bool { manner != .ours }
  override var takesWholeArrays: Bool { manner == .ours }
  override var rowsPerInsert: Int { 64 }
  override var keepsTokens: Bool { manner != .shared && hasTable("liburna_facts") }

  /// Looks up what there is.
  func readCatalog() throws {
    var catalog = Catalog()
    let names = (oarSchema + liburnaSchema).map(\.name).joined(separator: ",")
    try prepare(
      """
      SELECT c.relname, a.attname, t.typname,
        CASE WHEN a.atthasdef THEN pg_get_serial_sequence(quote_ident(c.relname), a.attname) END
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
        AND pg_table_is_visible(c.oid) AND c.relname = ANY (CAST(? AS text[]))
      ORDER BY c.relname, a.attnum
      """
    ).bind("{\(names)}").forEachRow { row in
      let (table, column, type) = (row.text(0), row.text(1), row.text(2))
      let isInteger = ["int2", "int4", "int8"].contains(type)
      let isPlain = isInteger || ["text", "varchar", "bpchar", "name", "bytea"].contains(type)
      catalog.columns[table, default: []].append(
        Catalog.Column(name: column, isInteger: isInteger, isPlain: isPlain))
      if let sequence = row.optionalText(3) { catalog.sequences["\(table).\(column)"] = sequence }
    }
    self.catalog = catalog
  }

  override func columns(of table: String) throws -> [(name: String, isInteger: Bool)] {
    (catalog.columns[table] ?? []).map { ($0.name, $0.isInteger) }
  }

  override func columnsChanged() throws {
    opened = nil
    try readCatalog()
  }

  /// Who opens a database to read it once need not look twice: that is a tenth of a small pass.
  override func columnsMayHaveChanged() throws {
    let opened = opened
    self.opened = nil
    if let opened, .now - opened < .milliseconds(100) { return }
    try readCatalog()
  }

  override func hasTable(_ table: String) -> Bool { catalog.columns[table] != nil }

  override func hasColumn(_ column: String, _ table: String) -> Bool { catalog.has(column, table) }

  /// Values of a type that we don't know are read as text.
  override func expression(_ column: String, _ table: String) -> String {
    let isPlain = catalog.columns[table]?.first { $0.name == column }?.isPlain ?? true
    let name = quoted(column)
    return isPlain ? name : "CAST(\(name) AS text) AS \(name)"
  }

  /// In OAR's own database nobody tells: its tables are not ours to add triggers to.
  override func foreignChanges() -> AsyncStream<ForeignChange>? {
    guard manner == .ours, listener == nil else { return nil }
    let (listener, words) = ChangeListener.start(settings) ?? (nil, nil)
    self.listener = listener
    return words
  }

  // MARK: Numbers of rows

  private func sequence(_ column: String, _ table: String) -> String? {
    catalog.sequences["\(table).\(column)"]
  }

  override func nextID(_ column: String, _ table: String) throws -> Int {
    let present =
      try prepare("SELECT max(\(quoted(column))) FROM \(quoted(table))")
      .firstRow { $0.integer(0) } ?? 0
    // Who shares a database takes its numbers from there, and may lack the right to look.
    guard !isShared, let sequence = sequence(column, table) else { return present + 1 }
    let next = try prepare(
      "SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM \(sequence)"
    ).firstRow { $0.integer(0) }
    return max(present + 1, next ?? 1)
  }

  override func takeIDs(_ column: String, _ table: String, count: Int) throws -> [Int] {
    if count == 0 { return [] }
    guard let sequence = sequence(column, table) else {
      return try super.takeIDs(column, table, count: count)
    }
    return try statement("take ids", table) {
      "SELECT nextval(\(literal(sequence))) FROM generate_series(1, ?)"
    }.bind(count).rows { $0.integer(0) }
  }

  private static let attempts = 100

  /// Others may take some in between: then it is tried again, and the numbers between stay unused.
  override func takeConsecutiveIDs(_ column: String, _ table: String, count: Int) throws -> Int {
    for _ in 0..<Self.attempts {
      let ids = try takeIDs(column, table, count: count)
      guard let first = ids.first, let last = ids.last else { return 0 }
      if last - first + 1 == count { return first }
    }
    throw StorageError.full(
      "\(settings) gave no \(count) consecutive numbers for \(table): others take too many at once")
  }

  /// Ours to count; so that whoever comes after us finds the next number there.
  override func gaveIDs(upTo last: Int, _ column: String, _ table: String) throws {
    guard !isShared, last > 0, let sequence = sequence(column, table) else { return }
    try statement("gave ids", table) {
      """
      SELECT setval(\(literal(sequence)), greatest(CAST(? AS bigint), last_value)) FROM \(sequence)
      """
    }.bind(last).run()
  }

  // MARK: Many rows

  override func insertPairs(
    into table: String, _ columns: (String, String), _ pairs: [(Int, Int)]
  ) throws {
    try insert("insert pairs", " ON CONFLICT DO NOTHING", into: table, columns, pairs)
  }

  /// A third faster than looking for conflicts.
  override func insertNewPairs(
    into table: String, _ columns: (String, String), _ pairs: [(Int, Int)]
  ) throws {
    try insert("insert new pairs", "", into: table, columns, pairs)
  }

  private func insert(
    _ verb: String, _ end: String, into table: String, _ columns: (String, String),
    _ pairs: [(Int, Int)]
  ) throws {
    if pairs.isEmpty { return }
    try statement(verb, table) {
      """
      INSERT INTO \(table) (\(columns.0), \(columns.1))
      SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]))\(end)
      """
    }.bind(numberList(pairs.map(\.0))).bind(numberList(pairs.map(\.1))).run()
  }

  override func setPairs(
    in table: String, key: String, _ column: String, _ pairs: [(Int, Int)]
  ) throws {
    if pairs.isEmpty { return }
    try statement("set pairs", table) {
      """
      INSERT INTO \(table) (\(key), \(column))
      SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]))
      ON CONFLICT (\(key)) DO UPDATE SET \(column) = excluded.\(column)
      """
    }.bind(numberList(pairs.map(\.0))).bind(numberList(pairs.map(\.1))).run()
  }

  override func deleteRows(from table: String, where column: String, isOneOf ids: [Int]) throws {
    if ids.isEmpty { return }
    try statement("delete rows", table) {
      "DELETE FROM \(table) WHERE \(column) = ANY (CAST(? AS bigint[]))"
    }.bind(numberList(ids)).run()
  }

  override func setTexts(
    in table: String, key: String, _ column: String, _ values: [(id: Int, text: String)]
  ) throws {
    if values.isEmpty { return }
    try statement("set texts", table) {
      """
      UPDATE \(table) SET \(column) = new.text
      FROM unnest(CAST(? AS bigint[]), CAST(? AS text[])) AS new(id, text) WHERE \(key) = new.id
      """
    }.bind(numberList(values.map(\.id))).bind(textList(values.map(\.text))).run()
  }

  private func numberList(_ numbers: [Int]) -> String {
    var text = "{"
    for (index, number) in numbers.enumerated() {
      if index > 0 { text += "," }
      text += String(number)
    }
    return text + "}"
  }

  private func textList(_ texts: [String]) -> String {
    let elements = texts.map { text in
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    return "{" + elements.joined(separator: ",") + "}"
  }
}
