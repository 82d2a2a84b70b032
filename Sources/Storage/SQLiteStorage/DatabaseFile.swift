// The database's file: made whole or not at all, and opened only when it is sound.

import CSQLite
import ClusterModel
import Glibc
import SQLStorage
import Storage

/// Opens the database at `path` for a server, making it if there is none.
///
/// A file that is damaged or not OAR's is refused and not changed by a single byte.
func openDatabase(at path: String, durability: SQLiteStorage.Durability) throws -> Connection {
  let lock = try DatabaseLock(of: path)
  if access(path, F_OK) != 0 {
    guard errno == ENOENT else {
      throw StorageError.unusable(
        "\(path) can't be reached: \(systemText(errno)); check its folder")
    }
    try createDatabase(at: path)
  } else {
    try DatabaseCheck(path: path).run()
  }
  let connection = try SQLiteConnection(
    path: path, flags: SQLITE_OPEN_READWRITE, durability: durability, lock: lock)
  try configure(connection, durability: durability)
  try addOwnTables(to: connection)
  return connection
}

private func configure(
  _ connection: SQLiteConnection, durability: SQLiteStorage.Durability
) throws(StorageFailure) {
  connection.setBusyTimeout(milliseconds: 5000)
  // 16 MB of pages in memory; a checkpoint every 16 MB of log.
  try connection.execute(
    """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = \(durability.rawValue);
    PRAGMA cache_size = -16000;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 1000;
    """)
}

/// Adds what a database of OAR's, or of an earlier Liburna, lacks of our own tables.
private func addOwnTables(to connection: Connection) throws {
  let present = Set(
    try connection.prepare("SELECT name FROM sqlite_schema").rows { $0.text(0) })
  let tables = liburnaSchema.filter { !present.contains($0.name) }
  let indexes = liburnaIndexes.flatMap { table, indexes in
    indexes.filter { !present.contains($0.name) }.map { indexCreation($0, on: table) }
  }
  if tables.isEmpty && indexes.isEmpty { return }
  try connection.transaction {
    for sql in tables.map(creation) + indexes { try connection.execute(sql) }
    try writeLayout(connection)
  }
}

// MARK: A new database

/// Makes the database under another name and renames it when it is whole and on the disk.
private func createDatabase(at path: String) throws {
  for journal in ["-wal", "-journal"] where access(path + journal, F_OK) == 0 {
    throw StorageError.unusable(
      "\(path) is missing but its journal \(path)\(journal) is there: put the database back "
        + "beside it, or remove the journal to begin with a new one")
  }
  let draft = path + ".new"
  unlink(draft)
  do {
    try fillNewDatabase(at: draft)
    try synchronize(draft)
  } catch {
    unlink(draft)
    throw error
  }
  guard rename(draft, path) == 0 else {
    throw StorageError.failed("\(path) can't be made: \(systemText(errno))")
  }
  let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
  try synchronize(folder)
}

private func fillNewDatabase(at path: String) throws {
  let connection = try SQLiteConnection(
    path: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
  // Nobody else sees this file, and it is thrown away if anything fails.
  try connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
  try connection.transaction {
    for table in oarSchema { try connection.execute(creation(of: table)) }
    try insertFirstRows(connection)
  }
}

/// Waits until a file or folder is on the disk.
private func synchronize(_ path: String) throws(StorageError) {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw .failed("\(path) can't be opened: \(systemText(errno))") }
  defer { close(file) }
  guard fsync(file) == 0 else {
    throw .full("\(path) can't be written to the disk: \(systemText(errno))")
  }
}
