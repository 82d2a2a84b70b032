// Which database `oar.conf` names, and how it is opened.

import ClusterModel
import PostgreSQLStorage
import SQLiteStorage
import Storage

/// The database of a site.
public enum DatabaseChoice: Sendable {
  /// DB_TYPE="SQLite" and DB_BASE_FILE.
  case sqlite(path: String)
  /// DB_TYPE="Pg", DB_HOSTNAME, DB_PORT, DB_BASE_NAME, DB_BASE_LOGIN and DB_BASE_PASSWD.
  case postgreSQL(PostgreSQLSettings)

  /// Reads the choice.
  ///
  /// - Throws: ``ConfigurationError`` for a database that we can't use.
  public init(_ configuration: Configuration) throws(ConfigurationError) {
    let type = configuration.text("DB_TYPE", default: "SQLite")
    switch type.lowercased() {
    case "sqlite":
      self = .sqlite(path: configuration.text("DB_BASE_FILE", default: "/var/lib/oar/oar.sqlite"))
    case "pg", "postgresql":
      self = .postgreSQL(try PostgreSQLSettings(configuration))
    case "mysql", "mariadb":
      throw ConfigurationError(
        name: "DB_TYPE", value: type,
        allowed:
          "Pg or SQLite: Liburna does not work on MySQL or MariaDB databases, move to PostgreSQL "
          + "first")
    default:
      throw ConfigurationError(name: "DB_TYPE", value: type, allowed: "Pg or SQLite")
    }
  }

  /// Opens the database.
  ///
  /// - Parameters:
  ///   - manner: what may be taken for granted in a PostgreSQL database; an SQLite database is ours.
  ///   - lock: what the program must hold alone; if `nil`, that of a server unless the database is shared.
  /// - Throws: `StorageError`.
  public func open(_ manner: Manner, lock: AdvisoryLock? = nil) async throws -> any SharedStorage {
    switch self {
    case .sqlite(let path):
      guard manner != .sharedWithOurTables else {
        throw StorageError.unusable(
          "LIBURNA_WITH_OAR2=\"yes\" needs the PostgreSQL database of an OAR 2 (DB_TYPE=\"Pg\")")
      }
      return try await SQLiteStorage.open(path: path)
    case .postgreSQL(let settings):
      return try await PostgreSQLStorage.open(settings, manner, lock: lock)
    }
  }
}
