// The database: whether it answers, versions, tables and columns, and what we may do there.

import PostgreSQLStorage
import Storage

extension Judge {
  func database() -> [SiteFinding] {
    switch readings.database {
    case .notAsked: return []
    case .refused(let reason):
      return [SiteFinding("connection", .problem, reason)]
    case .read(let survey):
      let tables = tables(survey)
      return [
        SiteFinding("PostgreSQL", .ok, survey.serverVersion), version(survey),
      ] + tables + columns(survey) + rights(survey) + [ownTables(survey)]
    }
  }

  private func version(_ survey: DatabaseSurvey) -> SiteFinding {
    switch survey.schemaVersion {
    case let version? where version.hasPrefix("2.5."):
      return SiteFinding("schema", .ok, version)
    case let version?:
      return SiteFinding(
        "schema", .note, "\(version): tried are 2.5.x; what is missing counts as its default")
    case nil:
      return SiteFinding(
        "schema", .note, "the table schema says no version",
        remedy: "check that DB_BASE_NAME names OAR's database")
    }
  }

  // MARK: Tables and columns

  private func tables(_ survey: DatabaseSurvey) -> [SiteFinding] {
    let required = PostgreSQLStorage.requiredTables
    let missing = oarSchema.map(\.name).filter { survey.tables[$0] == nil }
    let fatal = missing.filter(required.contains)
    var findings: [SiteFinding] = []
    if !fatal.isEmpty {
      findings.append(
        SiteFinding(
          "tables", .problem, "missing: \(Self.list(fatal))",
          remedy: "check DB_BASE_NAME, and that DB_BASE_LOGIN may read OAR's tables"))
    }
    let others = missing.filter { !required.contains($0) }
    if !others.isEmpty {
      findings.append(
        SiteFinding("tables", .note, "missing, and done without: \(Self.list(others))"))
    }
    if missing.isEmpty { findings.append(SiteFinding("tables", .ok, "all of OAR 2.5's")) }
    return findings
  }

  private func columns(_ survey: DatabaseSurvey) -> [SiteFinding] {
    var findings: [SiteFinding] = []
    var (missing, extra): ([String], [String]) = ([], [])
    for table in oarSchema {
      guard let found = survey.tables[table.name] else { continue }
      let known = Set(table.columns.map(\.name))
      let names = Set(found.columns.map(\.name))
      missing += table.columns.map(\.name).filter { !names.contains($0) }
        .map { "\(table.name).\($0)" }
      // Those of resources are properties.
      guard table.name != "resources" else { continue }
      let others = found.columns.filter { !known.contains($0.name) }
      extra += others.map { "\(table.name).\($0.name)" }
      findings += others.filter(\.mustBeGiven).map { refusing($0, of: table.name) }
    }
    if !missing.isEmpty {
      findings.append(
        SiteFinding(
          "columns", .note, "missing, and taken for their defaults: \(Self.list(missing))"))
    }
    if !extra.isEmpty {
      findings.append(
        SiteFinding("columns", .note, "not OAR 2.5's, and left alone: \(Self.list(extra))"))
    }
    if missing.isEmpty, extra.isEmpty {
      findings.append(SiteFinding("columns", .ok, "all of OAR 2.5's, and no others"))
    }
    return findings
  }

  private func refusing(_ column: DatabaseSurvey.Column, of table: String) -> SiteFinding {
    SiteFinding(
      "columns", .problem,
      "\(table).\(column.name) has no default and may not be NULL: rows that we add are refused",
      remedy: "give it a default: ALTER TABLE \(table) ALTER COLUMN \(column.name) SET DEFAULT …",
      for: Set(SitePart.allCases.filter { Self.writtenTables(by: $0).contains(table) }))
  }

  // MARK: Rights

  /// Where a part adds, changes or removes rows.
  static func writtenTables(by part: SitePart) -> [String] {
    let planner = ["gantt_jobs_predictions", "gantt_jobs_resources", "jobs"]
    switch part {
    case .kamelot: return planner
    case .kao:
      return planner + [
        "gantt_jobs_predictions_visu", "gantt_jobs_resources_visu", "assigned_resources",
        "moldable_job_descriptions", "job_state_logs", "event_logs", "event_log_hostnames",
        "frag_jobs", "queues", "resources", "resource_logs", "walltime_change",
      ]
    case .server:
      let others = ["schema", "scheduler", "admission_rules", "accounting", "files"]
      return oarSchema.map(\.name).filter { !others.contains($0) }
    }
  }

  private func rights(_ survey: DatabaseSurvey) -> [SiteFinding] {
    let user = configuration.text("DB_BASE_LOGIN", default: "oar")
    var findings: [SiteFinding] = []
    let unread = PostgreSQLStorage.requiredTables.filter { survey.tables[$0]?.isReadable == false }
    if !unread.isEmpty {
      findings.append(
        SiteFinding("rights", .problem, "\(user) may not read \(Self.list(unread))"))
    }
    for part in SitePart.allCases {
      let refused = Self.writtenTables(by: part).filter { survey.tables[$0]?.isWritable == false }
      guard !refused.isEmpty else { continue }
      findings.append(
        SiteFinding(
          "rights", .problem, "\(user) may not write \(Self.list(refused))",
          remedy: "DB_BASE_LOGIN must be the account of OAR's server", for: [part]))
    }
    if survey.isReadOnly {
      findings.append(
        SiteFinding(
          "writing", .problem, "the database is read-only: a copy of another, or set so",
          remedy: "DB_HOSTNAME must name the server that OAR 2 writes to"))
    }
    return findings.isEmpty ? [SiteFinding("rights", .ok, "\(user) may do what we need")] : findings
  }

  private func ownTables(_ survey: DatabaseSurvey) -> SiteFinding {
    let missing = liburnaSchema.map(\.name).filter { survey.tables[$0] == nil }
    if missing.isEmpty {
      return SiteFinding("our tables", .ok, "are there already", for: [.server])
    }
    return survey.mayMakeTables
      ? SiteFinding("our tables", .ok, "would be made: \(Self.list(missing))", for: [.server])
      : SiteFinding(
        "our tables", .problem, "can't be made: the account may not make tables",
        remedy: "GRANT CREATE ON SCHEMA public to DB_BASE_LOGIN", for: [.server])
  }
}
