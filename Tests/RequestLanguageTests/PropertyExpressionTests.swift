// Conditions: what is read, what they mean, what is refused, and how they become SQL.

import ClusterModel
import RequestLanguage
import Testing

@Suite("Property expressions")
struct PropertyExpressionTests {
  static let row: [String: PropertyValue] = [
    "core": .integer(4), "mem": .integer(100), "host": .text("node1"), "gpu": .text("YES"),
    "none": .null, "code": .text("007"), "drain": .text("NO"), "desktop_computing": .text("NO"),
  ]

  static func matches(_ text: String) throws -> Bool {
    try PropertyExpression(parsing: text).matches { row[$0] }
  }

  @Test(
    "a condition that holds matches",
    arguments: [
      "", "  ", "core=4", "core = '4'", "core=' 4'", "CORE=4", "\"core\" = 4", "4 = core",
      "core != 5", "core <> 5", "core<5", "core >= 4", "core > -1", "core > - 1", "host='node1'",
      "host LIKE 'node%'", "host like '_ode_'", "host NOT LIKE 'NODE%'", "code = '007'",
      "code > 0", "core LIKE '4'", "host LIKE 'node|1' ESCAPE '|'", "core IN (1, '4')",
      "core NOT IN (1,2)", "core BETWEEN 4 AND 4", "core NOT BETWEEN 5 AND 9", "none IS NULL",
      "core IS NOT NULL", "core IS NOT NULL AND NOT core IS NULL", "core*2 + 1 = 9",
      "core + 1 * 2 = 6", "(core + 1) * 2 = 10", "10 - core - 1 = 5", "mem / 30 = 3",
      "mem % 30 = 10", "-core = -4", "core = 2 OR core = 4 AND host = 'node1'",
      "NOT core = 5", "NOT NOT core = 4", "TRUE", "not false", "1=1", "'1' = 1",
      "(desktop_computing = 'NO') AND drain='NO'",
      "((core = 4) AND desktop_computing = 'NO') AND drain='NO'", "none = 1 OR core = 4",
      "mem >= 100 and (gpu='YES' or gpu='maybe')", "core < 'abc'", "core = '4.0'",
    ])
  func holds(_ text: String) throws {
    #expect(try Self.matches(text))
  }

  @Test(
    "a condition that is false or unknown does not match",
    arguments: [
      "core=5", "host='NODE1'", "host LIKE 'NODE%'", "none = none", "none != 1", "NOT none = 1",
      "none IN (1,2)", "none NOT IN (1,2)", "core NOT IN (1, NULL)", "NULL", "NOT NULL",
      "core = NULL", "core != NULL", "none BETWEEN 1 AND 2", "core / (mem - 100) = 1",
      "NOT (core / (mem - 100) = 1)", "none = 1 AND core = 4", "FALSE", "1 = 0", "1 > 2",
      "code = 7", "core = 'abc'", "9223372036854775807 + core > 0", "missing = 1",
      "NOT missing = 1", "core = 2 AND core = 4 OR host = 'x'",
    ])
  func doesNotHold(_ text: String) throws {
    #expect(try !Self.matches(text))
  }

