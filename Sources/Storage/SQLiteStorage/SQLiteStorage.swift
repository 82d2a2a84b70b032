// The embedded store: OAR's schema in one SQLite file beside the server.

import ClusterModel
import Glibc
import SQLStorage
import Storage

/// Stores in an SQLite database, for one server at a time.
public enum SQLiteStorage {
  /// What a commit waits for.
  public enum Durability: String, Sendable {
    /// The disk: commits survive a power failure.
    case full = "FULL"
    /// The kernel: commits survive the end of the server, and may be lost with the machine's power.
    case normal = "NORMAL"
  }

  /// Opens the database at `path`, making it if there is none.
  ///
  /// - Parameters:
  ///   - durability: what a commit waits for.
  ///   - clock: the date of what has no date of its own, such as a new resource.
  /// - Throws: ``StorageError/unusable(_:)`` if the file is damaged, not OAR's, or in use by another
  ///   server; it is then not changed by a byte.
  public static func open(
    path: String, durability: Durability = .full, clock: @escaping @Sendable () -> Instant = now
  ) async throws -> DatabaseStorage {
    try await DatabaseStorage.open(name: path, clock: clock) {
      try openDatabase(at: path, durability: durability)
    }
  }

  /// The present second of the machine.
  public static func now() -> Instant { time(nil) }
}
