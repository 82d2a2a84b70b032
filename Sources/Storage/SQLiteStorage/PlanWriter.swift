// The plan in OAR's gantt tables and in their copies for readers. A pass changes few of their rows, so
// only the difference is written.

import ClusterModel
import Storage

/// Writes plans, remembering the last one.
struct PlanWriter {
  private let tables: PlanTables
  private let copies: PlanTables
  /// What the tables hold, ascending; `nil` if nobody knows: others, or a server before this one, may have
  /// left anything there.
  private var last: [PlanRow]?

  init(connection: Connection) {
    tables = PlanTables(connection: connection, suffix: "")
    copies = PlanTables(connection: connection, suffix: "_visu")
  }

  /// Forgets what was remembered: a transaction was undone.
  mutating func forget() { last = nil }

  /// Replaces the plan; row 0 gets its date.
  mutating func write(_ predictions: [Prediction], at date: Instant) throws {
    let rows = planRows(predictions, at: date)
    let difference = last.map { PlanDifference(from: $0, to: rows) }
    try tables.write(rows, difference)
    try copies.write(rows, difference, alsoIn: tables)
    last = rows
  }
}
