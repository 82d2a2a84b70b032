// The database is OAR's: the same tables, columns, defaults, keys and indexes.

import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("The schema")
struct SchemaTests {
  @Test("a new database has OAR's tables, columns, defaults, keys and indexes")
  func equalsTheReference() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    await store.close()

    let present = try schema(of: folder.database).split(separator: "\n")
    let wanted = oarReferenceSchema.split(separator: "\n")
    #expect(present.count == wanted.count)
    for (present, wanted) in zip(present, wanted) { #expect(present == wanted) }
  }

  @Test("a new database has the three standard queues, the version and the date of no plan")
  func hasOARsFirstRows() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    await store.close()

    let path = folder.database
    #expect(try rows("SELECT * FROM schema", in: path) == ["2.5.10|"])
    #expect(
      try rows("SELECT * FROM queues ORDER BY priority", in: path) == [
        "besteffort|0|kamelot|Active", "default|2|kamelot|Active", "admin|10|kamelot|Active",
      ])
    #expect(try rows("SELECT * FROM gantt_jobs_predictions", in: path) == ["0|0"])
    #expect(try rows("SELECT * FROM gantt_jobs_predictions_visu", in: path) == ["0|0"])
  }

  @Test("a database of OAR's without our tables gets them and keeps its rows")
  func addsOwnTables() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    try await store.commit([.resourceAdded(sampleResource(1))])
    await store.close()
    for table in liburnaSchema { _ = try rows("DROP TABLE \(table.name)", in: folder.database) }
    _ = try rows("DROP INDEX liburna_jobs_user", in: folder.database)

    let again = try await newStore(in: folder)
    try await again.commit([.jobsSubmitted(sampleArray(of: 100, from: 1))])
    #expect(try await again.load().resources.count == 1)
    #expect(try await again.load().jobs.count == 100)
    await again.close()
  }

  @Test("a new database leaves no draft beside it")
  func leavesNoDraft() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    await store.close()
    #expect(Set(folder.contents) == ["oar.db", "oar.db.lock"])
  }

  /// The schema in the words of the reference.
  private func schema(of path: String) throws -> String {
    let tables = try rows(
      """
      SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT LIKE 'liburna_%' ORDER BY name
      """, in: path)
    return try tables.map { table in
      let columns = try rows(
        """
        SELECT '  ' || name || CASE
          WHEN pk > 0 AND NOT "notnull" THEN ' serial'
          ELSE ' ' || lower(type) || CASE WHEN "notnull" THEN ' required' ELSE '' END
            || coalesce(' = ' || dflt_value, '') END
        FROM pragma_table_info('\(table)') ORDER BY cid
        """, in: path)
      let key = try rows(
        """
        SELECT '  key ' || group_concat(name, ', ') FROM
          (SELECT name FROM pragma_table_info('\(table)') WHERE pk > 0 ORDER BY pk)
        HAVING count(*) > 0
        """, in: path)
      let indexes = try rows(
        """
        SELECT '  index ' || l.name || ' ' || (SELECT group_concat(name, ', ') FROM
          (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno))
        FROM pragma_index_list('\(table)') l
        WHERE origin = 'c' AND l.name NOT LIKE 'liburna_%' ORDER BY l.name
        """, in: path)
      return (["table \(table)"] + columns + key + indexes).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
