// The server's database as the stories' judge: copied while the server stands still, read with SQL.

import CSQLite
import Glibc

package final class DatabaseCopy {
  private let database: OpaquePointer
  private let folder: String

  /// Copies the database of a lab.
  package init(of lab: LabFixture) async throws {
    var template = Array("/tmp/liburna-story-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StoryError("mkdtemp: errno \(errno)") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = folder
    try await lab.whileServerStands {
      for name in ["oar.sqlite", "oar.sqlite-wal"] {
        let text = try await lab.run(
          "bash", "-c", "[ ! -e \(name) ] || base64 -w0 \(name)", as: "oar", on: "server")
        guard !text.stdout.isEmpty else { continue }
        try await Self.decode(text.stdout, into: folder + "/" + name)
      }
    }
    var opened: OpaquePointer?
    guard sqlite3_open(folder + "/oar.sqlite", &opened) == SQLITE_OK, let opened else {
      throw StoryError("cannot open the copy of the database")
    }
    database = opened
  }

  deinit {
    sqlite3_close(database)
    for ending in ["", "-wal", "-shm"] { unlink(folder + "/oar.sqlite" + ending) }
    rmdir(folder)
  }

  private static func decode(_ text: String, into path: String) async throws {
    let result = try await offThread {
      try Subprocess(["sh", "-c", "base64 -d > \"$0\"", path]).finish(input: text)
    }
    guard result.exitCode == 0 else { throw StoryError("cannot write \(path): \(result)") }
  }

  /// The rows that a query selects; NULL is nil.
  package func rows(_ sql: String) throws -> [[String?]] {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else {
      throw StoryError("\(sql): \(String(cString: sqlite3_errmsg(database)))")
    }
    defer { sqlite3_finalize(statement) }
    var rows: [[String?]] = []
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      guard code == SQLITE_ROW else {
        throw StoryError("\(sql): \(String(cString: sqlite3_errmsg(database)))")
      }
      rows.append(
        (0..<sqlite3_column_count(statement)).map { column in
          sqlite3_column_text(statement, column).map { String(cString: $0) }
        })
    }
  }

  /// The rows of a query whose columns are all whole numbers; NULL counts as -1.
  package func numbers(_ sql: String) throws -> [[Int]] {
    try rows(sql).map { $0.map { $0.flatMap { Int($0) } ?? -1 } }
  }
}
