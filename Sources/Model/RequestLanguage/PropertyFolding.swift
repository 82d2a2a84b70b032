// What the parser knows without a row: comparisons and sums of values alone, and values brought to the
// kind of what they are compared with.

import ClusterModel

extension Comparison {
  init?(_ sign: PropertyToken.Sign) {
    switch sign {
    case .equal: self = .equal
    case .notEqual: self = .notEqual
    case .less: self = .less
    case .lessOrEqual: self = .lessOrEqual
    case .greater: self = .greater
    case .greaterOrEqual: self = .greaterOrEqual
    default: return nil
    }
  }
}

extension ArithmeticOperator {
  /// The operator of a sum.
  init?(sumSign: PropertyToken.Sign) {
    switch sumSign {
    case .plus: self = .add
    case .minus: self = .subtract
    default: return nil
    }
  }

  /// The operator of a product.
  init?(productSign: PropertyToken.Sign) {
    switch productSign {
    case .times: self = .multiply
    case .slash: self = .divide
    case .percent: self = .remainder
    default: return nil
    }
  }
}

extension PropertyParser {
  /// The phrase as a condition, or an error about the text where it began.
  func condition(_ phrase: Phrase, from start: PropertyToken) throws(RequestError) -> Condition {
    switch phrase {
    case .condition(let condition): return condition
    case .operand(.null): return .constant(nil)
    case .operand:
      throw error(
        .malformed, start, "is a value where a condition is needed",
        allowed: "a comparison, such as core = 4 or host = 'name'")
    }
  }

  /// The phrase as a value, or an error about the text where it began.
  func operand(_ phrase: Phrase, from start: PropertyToken) throws(RequestError) -> Operand {
    switch phrase {
    case .operand(let operand): return operand
    case .condition:
      throw error(
        .malformed, start, "is a condition where a value is needed",
        allowed: "a column, a number or a text in single quotes")
    }
  }

  func isNull(_ operand: Operand) -> Condition {
    if case .literal(let literal) = operand { return .constant(literal.value == .null) }
    return .isNull(operand)
  }

  /// The comparison, with a value alone on its right if there is one at all.
  func compare(
    _ left: Operand, _ comparison: Comparison, _ right: Operand, from start: PropertyToken
  ) throws(RequestError) -> Condition {
    if left == .null || right == .null {
      // Unknown, but its columns must exist all the same.
      let operand = left == .null ? right : left
      if case .literal = operand { return .constant(nil) }
      return .compare(operand, comparison, .null)
    }
    switch (left, right) {
    case (.literal(let first), .literal(let second)):
      return .constant(comparison.holds(for: try order(first, second, from: start)))
    case (.literal, _):
      return try compare(right, comparison.mirrored, left, from: start)
    case (.arithmetic, .literal(let literal)):
      return .compare(left, comparison, .literal(try number(literal, from: start)))
    default:
      return .compare(left, comparison, right)
    }
  }

  /// The order of two values that are not NULL; a text is read as a number beside a number.
  private func order(
    _ left: Literal, _ right: Literal, from start: PropertyToken
  ) throws(RequestError) -> Int {
    if case .text(let left) = left.value, case .text(let right) = right.value {
      return left == right ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }
    guard case .integer(let first) = try number(left, from: start).value,
      case .integer(let second) = try number(right, from: start).value
    else { return 0 }
    return first < second ? -1 : first == second ? 0 : 1
  }

  /// A value as an integer; `null` stays.
  private func number(
    _ literal: Literal, from start: PropertyToken
  ) throws(RequestError) -> Literal {
    guard case .text(let text) = literal.value else { return literal }
    guard case .integer(let integer)? = literal.number else {
      throw RequestError(
        .malformed, in: PropertyExpression.subject, value: text,
        problem: "is a text that is used with a number", allowed: "whole numbers there",
        position: error(.malformed, start, "", allowed: "").position)
    }
    return Literal(.integer(integer))
  }

  /// Two operands joined by an arithmetic operator, computed if both are numbers already.
  func folded(
    _ left: Operand, _ operation: ArithmeticOperator, _ right: Operand, at place: PropertyToken
  ) throws(RequestError) -> Operand {
    let left = try arithmeticOperand(left, at: place)
    let right = try arithmeticOperand(right, at: place)
    if case .literal(let divisor) = right, divisor.value == .integer(0),
      operation == .divide || operation == .remainder
    {
      throw error(.outOfRange, place, "is a division by zero", allowed: "any other divisor")
    }
    guard case .literal(let first) = left, case .literal(let second) = right else {
      return .arithmetic(operation, left, right)
    }
    guard case .integer(let first) = first.value, case .integer(let second) = second.value else {
      return .null
    }
    guard let result = operation.apply(first, second) else {
      throw error(
        .outOfRange, place, "makes a number that is too large",
        allowed: "results from \(Int.min) to \(Int.max)")
    }
    return .literal(Literal(.integer(result)))
  }

  private func arithmeticOperand(
    _ operand: Operand, at place: PropertyToken
  ) throws(RequestError) -> Operand {
    guard case .literal(let literal) = operand else { return operand }
    return .literal(try number(literal, from: place))
  }
}
