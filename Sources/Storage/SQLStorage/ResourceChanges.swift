// Resources, their properties and queues: the rows that admins change.

import ClusterModel
import Storage

/// Writes resources with the log of their attributes.
struct ResourceChanges {
  let connection: Connection

  /// Columns that the server changes as it goes; OAR keeps no log of them.
  private static let unlogged: Set = [
    "last_job_date", "scheduler_priority", "suspended_jobs", "next_state", "next_finaud_decision",
    "finaud_decision", "state_num",
  ]

  /// A property may have any name that needs no quoting, at most this long.
  private static let nameLimit = 63

  /// Adds a resource, with the first rows of its log.
  func add(_ resource: Resource, at date: Instant) throws {
    let sites = resource.properties.keys
    let columns = standardResourceColumns + sites
    let names = columns.map(quoted).joined(separator: ", ")
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    let statement = try connection.prepare("INSERT INTO resources (\(names)) VALUES (\(marks))")
    for column in columns { statement.bind(sqlValue(resource.value(of: column))) }
    try statement.run()
    try connection.gaveIDs(upTo: resource.id, "resource_id", "resources")
    for column in ["state"] + sites { try log(resource, column: column, at: date) }
  }

  /// Removes a resource with its log; which jobs had it stays known.
  func remove(_ resource: ResourceID) throws {
    try connection.statement("DELETE FROM resource_logs WHERE resource_id = ?")
      .bind(resource).run()
    try connection.statement("DELETE FROM resources WHERE resource_id = ?").bind(resource).run()
  }

  /// Writes the present value of one column.
  func set(_ column: String, of resource: Resource, at date: Instant) throws {
    if column == "state" {
      try connection.statement(
        "UPDATE resources SET state = ?, state_num = ?, finaud_decision = ? WHERE resource_id = ?"
      ).bind(resource.state.rawValue).bind(resource.state.number)
        .bind(resource.suspectedByServer ? "YES" : "NO").bind(resource.id)
        .run { unknownResource(resource.id) }
    } else {
      try connection.prepare("UPDATE resources SET \(quoted(column)) = ? WHERE resource_id = ?")
        .bind(sqlValue(resource.value(of: column))).bind(resource.id)
        .run { unknownResource(resource.id) }
    }
    if !Self.unlogged.contains(column) { try log(resource, column: column, at: date) }
  }

  private func unknownResource(_ resource: ResourceID) -> StorageError {
    .failed("resource \(resource) is not in the database")
  }

  /// Closes the log row of an attribute and opens the next.
  private func log(_ resource: Resource, column: String, at date: Instant) throws {
    try connection.statement(
      """
      UPDATE resource_logs SET date_stop = ?
      WHERE resource_id = ? AND date_stop = 0 AND attribute = ?
      """
    ).bind(date).bind(resource.id).bind(column).run()
    let isDecision = column == "state" && resource.suspectedByServer
    try connection.statement(
      """
      INSERT INTO resource_logs (resource_id, attribute, value, date_start, finaud_decision)
      VALUES (?, ?, ?, ?, ?)
      """
    ).bind(resource.id).bind(column).bind(resource.value(of: column)?.text ?? "").bind(date)
      .bind(isDecision ? "YES" : "NO").run()
  }

  private func sqlValue(_ value: PropertyValue?) -> SQLValue {
    switch value {
    case .integer(let number): .integer(number)
    case .text(let text): .text(text)
    case .null, nil: .null
    }
  }

  // MARK: Properties

  func addProperty(_ property: PropertyDefinition) throws {
    try requireName(property.name)
    let type = property.kind == .integer ? "integer" : "varchar(255)"
    try connection.execute("ALTER TABLE resources ADD COLUMN \(quoted(property.name)) \(type)")
    try connection.columnsChanged()
  }

  func removeProperty(_ name: String) throws {
    try requireName(name)
    try connection.execute("ALTER TABLE resources DROP COLUMN \(quoted(name))")
    try connection.columnsChanged()
  }

  func renameProperty(_ name: String, to new: String) throws {
    try requireName(name)
    try requireName(new)
    try connection.execute(
      "ALTER TABLE resources RENAME COLUMN \(quoted(name)) TO \(quoted(new))")
    try connection.columnsChanged()
  }

  private func requireName(_ name: String) throws {
    guard isPlainName(name), name.utf8.count <= Self.nameLimit else {
      throw StorageError.failed(
        "\"\(name)\" can't be the name of a property: use at most \(Self.nameLimit) letters, "
          + "digits and _, not beginning with a digit")
    }
    guard !standardResourceColumns.contains(name.lowercased()) else {
      throw StorageError.failed("\"\(name)\" is a column of OAR's own and can't be changed")
    }
  }

  private func isPlainName(_ name: String) -> Bool {
    let isFirstDigit = name.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return isFirstDigit == false
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  // MARK: Queues

  func setQueue(_ queue: Queue) throws {
    try connection.statement(
      """
      INSERT INTO queues (queue_name, priority, scheduler_policy, state) VALUES (?, ?, ?, ?)
      ON CONFLICT (queue_name) DO UPDATE SET priority = excluded.priority,
        scheduler_policy = excluded.scheduler_policy, state = excluded.state
      """
    ).bind(queue.name).bind(queue.priority).bind(queue.policy)
      .bind(queue.isActive ? "Active" : "notActive").run()
  }

  func removeQueue(_ name: String) throws {
    try connection.statement("DELETE FROM queues WHERE queue_name = ?").bind(name).run()
  }
}
