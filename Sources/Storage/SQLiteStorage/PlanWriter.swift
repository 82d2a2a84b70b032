// The plan in OAR's gantt tables. A pass changes few of its rows, so only the difference is written.

import ClusterModel
import Storage

/// Writes plans, remembering the last one.
struct PlanWriter {
  private struct Entry: Equatable {
    var start: Instant
    /// In ascending order.
    var resources: [ResourceID]
  }

  let connection: Connection
  /// What the tables hold; `nil` until they are read.
  private var stored: [MoldableID: Entry]?

  init(connection: Connection) {
    self.connection = connection
  }

  /// Forgets what was remembered: a transaction was undone.
  mutating func forget() { stored = nil }

  /// Replaces the plan; row 0 gets its date.
  mutating func write(_ predictions: [Prediction], at date: Instant) throws {
    var wanted: [MoldableID: Entry] = [0: Entry(start: date, resources: [])]
    wanted.reserveCapacity(predictions.count + 1)
    for prediction in predictions {
      wanted[prediction.moldable] = Entry(
        start: prediction.start, resources: Array(Set(prediction.resources)).sorted())
    }
    let present = try stored ?? read()
    for (moldable, old) in present where wanted[moldable] == nil {
      try deleteRow(moldable)
      for resource in old.resources { try delete(resource, of: moldable) }
    }
    for (moldable, new) in wanted {
      let old = present[moldable]
      if old == new { continue }
      if old?.start != new.start { try setStart(new.start, of: moldable) }
      if old?.resources != new.resources {
        try replace(old?.resources ?? [], with: new.resources, of: moldable)
      }
    }
    stored = wanted
  }

  /// Adds a job to the plan, or changes its place.
  mutating func add(_ prediction: Prediction) throws {
    var present = try stored ?? read()
    let new = Entry(
      start: prediction.start, resources: Array(Set(prediction.resources)).sorted())
    let old = present[prediction.moldable]
    try setStart(new.start, of: prediction.moldable)
    try replace(old?.resources ?? [], with: new.resources, of: prediction.moldable)
    present[prediction.moldable] = new
    stored = present
  }

  private func read() throws -> [MoldableID: Entry] {
    var entries: [MoldableID: Entry] = [:]
    try connection.statement("SELECT moldable_job_id, start_time FROM gantt_jobs_predictions")
      .forEachRow { entries[$0.integer(0)] = Entry(start: $0.integer(1), resources: []) }
    try connection.statement(
      "SELECT moldable_job_id, resource_id FROM gantt_jobs_resources ORDER BY 1, 2"
    ).forEachRow { entries[$0.integer(0)]?.resources.append($0.integer(1)) }
    return entries
  }

  private func replace(
    _ old: [ResourceID], with new: [ResourceID], of moldable: MoldableID
  ) throws {
    let kept = Set(old).intersection(new)
    for resource in old where !kept.contains(resource) { try delete(resource, of: moldable) }
    for resource in new where !kept.contains(resource) { try insert(resource, of: moldable) }
  }

  // MARK: Rows, in the tables and their copies for readers

  private func setStart(_ start: Instant, of moldable: MoldableID) throws {
    try connection.statement(
      "INSERT OR REPLACE INTO gantt_jobs_predictions (moldable_job_id, start_time) VALUES (?, ?)"
    ).bind(moldable).bind(start).run()
    try connection.statement(
      """
      INSERT OR REPLACE INTO gantt_jobs_predictions_visu (moldable_job_id, start_time)
      VALUES (?, ?)
      """
    ).bind(moldable).bind(start).run()
  }

  private func deleteRow(_ moldable: MoldableID) throws {
    try connection.statement("DELETE FROM gantt_jobs_predictions WHERE moldable_job_id = ?")
      .bind(moldable).run()
    try connection.statement("DELETE FROM gantt_jobs_predictions_visu WHERE moldable_job_id = ?")
      .bind(moldable).run()
  }

  private func insert(_ resource: ResourceID, of moldable: MoldableID) throws {
    try connection.statement(
      "INSERT OR IGNORE INTO gantt_jobs_resources (moldable_job_id, resource_id) VALUES (?, ?)"
    ).bind(moldable).bind(resource).run()
    try connection.statement(
      """
      INSERT OR IGNORE INTO gantt_jobs_resources_visu (moldable_job_id, resource_id)
      VALUES (?, ?)
      """
    ).bind(moldable).bind(resource).run()
  }

  private func delete(_ resource: ResourceID, of moldable: MoldableID) throws {
    try connection.statement(
      "DELETE FROM gantt_jobs_resources WHERE moldable_job_id = ? AND resource_id = ?"
    ).bind(moldable).bind(resource).run()
    try connection.statement(
      "DELETE FROM gantt_jobs_resources_visu WHERE moldable_job_id = ? AND resource_id = ?"
    ).bind(moldable).bind(resource).run()
  }
}
