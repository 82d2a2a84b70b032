// The plan in OAR's gantt tables and in their copies for readers. A pass changes few of their rows, so
// only the difference is written.

import ClusterModel
import Storage

/// Writes plans, remembering the last one.
struct PlanWriter {
  private var tables: PlanTables
  private var copies: PlanTables

  init(connection: Connection) {
    tables = PlanTables(connection: connection, suffix: "")
    copies = PlanTables(connection: connection, suffix: "_visu")
  }

  /// Forgets what was remembered: a transaction was undone.
  mutating func forget() {
    tables.forget()
    copies.forget()
  }

  /// Replaces the plan, whatever the tables hold; row 0 gets its date.
  mutating func write(_ predictions: [Prediction], at date: Instant) throws {
    let rows = planRows(predictions, at: date)
    try tables.write(rows)
    try copies.write(rows, alsoIn: tables)
  }
}
