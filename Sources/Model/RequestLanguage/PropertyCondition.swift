// The tree of a parsed condition. Its makers fold what is known already, so that a comparison always
// has a column or arithmetic on its left.

import ClusterModel

/// A condition: true, false or unknown for each row.
indirect enum Condition: Hashable, Sendable {
  /// TRUE, FALSE or, for `nil`, unknown.
  case constant(Bool?)
  case compare(Operand, Comparison, Operand)
  case oneOf(PropertyColumn, ValueList)
  case like(PropertyColumn, LikePattern)
  case isNull(Operand)
  case not(Condition)
  /// Two or more, none of which is `all` itself.
  case all([Condition])
  /// Two or more, none of which is `any` itself.
  case any([Condition])

  static func all(of conditions: [Condition]) -> Condition {
    let flat = conditions.flatMap { condition in
      if case .all(let parts) = condition { parts } else { [condition] }
    }
    return flat.count == 1 ? flat[0] : .all(flat)
  }

  /// The opposite; two negations are none, in three-valued logic too.
  static func not(_ condition: Condition, if isNegated: Bool) -> Condition {
    guard isNegated else { return condition }
    if case .not(let inner) = condition { return inner }
    return .not(condition)
  }

  static func any(of conditions: [Condition]) -> Condition {
    let flat = conditions.flatMap { condition in
      if case .any(let parts) = condition { parts } else { [condition] }
    }
    return flat.count == 1 ? flat[0] : .any(flat)
  }

  func collectColumns(into columns: inout Set<String>) {
    switch self {
    case .constant: break
    case .compare(let left, _, let right):
      left.collectColumns(into: &columns)
      right.collectColumns(into: &columns)
    case .oneOf(let column, _), .like(let column, _): columns.insert(column.name)
    case .isNull(let operand): operand.collectColumns(into: &columns)
    case .not(let condition): condition.collectColumns(into: &columns)
    case .all(let conditions), .any(let conditions):
      for condition in conditions { condition.collectColumns(into: &columns) }
    }
  }
}

/// What is compared.
indirect enum Operand: Hashable, Sendable {
  case column(PropertyColumn)
  case literal(Literal)
  case arithmetic(ArithmeticOperator, Operand, Operand)

  static let null = Operand.literal(Literal(.null))

  func collectColumns(into columns: inout Set<String>) {
    switch self {
    case .column(let column): columns.insert(column.name)
    case .literal: break
    case .arithmetic(_, let left, let right):
      left.collectColumns(into: &columns)
      right.collectColumns(into: &columns)
    }
  }
}

enum ArithmeticOperator: String, Hashable, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"

  /// The result as SQL has it; `nil` (NULL) for division by zero and for overflow.
  func apply(_ left: Int, _ right: Int) -> Int? {
    let (result, overflow) =
      switch self {
      case .add: left.addingReportingOverflow(right)
      case .subtract: left.subtractingReportingOverflow(right)
      case .multiply: left.multipliedReportingOverflow(by: right)
      case .divide: left.dividedReportingOverflow(by: right)
      case .remainder: left.remainderReportingOverflow(dividingBy: right)
      }
    return overflow ? nil : result
  }
}

enum Comparison: String, Hashable, Sendable {
  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  /// Whether the comparison holds for an order: negative, zero or positive.
  func holds(for order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }

  /// The comparison with its sides exchanged.
  var mirrored: Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }
}

/// A value as written, with its readings as a number and as a text made once.
struct Literal: Hashable, Sendable {
  let value: PropertyValue
  /// What a column of numbers is compared with.
  let number: SQLNumber?
  /// What a column of texts is compared with; empty for NULL.
  let text: String

  init(_ value: PropertyValue) {
    self.value = value
    text = value.text ?? ""
    number =
      switch value {
      case .integer(let integer): .integer(integer)
      case .text(let text): SQLNumber(text)
      case .null: nil
      }
  }
}

/// The literals of an IN list, ready to be looked up.
struct ValueList: Hashable, Sendable {
  let literals: [Literal]
  private let integers: Set<Int>
  private let texts: Set<String>

  init(_ literals: [Literal]) {
    self.literals = literals
    texts = Set(literals.map(\.text))
    integers = Set(literals.compactMap { $0.number?.exactInteger })
  }

  /// Whether a column's value is in the list; `nil` for NULL.
  func contains(_ value: PropertyValue) -> Bool? {
    switch value {
    case .integer(let integer): integers.contains(integer)
    case .text(let text): texts.contains(text)
    case .null: nil
    }
  }

  static func == (left: ValueList, right: ValueList) -> Bool { left.literals == right.literals }

  func hash(into hasher: inout Hasher) { hasher.combine(literals) }
}
