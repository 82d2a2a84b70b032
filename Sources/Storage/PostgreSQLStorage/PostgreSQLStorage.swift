// The store in a PostgreSQL database: one of our own, or that of a running OAR server.

import ClusterModel
import Glibc
import SQLStorage
import Storage

/// Stores in a PostgreSQL database.
public enum PostgreSQLStorage {
  /// Opens a database.
  ///
  /// - Parameters:
  ///   - manner: what is taken for granted, and what may be made.
  ///   - lock: what the program must hold alone; if `nil`, that of a server unless the manner is
  ///     ``Manner/shared``, which needs none.
  ///   - clock: the date of what has no date of its own, such as a new resource.
  /// - Throws: ``StorageError``: ``StorageError/unusable(_:)`` if the database refuses us, is not OAR's or is
  ///   in use by another program with the same lock, ``StorageError/full(_:)`` if it can't be reached now.
  public static func open(
    _ settings: PostgreSQLSettings, _ manner: Manner, lock: AdvisoryLock? = nil,
    clock: @escaping @Sendable () -> Instant = now
  ) async throws -> DatabaseStorage {
    try await DatabaseStorage.open(name: "\(settings)", clock: clock) {
      var settings = settings
      settings.isOurServer = manner == .ours
      let lock = lock ?? (manner == .shared ? nil : .server)
      let connection = try PostgreSQLDatabase(settings, manner, lock: lock)
      let schema = PostgreSQLSchema(connection: connection)
      switch manner {
      case .ours: try schema.prepareOurs()
      case .shared: try requireOAR(connection)
      case .sharedWithOurTables:
        try requireOAR(connection)
        try schema.addOwnTables()
      }
      return connection
    }
  }

  /// The tables that no planner can do without.
  public static let requiredTables = [
    "jobs", "moldable_job_descriptions", "job_resource_groups", "job_resource_descriptions",
    "job_types", "job_dependencies", "assigned_resources", "gantt_jobs_predictions",
    "gantt_jobs_resources", "resources", "queues", "job_state_logs", "event_logs", "frag_jobs",
  ]

  private static func requireOAR(_ connection: PostgreSQLDatabase) throws {
    if let missing = requiredTables.first(where: { !connection.hasTable($0) }) {
      throw StorageError.unusable(
        "\(connection.settings) is not a database of OAR's: it has no table \(missing); check "
          + "DB_BASE_NAME in oar.conf, and that \(connection.settings.user) may read it")
    }
  }

  /// The present second of the machine.
  public static func now() -> Instant { time(nil) }
}
