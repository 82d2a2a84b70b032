// A condition as SQL text with bound parameters, and as a user could have written it.

import ClusterModel

/// How a database writes parameters, and which database it is.
public enum SQLStyle: Sendable {
  /// SQLite: `?`.
  case question
  /// PostgreSQL: `$1`, `$2`, …
  case dollar
}

extension PropertyExpression {
  /// The condition for a WHERE clause, in parentheses. No text or number of the user's is in it, only
  /// their columns, quoted so that an unknown one is an error. A database may still refuse arithmetic
  /// with dozens of parentheses within each other.
  ///
  /// - Parameters:
  ///   - index: the number of the first parameter, from 1; matters for ``SQLStyle/dollar``.
  ///   - style: the database.
  ///   - table: written before each column, for statements that join tables.
  public func sql(
    startingAt index: Int = 1, style: SQLStyle = .question, table: String? = nil
  ) -> (text: String, parameters: [PropertyValue]) {
    var writer = ConditionWriter(style: style, table: table, nextParameter: index)
    writer.write(condition)
    return ("(\(writer.text))", writer.parameters)
  }

  /// The condition in the language of users; parsing it gives an equal expression. Empty for
  /// ``always``.
  public var text: String {
    if self == .always { return "" }
    var writer = ConditionWriter(style: nil, table: nil, nextParameter: 1)
    writer.write(condition)
    return writer.text
  }
}

/// Writes a tree; `style` is `nil` for the language of users, where literals stand in the text.
///
/// SQLite bounds the depth of an expression (1000) and the stack of its parser (100 in version 3.40):
/// so there are no needless parentheses, the deepest part of a list comes first, where nothing of the
/// list waits on that stack, and long lists are cut into groups.
private struct ConditionWriter {
  let style: SQLStyle?
  let table: String?
  var nextParameter: Int
  var text = ""
  var parameters: [PropertyValue] = []

  /// In longer lists only the first part stays at the top.
  private static let longestFlatList = 8
  private static let groupSize = 64

  mutating func write(_ condition: Condition) {
    switch condition {
    case .constant(let truth): write(constant: truth)
    case .compare(let left, let comparison, let right):
      write(left)
      text += " \(comparison.rawValue) "
      write(right)
    case .oneOf(let column, let list):
      write(column)
      text += " IN ("
      write(list.literals)
      text += ")"
    case .like(let column, let pattern): write(column, like: pattern)
    case .isNull(let operand):
      write(operand)
      text += " IS NULL"
    case .not(let condition):
      text += "NOT "
      write(condition, within: .not)
    case .all(let conditions): write(list: conditions, joinedBy: " AND ", within: .all)
    case .any(let conditions): write(list: conditions, joinedBy: " OR ", within: .any)
    }
  }

  /// Writes a part, in parentheses if it binds less tightly than what it is part of.
  private mutating func write(_ condition: Condition, within outer: Condition.Strength) {
    guard condition.strength.rawValue < outer.rawValue else { return write(condition) }
    text += "("
    write(condition)
    text += ")"
  }

  private mutating func write(
    list: [Condition], joinedBy word: String, within outer: Condition.Strength
  ) {
    guard style != nil else { return write(flat: list[...], joinedBy: word, within: outer) }
    let parts = list.map { (height: $0.height, condition: $0) }
      .sorted { $0.height > $1.height }.map(\.condition)
    guard parts.count > ConditionWriter.longestFlatList else {
      return write(flat: parts[...], joinedBy: word, within: outer)
    }
    write(parts[0], within: outer)
    text += word + "("
    for start in stride(from: 1, to: parts.count, by: ConditionWriter.groupSize) {
      if start > 1 { text += ")\(word)(" }
      let end = min(start + ConditionWriter.groupSize, parts.count)
      write(flat: parts[start..<end], joinedBy: word, within: outer)
    }
    text += ")"
  }

  private mutating func write(
    flat parts: ArraySlice<Condition>, joinedBy word: String, within outer: Condition.Strength
  ) {
    for index in parts.indices {
      if index > parts.startIndex { text += word }
      write(parts[index], within: outer)
    }
  }

