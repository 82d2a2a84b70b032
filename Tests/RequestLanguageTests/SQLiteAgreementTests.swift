// The answers in memory are those of SQLite to the rendered condition, on random rows and conditions.

import ClusterModel
import RequestLanguage
import Testing

@Suite("Conditions and SQLite")
struct SQLiteAgreementTests {
  static func randomRows(_ random: inout SeededGenerator, count: Int) -> [[String: PropertyValue]] {
    (0..<count).map { _ in
      var row: [String: PropertyValue] = [:]
      for name in RandomConditions.numberColumns {
        row[name] = random.chance(15) ? .null : .integer(random.number(-6...13))
      }
      for name in RandomConditions.textColumns {
        // Sums past 64 bits are NULL in memory, an error in PostgreSQL and inexact in SQLite.
        let text = random.pick(RandomConditions.texts.filter { $0 != "9223372036854775808" })
        row[name] = random.chance(15) ? .null : .text(text == "it''s" ? "it's" : text)
      }
      return row
    }
  }

  @Test("memory and SQLite agree on every row of random conditions", arguments: 1...8)
  func agree(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let table = try SQLiteTable(rows: Self.randomRows(&random, count: 40))
    for _ in 0..<500 {
      let text = RandomConditions.text(&random)
      let expression = try PropertyExpression(parsing: text)
      let (sql, parameters) = expression.sql()
      let expected = try table.rows(where: sql, parameters)
      let actual = table.rows.indices.filter { index in
        expression.matches { table.rows[index][$0] }
      }
      #expect(actual == expected, "\(text) rendered as \(sql) with \(parameters)")
    }
  }

  @Test("long lists of alternatives do not pass SQLite's depth")
  func longLists() throws {
    let table = try SQLiteTable(rows: [["core": .integer(2999)], ["core": .integer(-1)]])
    let text = (0..<3000).map { "core=\($0)" }.joined(separator: " OR ")
    let (sql, parameters) = try PropertyExpression(parsing: text).sql()
    #expect(try table.rows(where: sql, parameters) == [0])
  }

  @Test("the deepest condition that is read is not too deep for SQLite")
  func deepestCondition() throws {
    let table = try SQLiteTable(rows: [["core": .integer(0), "mem": .integer(0)]])
    var text =
      "core = "
      + Array(repeating: "mem", count: RequestLimits.arithmeticOperators + 1)
      .joined(separator: "+")
    for level in 0..<RequestLimits.nesting {
      let (term, word) = level % 2 == 0 ? ("core=1", " OR ") : ("mem=0", " AND ")
      let terms = Array(repeating: term, count: RequestLimits.comparisons / 64 - 1)
      text = terms.joined(separator: word) + word + "(\(text))"
    }
    let expression = try PropertyExpression(parsing: text)
    let (sql, parameters) = expression.sql()
    #expect(try table.rows(where: sql, parameters) == [0])
    #expect(expression.matches { table.rows[0][$0] })
  }

  @Test("the longest pattern that is read is not too long for SQLite")
  func longestPattern() throws {
    let table = try SQLiteTable(rows: [["host": .text("node1")]])
    let pattern = String(repeating: "[", count: RequestLimits.patternBytes)
    let (sql, parameters) = try PropertyExpression(parsing: "host NOT LIKE '\(pattern)'").sql()
    #expect(try table.rows(where: sql, parameters) == [0])
  }

  @Test("an unknown column is an error of SQLite, never a text")
  func unknownColumn() throws {
    let table = try SQLiteTable(rows: [])
    let (sql, parameters) = try PropertyExpression(parsing: "nosuch = 'nosuch'").sql()
    #expect(throws: SQLiteTable.Failure.self) { try table.rows(where: sql, parameters) }
  }
}