  static let bad: [(String, RequestError.Kind, Int)] = [
    ("host = ", .missing, 8), ("= 4", .malformed, 1), ("core", .malformed, 1),
    ("core = 4 core", .malformed, 10), ("core = 4 AND", .missing, 13), ("(core = 4", .missing, 10),
    ("core = 4)", .malformed, 9), ("core = 1 = 2", .malformed, 10), ("4", .malformed, 1),
    ("core == 4", .malformed, 7), ("host = 'a", .malformed, 8), ("host = \"a", .malformed, 8),
    ("host ~ 'a'", .unsupported, 6), ("host !~ 'a'", .unsupported, 6),
    ("host ILIKE 'a'", .unsupported, 6), ("lower(host) = 'a'", .unsupported, 6),
    ("core = 4.5", .unsupported, 8), ("core = 4x", .malformed, 8),
    ("core = 99999999999999999999", .outOfRange, 8), ("core = 9223372036854775808", .outOfRange, 8),
    ("core = 9223372036854775807 + 1", .outOfRange, 30), ("core / 0 = 1", .outOfRange, 8),
    ("core = 4; DROP TABLE jobs", .malformed, 9), ("core = 4 -- x", .unsupported, 10),
    ("core = 4 /* x */", .unsupported, 10), ("core IN ()", .malformed, 10),
    ("core IN (1", .missing, 11), ("core IN 1", .malformed, 9), ("core BETWEEN 1", .missing, 15),
    ("core BETWEEN 1 OR 2", .malformed, 16), ("core IS 4", .malformed, 9),
    ("core NOT 4", .malformed, 10), ("host LIKE host", .malformed, 11),
    ("host LIKE 4", .malformed, 11), ("core + 1 LIKE '5'", .unsupported, 1),
    ("host LIKE 'a' ESCAPE 'bc'", .malformed, 22), ("host LIKE 'a\\'", .malformed, 11),
    ("1 AND core = 4", .malformed, 1), ("(core = 4) + 1 = 2", .malformed, 1),
    ("core + 'abc' = 1", .malformed, 8), ("1 = 'abc'", .malformed, 1),
    ("\"a b\" = 1", .malformed, 1), ("a.b = 1", .malformed, 2),
    ("tag = 'é' é", .malformed, 11), ("x IN (SELECT y)", .unsupported, 7),
    ("host = 'a\u{0}b'", .malformed, 8),
  ]

  @Test("a text that is no condition is refused at its place", arguments: bad)
  func refuses(_ text: String, _ kind: RequestError.Kind, _ position: Int) {
    let error = #expect(throws: RequestError.self) { try PropertyExpression(parsing: text) }
    #expect(error?.kind == kind, "\(text): \(error?.description ?? "")")
    #expect(error?.position == position, "\(text): \(error?.description ?? "")")
  }

