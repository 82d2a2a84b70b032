// Triggers by which a database of our own says that somebody else has written to it. They cost our own
// commits next to nothing: our connections carry a mark, and the triggers end at it.

import SQLStorage
import Storage

/// Makes the triggers. Only for a schema that is ours.
struct ChangeTriggers {
  let connection: PostgreSQLDatabase

  /// The channel of the notifications; each carries the name of a table.
  static let channel = "liburna_changes"

  /// Tables whose rows a server acts upon, or whose numbers it shares.
  static let tables = [
    "jobs", "job_state_logs", "frag_jobs", "event_logs", "walltime_change", "resources", "queues",
  ]

  /// Makes a connection one whose changes are not told.
  static let markingOurs = "SET liburna.writer = 'server'"

  private static let name = "liburna_changes"

  /// Makes what is missing.
  func add() throws {
    let present = Set(
      try connection.prepare(
        """
        SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgname = ? AND pg_table_is_visible(c.oid)
        """
      ).bind(Self.name).rows { $0.text(0) })
    let missing = Self.tables.filter { !present.contains($0) }
    if missing.isEmpty { return }
    try connection.transaction {
      let body = "BEGIN PERFORM pg_notify('\(Self.channel)', TG_TABLE_NAME); RETURN NULL; END"
      try connection.execute(
        """
        CREATE OR REPLACE FUNCTION liburna_tell() RETURNS trigger LANGUAGE plpgsql
        AS \(literal(body))
        """)
      for table in missing { try connection.execute(creation(on: table)) }
    }
  }

  /// PROCEDURE is the word that all versions know.
  private func creation(on table: String) -> String {
    """
    CREATE TRIGGER \(Self.name) AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON \(quoted(table))
    FOR EACH STATEMENT WHEN (current_setting('liburna.writer', true) IS DISTINCT FROM 'server')
    EXECUTE PROCEDURE liburna_tell()
    """
  }
}
