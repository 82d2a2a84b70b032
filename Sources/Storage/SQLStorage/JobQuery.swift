// Which jobs a filter means, as SQL over the columns of `jobs` with an index that suits.

import ClusterModel
import RequestLanguage
import Storage

/// The WHERE clause of a filter.
struct JobQuery {
  private let dialect: Dialect
  private(set) var conditions: [String] = []
  private(set) var values: [SQLValue] = []

  /// The columns that a condition may name.
  private static let columns = Set(
    oarSchema.first { $0.name == "jobs" }?.columns.map(\.name) ?? [])

  /// `nil` if no job can match.
  init?(_ filter: JobFilter, _ dialect: Dialect) throws(StorageError) {
    let lists: [Int?] = [
      filter.ids?.count, filter.arrays?.count, filter.users?.count, filter.states?.count,
    ]
    if lists.contains(0) { return nil }
    self.dialect = dialect
    let isNarrow = filter.ids != nil || filter.arrays != nil
    let isLive = filter.states.map { !$0.contains(where: \.isFinal) } ?? false
    if let ids = filter.ids { add("job_id", numbers: ids) }
    if let arrays = filter.arrays {
      add(filter.ids == nil ? "array_id" : dialect.withoutIndex("array_id"), numbers: arrays)
    }
    if let states = filter.states {
      let usesIndex = !isNarrow && (isLive || (states.count == 1 && filter.users == nil))
      add(usesIndex ? "state" : dialect.withoutIndex("state"), texts: states.map(\.rawValue))
    }
    if let users = filter.users {
      let usesIndex = !isNarrow && !isLive
      add(usesIndex ? "job_user" : dialect.withoutIndex("job_user"), texts: users)
    }
    if let condition = filter.condition { try add(condition) }
  }

  /// The clause with its keyword; empty if every job matches.
  var clause: String {
    conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
  }

  private mutating func add(_ column: String, numbers: [Int]) {
    if numbers.count == 1 {
      conditions.append("\(column) = ?")
      values.append(.integer(numbers[0]))
    } else {
      conditions.append(dialect.isListed(column))
      values.append(dialect.list(numbers))
    }
  }

  private mutating func add(_ column: String, texts: [String]) {
    if texts.count == 1 {
      conditions.append("\(column) = ?")
    } else {
      conditions.append("\(column) IN (\(texts.map { _ in "?" }.joined(separator: ", ")))")
    }
    values += texts.map { .text($0) }
  }

  private mutating func add(_ condition: PropertyExpression) throws(StorageError) {
    guard condition != .always else { return }
    if let unknown = condition.columns.subtracting(Self.columns).min() {
      throw .badCondition("\(unknown) is not a column of jobs")
    }
    let (text, parameters) = condition.sql(
      startingAt: values.count + 1, style: dialect == .sqlite ? .question : .dollar)
    conditions.append("(\(text))")
    values += parameters.map { value in
      switch value {
      case .integer(let number): .integer(number)
      case .text(let text): .text(text)
      case .null: .null
      }
    }
  }
}
