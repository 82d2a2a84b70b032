// Files that a server must not start on: refused with a reason, and left as they are.

import CSQLite
import ClusterModel
import Glibc
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Refusing a file")
struct RefusalTests {
  let folder: TemporaryFolder

  /// A closed database with some jobs.
  init() async throws {
    folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    try await store.commit((1...200).map { .jobsSubmitted([sampleJob($0)]) })
    await store.close()
  }

  @Test(
    "a database that was cut off anywhere is refused",
    arguments: [0, 1, 15, 16, 50, 99, 100, -1, 0.3, 0.999])
  func truncated(place: Double) async throws {
    let whole = try bytes(of: folder.database)
    let count =
      place == -1
      ? whole.count - 1 : place.rounded() == place ? Int(place) : Int(Double(whole.count) * place)
    try write(Array(whole.prefix(count)), to: folder.database)
    try await expectRefusal(about: "damaged")
  }

  @Test(
    "a file that is no database is refused",
    arguments: ["text\n", String(repeating: "x", count: 5000)])
  func foreignFile(content: String) async throws {
    try write(Array(content.utf8), to: folder.database)
    try await expectRefusal(about: "not an SQLite database")
  }

  @Test(
    "a damaged page anywhere in the database is found",
    arguments: ["jobs", "state_id", "resources", "schema"])
  func damagedPage(table: String) async throws {
    let page = try #require(
      Int(
        try rows("SELECT rootpage FROM sqlite_schema WHERE name = '\(table)'", in: folder.database)
          .first ?? ""))
    var content = try bytes(of: folder.database)
    for offset in (page - 1) * 4096..<page * 4096 {
      content[offset] = UInt8(truncatingIfNeeded: offset &* 31)
    }
    try write(content, to: folder.database)
    try await expectRefusal(about: "damaged")
  }

  @Test("a damaged header is refused", arguments: [16, 17])
  func damagedHeader(offset: Int) async throws {
    var content = try bytes(of: folder.database)
    content[offset] ^= 0x7f
    try write(content, to: folder.database)
    try await expectRefusal(about: "damaged")
  }

  @Test("a database of another program is refused")
  func foreignDatabase() async throws {
    for table in oarSchema { _ = try rows("DROP TABLE \(table.name)", in: folder.database) }
    try await expectRefusal(about: "has no table")
  }

  @Test("a database without one of OAR's columns is refused")
  func missingColumn() async throws {
    _ = try rows("ALTER TABLE jobs DROP COLUMN job_group", in: folder.database)
    try await expectRefusal(about: "table jobs has no column job_group")
  }

  @Test("a database of OAR 3 is refused")
  func otherVersion() async throws {
    _ = try rows("UPDATE schema SET version = '3.0.0'", in: folder.database)
    try await expectRefusal(about: "version 3.0.0")
  }

  @Test("a database of a newer Liburna is refused")
  func newerLayout() async throws {
    _ = try rows("UPDATE liburna_facts SET value = '99' WHERE name = 'layout'", in: folder.database)
    try await expectRefusal(about: "newer Liburna")
  }

  @Test("a folder is refused")
  func directory() async throws {
    let error = await #expect(throws: StorageError.self) {
      try await SQLiteStorage.open(path: folder.path)
    }
    unlink(folder.path + ".lock")
    #expect(error?.description.contains("is not a file") == true)
  }

  @Test("a folder that is missing is named")
  func missingFolder() async throws {
    let error = await #expect(throws: StorageError.self) {
      try await SQLiteStorage.open(path: folder.path + "/no/oar.db")
    }
    #expect(error?.description.contains("/no/") == true)
  }

  @Test("a journal whose database is gone is not given to a new one")
  func lonelyJournal() async throws {
    unlink(folder.database)
    try write([1, 2, 3], to: folder.database + "-wal")
    let error = await #expect(throws: StorageError.self) { try await newStore(in: folder) }
    #expect(error?.description.contains("-wal") == true)
    #expect(access(folder.database, F_OK) != 0)
    #expect(try bytes(of: folder.database + "-wal") == [1, 2, 3])
  }

  @Test("a second server is refused while the first runs, and let in when it has closed")
  func secondServer() async throws {
    let first = try await newStore(in: folder)
    let error = await #expect(throws: StorageError.self) { try await newStore(in: folder) }
    #expect(error?.description.contains("in use by another server (process \(getpid()))") == true)
    try await first.commit([.jobMessage(1, "still works")])
    await first.close()
    let second = try await newStore(in: folder)
    #expect(try await second.load().jobs.first?.message == "still works")
    await second.close()
  }

  @Test("a damaged database with a log of changes is refused, and the log stays")
  func damagedWithJournal() async throws {
    let store = try await newStore(in: folder)
    try await store.commit([.jobMessage(1, "in the log")])
    let copy = try TemporaryFolder()
    try folder.copyDatabase(to: copy)
    await store.close()
    var content = try bytes(of: copy.database)
    for offset in 4096..<content.count { content[offset] = 0xa5 }
    try write(content, to: copy.database)
    let log = try bytes(of: copy.database + "-wal")

    await #expect(throws: StorageError.self) { try await newStore(in: copy) }
    #expect(try bytes(of: copy.database) == content)
    #expect(try bytes(of: copy.database + "-wal") == log)
  }

  @Test("a refused database can be opened by others meanwhile, and by a server once it is mended")
  func mended() async throws {
    let whole = try bytes(of: folder.database)
    try write(Array(whole.prefix(5000)), to: folder.database)
    try await expectRefusal(about: "damaged")
    try write(whole, to: folder.database)
    let store = try await newStore(in: folder)
    #expect(try await store.load().jobs.count == 200)
    await store.close()
  }

  private func expectRefusal(about text: String) async throws {
    let before = try bytes(of: folder.database)
    let files = Set(folder.contents)
    let error = await #expect(throws: StorageError.self) { try await newStore(in: folder) }
    guard case .unusable(let reason)? = error else {
      Issue.record("\(String(describing: error)) does not say that the file is unusable")
      return
    }
    #expect(reason.contains(text))
    #expect(reason.contains(folder.database))
    #expect(reason.contains("left as it is") || reason.contains("Liburna"))
    #expect(try bytes(of: folder.database) == before)
    #expect(Set(folder.contents) == files)
  }
}
