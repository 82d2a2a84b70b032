// A new PostgreSQL database of ours compared with one that OAR made: tables, columns, types, defaults, keys,
// indexes, checks and sequences. Docs/Storage.md lists every difference.

import Glibc
import PostgreSQLFixture
import Testing

@testable import PostgreSQLStorage
@testable import SQLStorage
@testable import Storage

@Suite("The schema in PostgreSQL")
struct PostgreSQLSchemaTests {
  @Test("a new database differs from OAR's in what the documentation lists, and in nothing else")
  func equalsOARs() async throws {
    let database = try PostgreSQLServer.shared().makeDatabase()
    let store = try await PostgreSQLStorage.open(database.settings, .ours)
    await store.close()
    let ours = Set(try database.rows(Self.question))
    try database.server.dropDatabase(database)
    let oars = try Self.oarsLines()
    let found =
      ours.subtracting(oars).map { "ours: \($0)" } + oars.subtracting(ours).map { "OAR: \($0)" }
    let documented = try Self.documentedDifferences()
    for difference in Set(found).symmetricDifference(documented).sorted() {
      Issue.record(
        "\(difference): \(documented.contains(difference) ? "listed in Docs/Storage.md, and not there" : "there, and not listed in Docs/Storage.md")"
      )
    }
  }

  /// The lines of the reference with the names of their tables, and what only PostgreSQL knows. OAR 2.5.9 does
  /// not have the last columns of `walltime_change` yet.
  private static func oarsLines() throws -> Set<String> {
    var table = ""
    var lines: Set<String> = []
    for line in oarReferenceSchema.split(separator: "\n") {
      if line.hasPrefix("table ") {
        table = String(line.dropFirst("table ".count))
        continue
      }
      let text = String(line.drop { $0 == " " })
      let isColumn = !text.hasPrefix("key ") && !text.hasPrefix("index ")
      lines.insert(isColumn ? "\(table).\(text)" : "\(table) \(text)")
    }
    let newer = [
      "whole varchar(3) required = 'NO'", "granted_with_whole integer required = 0",
      "timeout integer required = 0",
    ].map { "walltime_change.\($0)" }
    for line in newer { try #require(lines.remove(line) != nil) }
    return lines.union(oarPostgreSQLRules.split(separator: "\n").map { String($0) })
  }

  /// The rows of the table in the documentation: what, who has it (`ours` or `OAR`), why.
  private static func documentedDifferences() throws -> Set<String> {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try bytes(of: "/\(root)/Docs/Storage.md")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let rows = lines.drop { $0 != "| in the schema | who has it | why |" }.dropFirst(2)
      .prefix { $0.hasPrefix("|") }
    try #require(!rows.isEmpty, "Docs/Storage.md has no table of differences")
    return Set(
      rows.map { row in
        let cells = row.split(separator: "|").map { $0.drop { $0 == " " } }
        let what = cells[0].split(separator: "`")[0]
        return "\(cells[1].split(separator: " ")[0]): \(what)"
      })
  }

  /// Everything of OAR's in a database, a line each, in the words of the reference.
  private static let question = """
    SELECT c.relname || '.' || a.attname || ' '
      || CASE WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' AND a.atttypid = 'bigint'::regtype
        AND a.attnotnull THEN 'serial'
      ELSE replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar')
        || CASE WHEN a.attnotnull THEN ' required' ELSE '' END
        || coalesce(' = ' || regexp_replace(pg_get_expr(d.adbin, d.adrelid), '::[a-z ]+$', ''), '') END
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'liburna%'
    UNION ALL
    SELECT c.relname || CASE k.contype WHEN 'p' THEN ' key ' ELSE ' check ' END
      || (SELECT string_agg(a.attname, ', ' ORDER BY p.place)
        FROM unnest(k.conkey) WITH ORDINALITY p(number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.number)
      || CASE k.contype WHEN 'p' THEN '' ELSE ' ' || (SELECT string_agg(v[1], ' ' ORDER BY v[1])
        FROM regexp_matches(pg_get_constraintdef(k.oid), '''([^'']*)''', 'g') v) END
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'liburna%'
      AND k.contype IN ('p', 'c')
    UNION ALL
    SELECT c.relname || ' index ' || i.relname || ' '
      || (SELECT string_agg(pg_get_indexdef(i.oid, p.n, true), ', ' ORDER BY p.n)
        FROM generate_series(1, x.indnkeyatts) p(n)) || CASE WHEN x.indisunique THEN ' unique' ELSE '' END
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT x.indisprimary
      AND c.relname NOT LIKE 'liburna%'
    UNION ALL
    SELECT 'sequence ' || c.relname || ' of ' || t.relname || '.' || a.attname
    FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'a'
      JOIN pg_class t ON t.oid = d.refobjid
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace
    """
}

/// The checks of columns and the sequences in a database that OAR 2.5.9 made.
private let oarPostgreSQLRules = """
  accounting check consumption_type ASKED USED
  admission_rules check enabled NO YES
  assigned_resources check assigned_resource_index CURRENT LOG
  event_logs check to_check NO YES
  frag_jobs check frag_state FRAGGED LEON LEON_EXTERMINATE TIMER_ARMED
  job_dependencies check job_dependency_index CURRENT LOG
  job_resource_descriptions check res_job_index CURRENT LOG
  job_resource_groups check res_group_index CURRENT LOG
  job_state_logs check job_state Error Finishing Hold Launching Resuming Running Suspended Terminated Waiting toAckReservation toError toLaunch
  job_types check types_index CURRENT LOG
  jobs check accounted NO YES
  jobs check job_type INTERACTIVE PASSIVE
  jobs check reservation None Scheduled toSchedule
  jobs check state Error Finishing Hold Launching Resuming Running Suspended Terminated Waiting toAckReservation toError toLaunch
  jobs check suspended NO YES
  moldable_job_descriptions check moldable_index CURRENT LOG
  queues check state Active notActive
  resource_logs check finaud_decision NO YES
  resources check besteffort NO YES
  resources check deploy NO YES
  resources check desktop_computing NO YES
  resources check drain NO YES
  resources check finaud_decision NO YES
  resources check next_finaud_decision NO YES
  resources check next_state Absent Alive Dead Suspected UnChanged
  resources check state Absent Alive Dead Suspected
  resources check suspended_jobs NO YES
  walltime_change check delay_next_jobs NO YES
  walltime_change check force NO YES
  sequence admission_rules_id_seq of admission_rules.id
  sequence event_logs_event_id_seq of event_logs.event_id
  sequence files_file_id_seq of files.file_id
  sequence job_resource_groups_res_group_id_seq of job_resource_groups.res_group_id
  sequence job_state_logs_job_state_log_id_seq of job_state_logs.job_state_log_id
  sequence job_types_job_type_id_seq of job_types.job_type_id
  sequence jobs_job_id_seq of jobs.job_id
  sequence moldable_job_descriptions_moldable_id_seq of moldable_job_descriptions.moldable_id
  sequence resource_logs_resource_log_id_seq of resource_logs.resource_log_id
  sequence resources_resource_id_seq of resources.resource_id
  """
