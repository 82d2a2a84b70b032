// A look at the database of an OAR server by somebody who wants to know whether we could work on it: versions,
// tables, columns, rights and rows. Nothing is written, and nothing is taken for granted.

import ClusterModel
import SQLStorage
import Storage

/// What a database holds.
public struct DatabaseSurvey: Sendable {
  public struct Column: Hashable, Sendable {
    public var name: String
    /// The type as PostgreSQL calls it: `int4`, `varchar` …
    public var type: String
    /// A row without a value for it is refused.
    public var mustBeGiven: Bool

    public init(name: String, type: String = "varchar", mustBeGiven: Bool = false) {
      self.name = name
      self.type = type
      self.mustBeGiven = mustBeGiven
    }
  }

  public struct Table: Hashable, Sendable {
    public var columns: [Column]
    public var isReadable = true
    /// Rows may be added, changed and removed.
    public var isWritable = true

    public init(columns: [Column]) { self.columns = columns }
  }

  /// PostgreSQL's version, such as `15.14 (Debian 15.14-0+deb12u1)`.
  public var serverVersion = ""
  /// What the table `schema` says; `nil` without it.
  public var schemaVersion: String?
  /// All tables that are found without naming a schema.
  public var tables: [String: Table] = [:]
  /// Whether we may make tables of our own.
  public var mayMakeTables = true
  /// Whether nothing can be written now: a copy that follows another server, or a setting.
  public var isReadOnly = false
  /// Resources, queues and jobs, with the rows that are set aside; `nil` if they can't be read.
  public var cluster: StoredCluster?
  /// Why they can't.
  public var clusterFailure: String?

  public init() {}
}

extension PostgreSQLStorage {
  /// Looks at a database. Blocks, for some seconds if it is away.
  ///
  /// - Throws: ``StorageError`` if it can't be reached or refuses us.
  public static func survey(_ settings: PostgreSQLSettings) throws(StorageError) -> DatabaseSurvey {
    var settings = settings
    settings.isReadOnly = true
    do {
      let connection = try PostgreSQLDatabase(settings, .shared, lock: nil)
      var survey = try connection.snapshot { try Surveyor(connection: connection).survey() }
      do {
        survey.cluster = try readCluster(over: connection)
      } catch {
        survey.clusterFailure =
          "\((error as? StorageFailure)?.storageError.description ?? "\(error)")"
      }
      return survey
    } catch {
      throw (error as? StorageError) ?? (error as? StorageFailure)?.storageError
        ?? .failed("\(settings) failed: \(error)")
    }
  }
}

/// Asks for what a survey holds.
private struct Surveyor {
  let connection: PostgreSQLDatabase

  func survey() throws -> DatabaseSurvey {
    var survey = DatabaseSurvey()
    try connection.prepare(
      """
      SELECT current_setting('server_version'), has_schema_privilege(current_schema(), 'CREATE'),
        pg_is_in_recovery() OR coalesce(
          (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'), false)
      """
    ).forEachRow { row in
      survey.serverVersion = row.text(0)
      survey.mayMakeTables = row.integer(1) == 1
      survey.isReadOnly = row.integer(2) == 1
    }
    survey.tables = try tables()
    if survey.tables["schema"]?.isReadable == true,
      connection.hasColumn("version", "schema")
    {
      survey.schemaVersion = try connection.prepare("SELECT version FROM schema")
        .firstRow { $0.text(0) }
    }
    return survey
  }

  private func tables() throws -> [String: DatabaseSurvey.Table] {
    var tables: [String: DatabaseSurvey.Table] = [:]
    try connection.prepare(
      """
      SELECT c.relname, a.attname, t.typname, a.attnotnull AND NOT a.atthasdef,
        has_table_privilege(c.oid, 'SELECT'),
        has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
          AND has_table_privilege(c.oid, 'DELETE')
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
        AND pg_table_is_visible(c.oid) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      ORDER BY c.relname, a.attnum
      """
    ).forEachRow { row in
      var table = tables[row.text(0)] ?? DatabaseSurvey.Table(columns: [])
      table.columns.append(
        DatabaseSurvey.Column(
          name: row.text(1), type: row.text(2), mustBeGiven: row.integer(3) == 1))
      table.isReadable = row.integer(4) == 1
      table.isWritable = row.integer(5) == 1
      tables[row.text(0)] = table
    }
    return tables
  }
}
