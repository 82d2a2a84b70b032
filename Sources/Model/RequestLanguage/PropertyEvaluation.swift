// Whether a row meets a condition: SQL's three-valued logic in memory.

import ClusterModel

extension PropertyExpression {
  /// Whether a row meets the condition.
  ///
  /// - Parameter value: the value of a column; `nil` if there is no such column, which counts as NULL.
  public func matches(_ value: (String) -> PropertyValue?) -> Bool {
    withoutActuallyEscaping(value) { condition.truth(for: LookupSource(lookup: $0)) == true }
  }

  /// Whether a resource meets the condition; faster than the general form.
  public func matches(_ resource: Resource) -> Bool {
    condition.truth(for: resource) == true
  }
}

extension Condition {
  /// True, false or, for `nil`, unknown.
  func truth(for row: some PropertySource) -> Bool? {
    switch self {
    case .constant(let truth): return truth
    case .compare(let left, let comparison, let right):
      return left.order(to: right, for: row).map(comparison.holds)
    case .oneOf(let column, let list): return list.contains(row.value(of: column))
    case .like(let column, let pattern):
      return row.value(of: column).text.map(pattern.matches)
    case .isNull(let operand): return operand.value(for: row) == .null
    case .not(let condition): return condition.truth(for: row).map { !$0 }
    case .all(let conditions): return Condition.first(false, of: conditions, for: row)
    case .any(let conditions): return Condition.first(true, of: conditions, for: row)
    }
  }

  /// `decisive` if any condition is; otherwise unknown if any is; otherwise the opposite.
  private static func first(
    _ decisive: Bool, of conditions: [Condition], for row: some PropertySource
  ) -> Bool? {
    var result: Bool? = !decisive
    for condition in conditions {
      switch condition.truth(for: row) {
      case decisive: return decisive
      case nil: result = nil
      default: break
      }
    }
    return result
  }
}

extension Operand {
  /// The order of two operands: negative, zero, positive; `nil` if either is NULL.
  func order(to other: Operand, for row: some PropertySource) -> Int? {
    switch (self, other) {
    case (.column(let column), .literal(let literal)):
      return literal.order(of: row.value(of: column))
    case (.column(let left), .column(let right)):
      return orderOfColumns(row.value(of: left), row.value(of: right))
    default:
      return orderOfNumber(value(for: row), other.value(for: row))
    }
  }

  func value(for row: some PropertySource) -> PropertyValue {
    switch self {
    case .column(let column): row.value(of: column)
    case .literal(let literal): literal.value
    case .arithmetic: integer(for: row).map(PropertyValue.integer) ?? .null
    }
  }

  /// The operand as a number for arithmetic; `nil` for NULL.
  private func integer(for row: some PropertySource) -> Int? {
    switch self {
    case .arithmetic(let operation, let left, let right):
      guard let left = left.integer(for: row), let right = right.integer(for: row) else {
        return nil
      }
      return operation.apply(left, right)
    case .column, .literal:
      return switch value(for: row) {
      case .integer(let integer): integer
      case .text(let text): SQLNumber.castPrefix(of: text)
      case .null: nil
      }
    }
  }
}

extension Literal {
  /// The order of a column's value and this literal, which takes the kind of the column.
  fileprivate func order(of columnValue: PropertyValue) -> Int? {
    if value == .null { return nil }
    switch columnValue {
    // A text that is no number comes after all numbers.
    case .integer(let integer): return number?.order(of: integer) ?? -1
    case .text(let text): return textOrder(text, self.text)
    case .null: return nil
    }
  }
}

/// The order of two columns' values: as numbers if either is a number.
private func orderOfColumns(_ left: PropertyValue, _ right: PropertyValue) -> Int? {
  switch (left, right) {
  case (.null, _), (_, .null): nil
  case (.text(let left), .text(let right)): textOrder(left, right)
  case (.integer(let left), .integer(let right)): SQLNumber.integer(right).order(of: left)
  case (.integer(let left), .text(let right)): SQLNumber(right)?.order(of: left) ?? -1
  case (.text(let left), .integer(let right)):
    SQLNumber(left).map { -$0.order(of: right) } ?? 1
  }
}

/// The order where one side is arithmetic: a column of texts makes it a comparison of texts.
private func orderOfNumber(_ left: PropertyValue, _ right: PropertyValue) -> Int? {
  switch (left, right) {
  case (.integer(let left), .integer(let right)): return SQLNumber.integer(right).order(of: left)
  default:
    guard let left = left.text, let right = right.text else { return nil }
    return textOrder(left, right)
  }
}

/// The order of two texts by their bytes, as SQLite compares them.
private func textOrder(_ left: String, _ right: String) -> Int {
  if left == right, left.utf8.count == right.utf8.count { return 0 }
  return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
}
