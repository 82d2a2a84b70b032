// The rows of what live jobs ask for: moldables, their groups, and the levels of these. SQLite joins them. A
// server such as PostgreSQL is asked for each table alone: right after many rows came, it takes the tables for
// empty and joins them row by row, which took half a minute with 5,000 jobs.

import ClusterModel

/// Rows in the order of job, moldable and group.
struct LiveRequestRows {
  /// One level of a group. The texts are valid during the call only.
  struct Row {
    var job: JobID
    var moldable: MoldableID
    var walltime: Seconds
    var group: Int
    var properties: UnsafeBufferPointer<UInt8>
    var property: UnsafeBufferPointer<UInt8>
    var value: Int
    var order: Int
  }

  private enum Answers {
    case joined(Statement)
    case apart(moldables: Statement, groups: Statement, levels: Statement)
  }

  private let answers: Answers

  /// Asks.
  init(_ connection: Connection) throws {
    switch connection.dialect {
    case .sqlite: answers = .joined(try Self.joined(connection))
    case .postgreSQL:
      answers = .apart(
        moldables: try connection.statement(
          """
          SELECT moldable_job_id, moldable_id, moldable_walltime FROM moldable_job_descriptions
          WHERE moldable_index = 'CURRENT' ORDER BY moldable_job_id, moldable_id
          """
        ).ask(),
        groups: try connection.statement(
          """
          SELECT res_group_moldable_id, res_group_id, res_group_property FROM job_resource_groups
          WHERE res_group_index = 'CURRENT' ORDER BY res_group_moldable_id, res_group_id
          """
        ).ask(),
        levels: try connection.statement(
          """
          SELECT res_job_group_id, res_job_resource_type, res_job_value, res_job_order
          FROM job_resource_descriptions
          WHERE res_job_index = 'CURRENT' ORDER BY res_job_group_id, res_job_order
          """
        ).ask())
    }
  }

  private static func joined(_ connection: Connection) throws -> Statement {
    try connection.statement(
      """
      SELECT moldable_job_id, moldable_id, moldable_walltime, res_group_id, res_group_property,
        res_job_resource_type, res_job_value, res_job_order
      FROM moldable_job_descriptions
        JOIN job_resource_groups ON res_group_moldable_id = moldable_id
        JOIN job_resource_descriptions ON res_job_group_id = res_group_id
      WHERE moldable_index = 'CURRENT' ORDER BY moldable_id, res_group_id
      """
    ).ask()
  }

  func forEachRow(_ body: (Row) throws -> Void) throws {
    switch answers {
    case .joined(let answer):
      try answer.forEachRow { row in
        try body(
          Row(
            job: row.integer(0), moldable: row.integer(1), walltime: row.integer(2),
            group: row.integer(3), properties: row.textBytes(4), property: row.textBytes(5),
            value: row.integer(6), order: row.integer(7)))
      }
    case .apart(let moldables, let groups, let levels):
      let groups = try RowLists(groups, (number: 1, text: 2, others: nil))
      let levels = try RowLists(levels, (number: 2, text: 1, others: 3))
      try moldables.forEachRow { row in
        try groups.forEach(of: row.integer(1)) { group, properties, _ in
          try levels.forEach(of: group) { value, property, order in
            try body(
              Row(
                job: row.integer(0), moldable: row.integer(1), walltime: row.integer(2),
                group: group, properties: properties, property: property, value: value,
                order: order))
          }
        }
      }
    }
  }
}

/// Rows of a number, a text and another number, found by the number in their first column.
private struct RowLists {
  private struct Entry {
    var number: Int
    var text: Range<Int>
    var other: Int
  }

  private var entries: [Entry] = []
  private var places: [Int: Range<Int>] = [:]
  private var bytes: [UInt8] = []

  /// - Parameter columns: where number, text and the other number are; the last may be missing.
  init(_ answer: Statement, _ columns: (number: Int, text: Int, others: Int?)) throws {
    var last: Range<Int> = 0..<0
    var entries: [Entry] = []
    var places: [Int: Range<Int>] = [:]
    var bytes: [UInt8] = []
    try answer.forEachRow { row in
      let text = row.textBytes(columns.text)
      // Most texts are like the one before.
      if !bytes[last].elementsEqual(text) {
        last = bytes.count..<bytes.count + text.count
        bytes += text
      }
      entries.append(
        Entry(
          number: row.integer(columns.number), text: last,
          other: columns.others.map { row.integer($0) } ?? 0))
      let end = entries.count
      let key = row.integer(0)
      places[key] = (places[key]?.lowerBound ?? end - 1)..<end
    }
    (self.entries, self.places, self.bytes) = (entries, places, bytes)
  }

  func forEach(
    of key: Int, _ body: (Int, UnsafeBufferPointer<UInt8>, Int) throws -> Void
  ) throws {
    guard let range = places[key] else { return }
    try bytes.withUnsafeBufferPointer { bytes in
      for entry in entries[range] {
        try body(entry.number, UnsafeBufferPointer(rebasing: bytes[entry.text]), entry.other)
      }
    }
  }
}
