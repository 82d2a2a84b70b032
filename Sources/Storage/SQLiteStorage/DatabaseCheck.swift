// Is this file a sound database of OAR's? Answered by reading alone, before a server opens it.
//
// Three looks, each deeper: the file's header and size; the tables, columns and version; and SQLite's
// own check of every page, as far as it comes in a bounded time: small databases are checked whole,
// a large one does not delay the start (what it hides is met when it is read, and refused then).

import CSQLite
import Glibc
import SQLStorage
import Storage

/// The examination of a database's file.
struct DatabaseCheck {
  /// How long SQLite's check of all pages may take.
  static let pageCheckLimit = Duration.milliseconds(250)

  let path: String

  /// - Throws: ``StorageError/unusable(_:)`` with what is wrong and what to do.
  func run() throws(StorageError) {
    try checkHeader()
    do {
      let connection = try SQLiteConnection(
        path: readingName, flags: SQLITE_OPEN_READONLY | (hasJournal ? 0 : SQLITE_OPEN_URI))
      connection.setBusyTimeout(milliseconds: 5000)
      try checkSchema(connection)
      try checkPages(connection)
    } catch let error as StorageError {
      throw error
    } catch let failure as StorageFailure {
      if failure.kind == .busy { throw failure.storageError }
      throw damaged(failure.text)
    } catch {
      throw damaged("\(error)")
    }
  }

  private func damaged(_ what: String) -> StorageError {
    .unusable(
      "\(path) is damaged: \(what). It was left as it is: restore a backup, or move it away to "
        + "begin with an empty database")
  }

  // MARK: The file

  private func checkHeader() throws(StorageError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw .unusable("\(path) can't be opened: \(systemText(errno)); check its permissions")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unusable("\(path) is not a file: name the database's file")
    }
    var header = [UInt8](repeating: 0, count: 100)
    let count = header.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
    try checkHeader(header, readCount: count, fileSize: Int(status.st_size))
  }

  private func checkHeader(
    _ header: [UInt8], readCount: Int, fileSize: Int
  ) throws(StorageError) {
    if fileSize == 0 { throw damaged("the file is empty") }
    let magic = Array("SQLite format 3\0".utf8)
    guard readCount >= magic.count, header.starts(with: magic) else {
      if magic.starts(with: header.prefix(max(0, readCount))) {
        throw damaged("the file ends after \(fileSize) bytes")
      }
      throw .unusable(
        "\(path) is not an SQLite database; it was left as it is: name another file, or move it "
          + "away to begin with an empty database")
    }
    guard readCount == header.count else { throw damaged("the file ends after \(fileSize) bytes") }
    // A page size of 65536 is written as 1.
    let written = Int(header[16]) << 8 | Int(header[17])
    let pageSize = written == 1 ? 65536 : written
    guard (512...65536).contains(pageSize), pageSize & (pageSize - 1) == 0 else {
      throw damaged("its header names a page size of \(pageSize) bytes")
    }
    let pages = header[28..<32].reduce(0) { $0 << 8 | Int($1) }
    // With a journal, the file may be shorter than it says: the rest is in the journal.
    if !hasJournal && fileSize < pages * pageSize {
      throw damaged("it has \(fileSize) bytes of \(pages * pageSize): it was cut off")
    }
  }

  /// Whether changes wait in a write-ahead log: the last server did not end by itself.
  private var hasJournal: Bool {
    var status = stat()
    return stat(path + "-wal", &status) == 0 && status.st_size > 0
  }

  /// Without a journal nothing beside the database is needed, nor made.
  private var readingName: String {
    hasJournal ? path : "file:\(escaped(path))?immutable=1"
  }

  private func escaped(_ path: String) -> String {
    path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
  }

  // MARK: Its tables

  private func checkSchema(_ connection: Connection) throws {
    let tables = Set(
      try connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .rows { $0.text(0) })
    var columns: [String: Set<String>] = [:]
    for table in tables {
      columns[table] = Set(
        try connection.prepare("SELECT name FROM pragma_table_info(?)").bind(table)
          .rows { $0.text(0) })
    }
    let lack = lackOfOARs(
      hasTable: { tables.contains($0) },
      hasColumn: { columns[$1]?.contains($0) ?? false })
    if let lack { throw foreign(lack) }
    let version = try connection.prepare("SELECT version FROM schema").firstRow { $0.text(0) }
    guard let version, version.hasPrefix("2.5.") else {
      throw foreign("its schema has the version \(version ?? "(none)")")
    }
    if tables.contains("liburna_facts") { try requireKnownLayout(connection, path) }
  }

  private func foreign(_ what: String) -> StorageError {
    .unusable(
      "\(path) is not a database of OAR \(oarSchemaVersion): \(what). It was left as it is: name "
        + "another file, or move it away to begin with an empty database")
  }

  // MARK: Its pages

  private func checkPages(_ connection: Connection) throws {
    let findings: [String]
    do {
      findings = try connection.withPatience(Self.pageCheckLimit) {
        try connection.prepare("PRAGMA quick_check(10)").rows { $0.text(0) }
      }
    } catch let failure as StorageFailure where failure.kind == .interrupted {
      return
    }
    // Rows that break a rule are for the readers of those rows; here it is about the file.
    let damage = findings.filter { finding in
      finding != "ok" && !finding.hasPrefix("NULL value in")
        && !finding.hasPrefix("CHECK constraint")
    }
    if let first = damage.first { throw damaged(first) }
  }
}
