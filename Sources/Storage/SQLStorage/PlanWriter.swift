// The plan in OAR's gantt tables and in their copies for readers. A pass changes few of their rows, so
// only the difference is written.

import ClusterModel
import Storage

/// Writes plans, remembering the last one.
struct PlanWriter {
  private let connection: Connection
  private let tables: PlanTables
  private let copies: PlanTables
  /// What the tables hold, ascending; `nil` if nobody knows: others, or a server before this one, may have
  /// left anything there.
  private var last: [PlanRow]?

  init(connection: Connection) {
    self.connection = connection
    tables = PlanTables(connection: connection, suffix: "")
    copies = PlanTables(connection: connection, suffix: "_visu")
  }

  /// Forgets what was remembered: a transaction was undone.
  mutating func forget() { last = nil }

  /// Replaces the plan; row 0 gets its date.
  mutating func write(_ predictions: [Prediction], at date: Instant) throws {
    let rows = planRows(predictions, at: date)
    if connection.isShared {
      for tables in [tables, copies] {
        try tables.write(rows, PlanDifference(from: try tables.rows(), to: rows))
      }
    } else {
      try write(rows, last.map { PlanDifference(from: $0, to: rows) })
    }
  }

  /// Adds places for jobs to the plan, not to its copies.
  mutating func place(_ predictions: [Prediction]) throws {
    forget()
    try tables.replace(planRows(predictions, at: 0).filter { $0.moldable != 0 })
  }

  /// What the tables hold.
  func stored() throws -> StoredPlan {
    var plan = StoredPlan()
    for row in try tables.rows() {
      if row.moldable == 0 {
        plan.date = row.start
      } else {
        plan.predictions.append(
          Prediction(moldable: row.moldable, start: row.start, resources: row.resources))
      }
    }
    return plan
  }

  /// Replaces the plan, and leaves the copies for readers as they are.
  mutating func writeUnfinished(_ predictions: [Prediction], at date: Instant) throws {
    last = nil
    try tables.write(planRows(predictions, at: date), nil)
  }

  /// Adds a job to the plan, or changes its place.
  mutating func add(_ prediction: Prediction) throws {
    let row = PlanRow(prediction)
    guard let last else {
      for tables in [tables, copies] { try tables.replace([row]) }
      return
    }
    var rows = last
    let place = rows.firstIndex { $0.moldable >= row.moldable } ?? rows.count
    let isThere = place < rows.count && rows[place].moldable == row.moldable
    rows.replaceSubrange(place..<place + (isThere ? 1 : 0), with: [row])
    try write(rows, PlanDifference(from: last, to: rows))
  }

  private mutating func write(_ rows: [PlanRow], _ difference: PlanDifference?) throws {
    try tables.write(rows, difference)
    try copies.write(rows, difference, alsoIn: tables)
    last = rows
  }
}
