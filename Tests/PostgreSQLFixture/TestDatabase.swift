// One database of a test: how it is reached, and a plain look into it.

import CPostgreSQL
import Glibc

/// A database on a server of the tests.
public struct TestDatabase: Sendable {
  public let server: PostgreSQLServer
  public let name: String

  public init(server: PostgreSQLServer, name: String) {
    self.server = server
    self.name = name
  }

  /// The lines of an `oar.conf` for it.
  public var configuration: String {
    """
    DB_TYPE="Pg"
    DB_HOSTNAME="\(server.folder)"
    DB_PORT="\(server.port)"
    DB_BASE_NAME="\(name)"
    DB_BASE_LOGIN="\(server.administrator)"
    DB_BASE_PASSWD=""

    """
  }

  /// Runs SQL; may be several statements.
  public func execute(_ sql: String) throws { _ = try rows(sql) }

  /// The rows of the last statement, values joined with `|`, NULL as `null`.
  public func rows(_ sql: String) throws -> [String] {
    let client = try TestClient(self)
    return try client.rows(sql)
  }
}

/// A connection of a test, for what must stay open: transactions and locks.
public final class TestClient {
  private let handle: OpaquePointer

  /// - Parameter user: the administrator if `nil`.
  public init(_ database: TestDatabase, user: String? = nil) throws {
    let server = database.server
    let text =
      "host=\(server.folder) port=\(server.port) dbname=\(database.name) "
      + "user=\(user ?? server.administrator)"
    guard let handle = PQconnectdb(text) else { throw FixtureFailure("no memory") }
    guard PQstatus(handle) == CONNECTION_OK else {
      let text = String(cString: PQerrorMessage(handle))
      PQfinish(handle)
      throw FixtureFailure(text)
    }
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    self.handle = handle
  }

  deinit { PQfinish(handle) }

  public func rows(_ sql: String) throws -> [String] {
    let result = PQexec(handle, sql)
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else {
      throw FixtureFailure(String(cString: PQerrorMessage(handle)))
    }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        PQgetisnull(result, row, column) == 1
          ? "null" : String(cString: PQgetvalue(result, row, column))
      }.joined(separator: "|")
    }
  }
}

extension TestClient {
  /// Waits until somebody waits for a lock in this database, for a minute at most.
  public func awaitWaiter() throws {
    try awaitRow(
      """
      SELECT 1 FROM pg_locks WHERE NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      """, orElse: "nobody waited for the lock")
  }

  /// Waits until a statement in this database sleeps, for a minute at most.
  public func awaitSleeper() throws {
    try awaitRow(
      """
      SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()
      """, orElse: "nobody sleeps in a statement")
  }

  private func awaitRow(_ question: String, orElse failure: String) throws {
    for _ in 0..<6000 {
      if try !rows(question).isEmpty { return }
      usleep(10_000)
    }
    throw FixtureFailure(failure)
  }
}