  @Test("an error says what was read, where, the value and what is allowed")
  func describes() {
    let error = #expect(throws: RequestError.self) {
      try PropertyExpression(parsing: "host ~ 'node.*'")
    }
    #expect(
      error?.description
        == "property expression, character 6: '~ 'node.*'' is not supported; "
        + "allowed: LIKE with % and _, in place of a regular expression")
  }

  @Test("deep, long and large texts are refused for their size")
  func refusesTooLarge() {
    let depth = RequestLimits.nesting
    let texts = [
      String(repeating: "(", count: 60_000),
      String(repeating: "NOT ", count: depth + 1) + "a=1",
      "a = " + String(repeating: "- ", count: depth + 1) + "b",
      String(repeating: "(", count: depth + 1) + "a=1" + String(repeating: ")", count: depth + 1),
      Array(repeating: "a=1", count: RequestLimits.comparisons + 1).joined(separator: " OR "),
      "a="
        + Array(repeating: "b", count: RequestLimits.arithmeticOperators + 2)
        .joined(separator: "+"),
      "a IN (" + Array(repeating: "1", count: RequestLimits.literals + 1).joined(separator: ",")
        + ")",
      "a LIKE '" + String(repeating: "x", count: RequestLimits.patternBytes + 1) + "'",
      String(repeating: "a", count: 65) + " = 1", String(repeating: "x", count: 1 << 20),
    ]
    for text in texts {
      let error = #expect(throws: RequestError.self) { try PropertyExpression(parsing: text) }
      #expect(error?.kind == .tooLarge, "\(error?.description ?? "")")
    }
    let deepest =
      String(repeating: "(", count: depth) + "a=1" + String(repeating: ")", count: depth)
    #expect(throws: Never.self) { try PropertyExpression(parsing: deepest) }
  }

  @Test("columns are named in lower case, once each, from every corner")
  func columns() throws {
    let expression = try PropertyExpression(
      parsing: "A=1 AND (b+C > 2 OR NOT d LIKE 'x') AND \"e\" IN (1) AND f IS NULL AND g=NULL")
    #expect(expression.columns == ["a", "b", "c", "d", "e", "f", "g"])
  }

  @Test("a column that does not exist is named with those that do")
  func requiresColumns() throws {
    let expression = try PropertyExpression(parsing: "core = 1 AND foo = 1")
    let error = #expect(throws: RequestError.self) {
      try expression.requireColumns(["core", "host"])
    }
    #expect(error?.kind == .unknown)
    #expect(error?.value == "foo")
    #expect(error?.allowed == "core, host")
    #expect(throws: Never.self) { try expression.requireColumns(["core", "foo"]) }
  }

  @Test("conditions that differ in blanks, case and parentheses only are equal")
  func equality() throws {
    let one = try PropertyExpression(parsing: "(Core = 4 and host='a') AND  mem != 2")
    let other = try PropertyExpression(parsing: "core=4 AND (HOST = 'a' AND (mem <> 2))")
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    #expect(try one != PropertyExpression(parsing: "core=4 AND host='A' AND mem <> 2"))
  }

  @Test("joined conditions must both hold, and always adds nothing")
  func joins() throws {
    let core = try PropertyExpression(parsing: "core = 4")
    let either = try PropertyExpression(parsing: "host = 'x' OR host = 'y'")
    #expect(
      core.and(either)
        == (try PropertyExpression(
          parsing: "core = 4 AND (host = 'x' OR host = 'y')")))
    #expect(core.and(.always) == core)
    #expect(PropertyExpression.always.and(core) == core)
    #expect(try PropertyExpression(parsing: " ") == .always)
  }

  @Test("SQL for SQLite binds every value and quotes every column")
  func sqlForSQLite() throws {
    let (text, parameters) = try PropertyExpression(
      parsing: "host LIKE 'a*%' AND (core+1 > 2 OR mem IN (1,'x')) AND NOT gpu IS NULL"
    ).sql()
    #expect(
      text
        == "((CAST([core] AS INTEGER) + ? > ? OR [mem] IN (?, ?)) AND [host] GLOB ? "
        + "AND NOT [gpu] IS NULL)")
    #expect(parameters == [.integer(1), .integer(2), .integer(1), .text("x"), .text("a[*]*")])
  }

  @Test("SQL for PostgreSQL numbers its parameters from where it is told")
  func sqlForPostgreSQL() throws {
    let (text, parameters) = try PropertyExpression(
      parsing: "host LIKE 'a%' AND core*2 > 2 AND gpu = 'YES'"
    ).sql(startingAt: 3, style: .dollar, table: "resources")
    #expect(
      text
        == "(CAST(resources.\"host\" AS text) LIKE $3 AND "
        + "CAST(resources.\"core\" AS bigint) * CAST($4 AS bigint) > $5 AND "
        + "resources.\"gpu\" = $6)")
    #expect(parameters == [.text("a%"), .integer(2), .integer(2), .text("YES")])
  }

  @Test("SQL of no condition is true for every row")
  func sqlOfAlways() {
    #expect(PropertyExpression.always.sql().text == "(1 = 1)")
    #expect(PropertyExpression.always.sql().parameters.isEmpty)
    #expect(PropertyExpression.always.text == "")
  }

  @Test("any condition comes back from its text")
  func roundTrips() throws {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3000 {
      let expression = try PropertyExpression(parsing: RandomConditions.text(&random))
      let again = try PropertyExpression(parsing: expression.text)
      #expect(again == expression, "\(expression.text)")
    }
  }

  @Test("a resource answers as its columns do, by name and directly")
  func resources() throws {
    var resource = Resource(id: 3)
    resource.networkAddress = "node1"
    resource.state = .suspected
    resource.suspectedByServer = true
    resource.cpuset = "1+2"
    resource.drain = true
    resource.schedulerPriority = 5
    resource.properties = ["core": .integer(4), "gpu": .text("YES"), "none": .null]
    for name in standardResourceColumns + ["core", "gpu"] {
      let value = try #require(resource.value(of: name)?.text)
      let expression = try PropertyExpression(parsing: "\(name) = '\(value)'")
      #expect(expression.matches(resource), "\(name) = \(value)")
      #expect(expression.matches { resource.value(of: $0) }, "\(name) = \(value)")
      #expect(try !PropertyExpression(parsing: "\(name) IS NULL").matches(resource))
    }
    #expect(try PropertyExpression(parsing: "none IS NULL").matches(resource))
    #expect(try PropertyExpression(parsing: "nosuch IS NULL").matches(resource))
  }

  @Test("a pattern of many wildcards does not try every split of a text that nearly matches")
  func wildcards() throws {
    let pattern = String(repeating: "%a", count: 200) + "b"
    let text = String(repeating: "a", count: 2000)
    let expression = try PropertyExpression(parsing: "host LIKE '\(pattern)'")
    #expect(!expression.matches { _ in .text(text) })
  }
}