  private mutating func write(constant: Bool?) {
    let user = style == nil
    switch constant {
    case true?: text += user ? "TRUE" : "1 = 1"
    case false?: text += user ? "FALSE" : "1 = 0"
    case nil: text += user ? "NULL" : "1 = NULL"
    }
  }

  private mutating func write(_ literals: [Literal]) {
    for (index, literal) in literals.enumerated() {
      if index > 0 { text += ", " }
      write(literal)
    }
  }

  private mutating func write(_ conditions: ArraySlice<Condition>, joinedBy word: String) {
    guard conditions.count > ConditionWriter.longestFlatList, style != nil else {
      for index in conditions.indices {
        if index > conditions.startIndex { text += word }
        text += "("
        write(conditions[index])
        text += ")"
      }
      return
    }
    let middle = conditions.startIndex + conditions.count / 2
    text += "("
    write(conditions[..<middle], joinedBy: word)
    text += ")\(word)("
    write(conditions[middle...], joinedBy: word)
    text += ")"
  }

  private mutating func write(_ column: PropertyColumn) {
    let before = table.map { "\($0)." } ?? ""
    // SQLite takes an unknown name in double quotes for a text, in square brackets for an error.
    text += before + (style == .question ? "[\(column.name)]" : "\"\(column.name)\"")
  }

  private mutating func write(_ column: PropertyColumn, like pattern: LikePattern) {
    switch style {
    case .question?:
      write(column)
      text += " GLOB "
      write(Literal(.text(pattern.globText)))
    case .dollar?:
      text += "CAST("
      write(column)
      text += " AS text) LIKE "
      write(Literal(.text(pattern.likeText)))
    case nil:
      write(column)
      text += " LIKE "
      write(Literal(.text(pattern.likeText)))
    }
  }

  private mutating func write(_ operand: Operand) {
    switch operand {
    case .column(let column): write(column)
    case .literal(let literal): write(literal)
    case .arithmetic(let operation, let left, let right):
      writeNumber(left, inParentheses: left.strength < operation.strength)
      text += " \(operation.rawValue) "
      writeNumber(right, inParentheses: right.strength <= operation.strength)
    }
  }

  /// Writes a part of arithmetic: a number whatever the column holds.
  private mutating func writeNumber(_ operand: Operand, inParentheses: Bool) {
    let needsCast =
      switch (operand, style) {
      case (.column, .question?), (.column, .dollar?), (.literal, .dollar?): true
      default: false
      }
    text += needsCast ? "CAST(" : inParentheses ? "(" : ""
    write(operand)
    text += needsCast ? " AS \(style == .dollar ? "bigint" : "INTEGER"))" : inParentheses ? ")" : ""
  }

  private mutating func write(_ literal: Literal) {
    switch style {
    case .question?: text += "?"
    case .dollar?: text += "$\(nextParameter)"
    case nil:
      text += literal.userText
      return
    }
    parameters.append(literal.value)
    nextParameter += 1
  }
}

extension Literal {
  /// The literal as users write it.
  fileprivate var userText: String {
    switch value {
    case .integer(let integer): return String(integer)
    case .text(let text):
      let parts = text.split(separator: "'", omittingEmptySubsequences: false)
      return "'" + parts.joined(separator: "''") + "'"
    case .null: return "NULL"
    }
  }
}

extension Condition {
  /// How tightly a condition holds together, loosest first.
  fileprivate enum Strength: Int {
    case any, all, not, comparison
  }

  fileprivate var strength: Strength {
    switch self {
    case .any: .any
    case .all: .all
    case .not: .not
    default: .comparison
    }
  }

  /// How many lists are within each other.
  fileprivate var height: Int {
    switch self {
    case .all(let parts), .any(let parts): 1 + (parts.lazy.map(\.height).max() ?? 0)
    case .not(let condition): condition.height
    default: 0
    }
  }
}

extension ArithmeticOperator {
  /// 1 for sums, 2 for products.
  fileprivate var strength: Int { self == .add || self == .subtract ? 1 : 2 }
}

extension Operand {
  /// The strength of its operator, and more than any for what has none.
  fileprivate var strength: Int {
    if case .arithmetic(let operation, _, _) = self { operation.strength } else { 3 }
  }
}
