// Random conditions as users could write them, over the columns `core`, `mem`, `host` and `tag`.

import RequestLanguage

enum RandomConditions {
  static let numberColumns = ["core", "mem"]
  static let textColumns = ["host", "tag"]
  static let texts = [
    "", "4", " 4 ", "4.0", "4.5", "-2", "1e1", "0x4", "inf", "12abc", "abc", "ABC", "node1",
    "node10", "Node1", "n%", "n_de1", "it''s", "é", "日本", "9223372036854775808", "a*b", "[x]",
    "100%", "+7", ".5", "5.", "e5", "back\\slash",
  ]
  static let patterns = [
    "node%", "%1", "n_de1", "%o%1%", "_", "__", "%", "", "n\\%", "n\\_%", "NODE%", "%é%", "*",
    "[x]", "%[%", "a*b", "4%", "it''s", "%''%", "100\\%", "%\\\\%",
  ]

  /// A condition that parses.
  static func text(_ random: inout SeededGenerator) -> String {
    while true {
      let candidate = condition(&random, depth: random.number(0...4))
      if (try? PropertyExpression(parsing: candidate)) != nil { return candidate }
    }
  }

  private static func condition(_ random: inout SeededGenerator, depth: Int) -> String {
    guard depth > 0, random.chance(80) else { return comparison(&random) }
    func inner(_ random: inout SeededGenerator) -> String {
      let text = condition(&random, depth: depth - 1)
      return random.chance(50) ? "(\(text))" : text
    }
    switch random.number(0...2) {
    case 0: return "NOT " + (random.chance(50) ? "(\(inner(&random)))" : inner(&random))
    default:
      let word = random.pick([" AND ", " or ", "\nOr ", " and "])
      return (0..<random.number(2...4)).map { _ in inner(&random) }.joined(separator: word)
    }
  }

  private static func comparison(_ random: inout SeededGenerator) -> String {
    let not = random.chance(40) ? "NOT " : ""
    switch random.number(0...9) {
    case 0:
      return "\(column(&random)) \(not)LIKE '\(random.pick(patterns))'"
    case 1:
      return "\(column(&random)) \(not)LIKE '\(random.pick(patterns))' ESCAPE '\\'"
    case 2:
      let list = (0..<random.number(1...5)).map { _ in value(&random) }.joined(separator: ", ")
      return "\(random.chance(80) ? column(&random) : operand(&random)) \(not)IN (\(list))"
    case 3:
      return "\(operand(&random)) \(not)BETWEEN \(operand(&random)) AND \(operand(&random))"
    case 4: return "\(operand(&random)) IS \(not)NULL"
    case 5: return random.pick(["TRUE", "false", "NULL", "1=1", "'a' < 'b'", "2 > '10'"])
    default:
      let sign = random.pick(["=", "!=", "<>", "<", "<=", ">", ">="])
      return operand(&random) + random.pick(["", " ", "\t"]) + sign + " " + operand(&random)
    }
  }

  private static func column(_ random: inout SeededGenerator) -> String {
    let name = random.pick(numberColumns + textColumns)
    return random.pick([name, name.uppercased(), "\"\(name)\""])
  }

  private static func value(_ random: inout SeededGenerator) -> String {
    switch random.number(0...9) {
    case 0: "NULL"
    case 1...5: String(random.number(-5...12))
    default: "'\(random.pick(texts))'"
    }
  }

  private static func operand(_ random: inout SeededGenerator, depth: Int = 2) -> String {
    switch random.number(0...9) {
    case 0...3: return column(&random)
    case 4...6: return value(&random)
    case 7 where depth > 0: return "-\(column(&random))"
    default:
      guard depth > 0 else { return column(&random) }
      let sign = random.pick([" + ", " - ", "*", "/", " % "])
      let text = operand(&random, depth: depth - 1) + sign + operand(&random, depth: depth - 1)
      return random.chance(50) ? "(\(text))" : text
    }
  }
}
