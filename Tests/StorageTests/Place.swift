// Where the store of a test has its database, and on which of the databases it runs.

import ClusterModel
import Glibc
import PostgreSQLFixture
import Storage
import Testing

@testable import PostgreSQLStorage
@testable import SQLStorage
@testable import SQLiteStorage

/// A database that the store works on.
enum StoreKind: String, CaseIterable {
  case sqlite = "SQLite"
  case postgreSQL = "PostgreSQL"

  /// The one that the present test runs on.
  @TaskLocal static var current = StoreKind.sqlite
}

/// Runs each test of a suite once on each database.
struct OnEachStore: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    for kind in StoreKind.allCases {
      try await StoreKind.$current.withValue(kind) { try await function() }
    }
  }
}

extension Trait where Self == OnEachStore {
  /// Each test is run once on each database.
  static var onEachStore: OnEachStore { OnEachStore() }
}

/// A database of a test's own.
final class Place: Sendable {
  private enum Kind {
    case file(TemporaryFolder)
    case database(TestDatabase)
  }

  private let kind: Kind

  /// A database with our schema, to make copies of: that takes half the time of making it.
  private static let template = Result {
    let database = try PostgreSQLServer.shared().makeDatabase()
    let connection = try PostgreSQLDatabase(database.settings, .ours, lock: nil)
    try PostgreSQLSchema(connection: connection).prepareOurs()
    return database
  }

  init() throws {
    switch StoreKind.current {
    case .sqlite: kind = .file(try TemporaryFolder())
    case .postgreSQL:
      kind = .database(
        try PostgreSQLServer.shared().makeDatabase(template: Self.template.get().name))
    }
  }

  /// `nil` if it is a file.
  var database: TestDatabase? {
    if case .database(let database) = kind { database } else { nil }
  }

  /// Opens the store, at a fixed date.
  func open() async throws -> DatabaseStorage {
    switch kind {
    case .file(let folder): try await newStore(in: folder)
    case .database(let database):
      try await PostgreSQLStorage.open(database.settings, .ours, clock: { 1000 })
    }
  }

  /// The rows of a query, values joined with `|`, as another program reads the database.
  func rows(_ sql: String) throws -> [String] {
    switch kind {
    case .file(let folder): try StorageTests.rows(sql, in: folder.database)
    case .database(let database): try database.rows(sql)
    }
  }

  /// Runs several statements.
  func execute(_ sql: String) throws {
    switch kind {
    case .file(let folder): try SQLiteConnection(path: folder.database, flags: 2).execute(sql)
    case .database(let database): try database.execute(sql)
    }
  }

  /// The column that is in the order of insertion.
  var insertionOrder: String {
    switch kind {
    case .file: "rowid"
    case .database: "ctid"
    }
  }

  /// What a server finds that starts after this one was killed.
  func afterKill(of store: DatabaseStorage) async throws -> (Place, DatabaseStorage) {
    switch kind {
    case .file(let folder):
      let copy = try TemporaryFolder()
      try folder.copyDatabase(to: copy)
      await store.close()
      let place = Place(.file(copy))
      return (place, try await place.open())
    case .database(let database):
      try database.dropConnections()
      await store.abandon()
      return (self, try await open())
    }
  }

  private init(_ kind: Kind) { self.kind = kind }

  deinit {
    if case .database(let database) = kind { try? database.server.dropDatabase(database) }
  }
}

extension TestDatabase {
  /// How a store reaches it.
  var settings: PostgreSQLSettings {
    var settings = PostgreSQLSettings(
      host: server.folder, port: server.port, database: name, user: server.administrator)
    settings.patience = .seconds(2)
    return settings
  }
}

func rows(_ sql: String, in place: Place) throws -> [String] { try place.rows(sql) }

func newStore(in place: Place) async throws -> DatabaseStorage { try await place.open() }

/// What a server would load after this one was closed.
func reloaded(_ store: DatabaseStorage, in place: Place) async throws -> StoredCluster {
  await store.close()
  let again = try await newStore(in: place)
  let cluster = try await again.load()
  await again.close()
  return cluster
}
