// Two of the gantt tables, when and where, brought from what they hold to what they should hold.

import ClusterModel

/// The table of starts and the table of resources with the same suffix.
struct PlanTables {
  private let connection: Connection
  private let starts: String
  private let places: String

  init(connection: Connection, suffix: String) {
    self.connection = connection
    starts = "gantt_jobs_predictions" + suffix
    places = "gantt_jobs_resources" + suffix
  }

  /// Makes the tables hold these rows, which ascend, and no others.
  ///
  /// - Parameters:
  ///   - difference: from what the tables hold; `nil` if nobody knows what that is.
  ///   - source: tables that hold the same rows already, if there are any.
  func write(
    _ rows: [PlanRow], _ difference: PlanDifference?, alsoIn source: PlanTables? = nil
  ) throws {
    if let difference {
      try connection.deleteRows(from: starts, where: "moldable_job_id", isOneOf: difference.gone)
      try setStarts(difference.starts)
      try writePlaces(difference, of: rows, alsoIn: source)
    } else {
      try empty(starts)
      try setStarts(rows.map { ($0.moldable, $0.start) })
      try writeAllPlaces(of: rows, alsoIn: source)
    }
  }

  /// Makes the tables hold these rows, whatever they held of their moldables.
  func replace(_ rows: [PlanRow]) throws {
    // First: who does the same at the same time waits here, and then finds what was written.
    try setStarts(rows.map { ($0.moldable, $0.start) })
    try connection.deleteRows(
      from: places, where: "moldable_job_id", isOneOf: rows.map(\.moldable))
    try connection.insertNewPairs(into: places, ("moldable_job_id", "resource_id"), pairs(rows))
  }

  /// What the tables hold, ascending. Resources without a start are rows too, of the start 0.
  func rows() throws -> [PlanRow] {
    let starts = try connection.statement("rows", starts) {
      "SELECT moldable_job_id, start_time FROM \(self.starts) ORDER BY moldable_job_id"
    }.ask()
    let places = try connection.statement("rows", places) {
      """
      SELECT moldable_job_id, resource_id FROM \(self.places)
      ORDER BY moldable_job_id, resource_id
      """
    }.ask()
    let known = try starts.rows {
      PlanRow(moldable: $0.integer(0), start: $0.integer(1), resources: [])
    }
    var rest = known[...]
    var rows: [PlanRow] = []
    rows.reserveCapacity(known.count)
    try places.forEachRow { place in
      let moldable = place.integer(0)
      while let next = rest.first, next.moldable <= moldable { rows.append(rest.removeFirst()) }
      if rows.last?.moldable != moldable {
        rows.append(PlanRow(moldable: moldable, start: 0, resources: []))
      }
      rows[rows.count - 1].resources.append(place.integer(1))
    }
    return rows + rest
  }

  private func writePlaces(
    _ difference: PlanDifference, of rows: [PlanRow], alsoIn source: PlanTables?
  ) throws {
    let count = rows.reduce(0) { $0 + $1.resources.count }
    // Looking for the rows that go costs more than to write those that stay again.
    if difference.changedResources > count {
      try writeAllPlaces(of: rows, alsoIn: source)
    } else {
      for removal in difference.removals { try delete(removal) }
      try insert(difference.additions)
    }
  }

  private func writeAllPlaces(of rows: [PlanRow], alsoIn source: PlanTables?) throws {
    try empty(places)
    if let source, try source.columns() == columns() {
      try copy(source)
    } else {
      try insert(rows)
    }
  }

  // MARK: Rows

  private func setStarts(_ rows: [(moldable: MoldableID, start: Instant)]) throws {
    try connection.setPairs(
      in: starts, key: "moldable_job_id", "start_time", rows.map { ($0.moldable, $0.start) })
  }

  private func delete(_ removal: PlanDifference.Removal) throws {
    try connection.statement("delete", places) {
      "DELETE FROM \(places) WHERE moldable_job_id = ? AND resource_id BETWEEN ? AND ?"
    }.bind(removal.moldable).bind(removal.resources.lowerBound).bind(removal.resources.upperBound)
      .run()
  }

  /// Adds the resources of rows.
  private func insert(_ rows: [PlanRow]) throws {
    try connection.insertPairs(into: places, ("moldable_job_id", "resource_id"), pairs(rows))
  }

  private func pairs(_ rows: [PlanRow]) -> [(Int, Int)] {
    var pairs: [(Int, Int)] = []
    pairs.reserveCapacity(rows.reduce(0) { $0 + $1.resources.count })
    for row in rows { for resource in row.resources { pairs.append((row.moldable, resource)) } }
    return pairs
  }

  /// Without a condition, SQLite drops all pages of the table at once.
  private func empty(_ table: String) throws {
    try connection.statement("empty", table) { "DELETE FROM \(table)" }.run()
  }

  /// Fills the empty table of resources. SQLite copies a table of the same columns and key as it is,
  /// if the statement names no columns.
  private func copy(_ source: PlanTables) throws {
    try connection.statement("copy", places) {
      "INSERT INTO \(places) SELECT * FROM \(source.places)"
    }.run()
  }

  /// The columns of the table of resources, in order: a database of OAR's may have more than ours.
  private func columns() throws -> [String] {
    try connection.columns(of: places).map(\.name)
  }
}
