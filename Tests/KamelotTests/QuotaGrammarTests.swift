// How the document of quotas is read.

import Encoding
import Foundation
import Kamelot
import Testing

struct QuotaGrammarTests {
  @Test("numbers, texts, ALL and parts of ALL are understood; hours become seconds")
  func values() throws {
    let quotas = try quotas(
      """
      {"quotas": {"*,*,*,john": [100, "ALL", "0.5*ALL"], "*,projA,*,*": ["34.5", "ALL", "2*ALL"]}}
      """)
    #expect(quotas.problems.isEmpty)
    let limits = quotas.ruleSets[0].rules.map(\.limits)
    #expect(
      limits == [
        QuotaLimits(resources: 100, jobs: 100, resourceSeconds: 180_000),
        QuotaLimits(resources: 34, jobs: 100, resourceSeconds: 720_000),
      ])
    #expect(quotas.ruleSets[0].rules.map(\.text) == ["*,*,*,john", "*,projA,*,*"])
  }

  @Test("-1 is no limit, decimals are exact, and half an hour is half an hour")
  func oddValues() throws {
    let quotas = try quotas(
      """
      {"quotas": {"*,*,*,*": [-1, "-1", -1], "a,*,*,*": ["0.29*ALL", 7.9, 1.5],
                  "b, / ,*, *": [" 2 * ALL ", 0, "0.5"]}}
      """)
    #expect(quotas.problems.isEmpty)
    let limits = quotas.ruleSets[0].rules.map(\.limits)
    #expect(
      limits == [
        QuotaLimits(), QuotaLimits(resources: 29, jobs: 7, resourceSeconds: 5400),
        QuotaLimits(resources: 200, jobs: 0, resourceSeconds: 1800),
      ])
    #expect(quotas.ruleSets[0].rules[2].text == "b,/,*,*")
  }

  @Test("ALL can be used in rules of the calendar too")
  func allInTemporalRules() throws {
    let quotas = try quotas(
      """
      {"periodical": [["default", "week"]], "week": {"*,*,*,/": ["0.5*ALL", -1, "ALL"]}}
      """)
    #expect(quotas.problems.isEmpty)
    #expect(
      quotas.ruleSets.last?.rules.first?.limits
        == QuotaLimits(resources: 50, resourceSeconds: 360_000))
  }

  @Test(
    "a rule that can't be understood is left out and named, and the others hold",
    arguments: [
      (#""*,*,*": [1, 1, 1]"#, "*,*,*"), (#""*,*,/,*": [1, 1, 1]"#, "*,*,/,*"),
      (#""*,,*,*": [1, 1, 1]"#, "*,,*,*"), (#""*,*,*,bob": [1, 1]"#, "[1, 1]"),
      (#""*,*,*,bob": 5"#, "5"), (#""*,*,*,bob": [1, "many", 1]"#, "many"),
      (#""*,*,*,bob": [-2, 1, 1]"#, "-2"), (#""*,*,*,bob": [1e3, 1, 1]"#, "1e3"),
      (#""*,*,*,bob": [1, "ALL*2", 1]"#, "ALL*2"), (#""*,*,*,bob": [1, null, 1]"#, "null"),
      (#""*,*,*,bob": [99999999999999999999, 1, 1]"#, "99999999999999999999"),
      (#""*,*,*,bob": [1, "0x10", 1]"#, "0x10"), (#""*,*,*,bob": [1, ".5", 1]"#, ".5"),
    ])
  func badRules(rule: String, named: String) throws {
    let quotas = try quotas(#"{"quotas": {"*,*,*,/": [16, -1, -1], \#(rule)}}"#)
    #expect(quotas.ruleSets[0].rules.map(\.text) == ["*,*,*,/"])
    #expect(quotas.problems.count == 1)
    #expect(quotas.problems[0].contains(named) && quotas.problems[0].contains("allowed: "))
  }

  @Test(
    "a period that can't be understood is left out and named, and the others hold",
    arguments: [
      #"["* mon-wed *", "a"]"#, #"["25:00-26:00 mon * *", "a"]"#, #"["19:00-08:00 mon * *", "a"]"#,
      #"["08:00-08:00 mon * *", "a"]"#, #"["8:00-9:00 mon * *", "a"]"#, #"["* moon * *", "a"]"#,
      #"["* mon-tue-wed * *", "a"]"#, #"["* * 0 *", "a"]"#, #"["* * 32 *", "a"]"#,
      #"["* * * 13", "a"]"#, #"["* * * jan,", "a"]"#, #"["* mon * *", "nobody"]"#,
      #"["* mon * *"]"#, #"["* mon * *", 7]"#, #""default""#, "null",
    ])
  func badPeriods(period: String) throws {
    let quotas = try quotas(
      #"{"periodical": [\#(period), ["* * * *", "b"]], "a": {}, "b": {"*,*,*,*": [1, 1, 1]}}"#)
    #expect(quotas.problems.count == 1 && quotas.problems[0].contains("allowed: "))
    #expect(quotas.ruleSets[quotas.rules(at: monday).rules].name == "b")
  }

  @Test("a span that can't be understood is left out and named")
  func badOneShots() throws {
    let quotas = try quotas(
      """
      {"oneshot": [["2027-01-32 12:00", "2027-02-01 12:00", "a"], ["2027-02-02", "2027-02-01", "a"],
                   ["2027-02-01", "2027-02-02", "b"], ["2027-02-01", "a"], "soon",
                   ["2027-01-04 12:00", "2027-01-05 12:00", "a", "a good one"]], "a": {}}
      """)
    #expect(quotas.problems.count == 5)
    #expect(quotas.rules(at: monday).until == monday + 12 * hour)
  }

  @Test("sections of another form are left out and named")
  func badSections() throws {
    let quotas = try quotas(
      """
      {"quotas": {"*,*,*,/": [16, -1, -1]}, "job_types": "deploy", "periodical": {}, "oneshot": 1,
       "comment": "rules of ours"}
      """)
    #expect(quotas.problems.count == 4)
    #expect(quotas.ruleSets[0].rules.count == 1 && !quotas.calendar.isTemporal)
  }

  @Test("what is written twice is named, and the last holds")
  func repetitions() throws {
    let quotas = try quotas(
      #"{"quotas": {"*,*,*,/": [16, -1, -1], "*,*,*,/": [8, -1, -1]}, "quotas": {"*,*,*,/": [4, -1, -1]}}"#
    )
    #expect(quotas.problems.count == 1)
    #expect(quotas.ruleSets[0].rules.map(\.limits.resources) == [4])
    let rules = try Quotas(
      JSONReader.read(#"{"quotas": {"*,*,*,/": [16, -1, -1], "*,*,*,/": [8, -1, -1]}}"#),
      allResources: 100)
    #expect(rules.problems.count == 1)
    var ledger = QuotaLedger(rules, now: 0)
    let account = ledger.account(queue: "default", project: "", types: [], user: "bob")
    let verdict = ledger.earliestAllowed(account, resources: 9, duration: 1, from: 0)
    #expect(verdict.excess?.allowed == 8)
  }

  @Test("a document that is no object is refused", arguments: ["[]", "1", "null", #""quotas""#])
  func noObject(text: String) {
    #expect(throws: QuotaError.self) { try quotas(text) }
  }

  @Test("an empty document limits nothing")
  func empty() throws {
    let quotas = try quotas("{}")
    #expect(quotas.problems.isEmpty && !quotas.calendar.isTemporal)
    var machine = SmallMachine(quotas)
    let account = machine.account("bob")
    #expect(machine.start(account, 32, for: 100) == 0)
  }

  @Test("a calendar with gaps and no rules for them is named, with one of the gaps")
  func gaps() throws {
    let week = #""periodical": [["08:00-19:00 mon-sun * *", "a"], ["* sun * *", "a"]], "a": {}"#
    #expect(try quotas("{\(week)}").problems.contains { $0.contains("mon 00:00") })
    #expect(try quotas(#"{\#(week), "quotas": {"*,*,*,*": [1, 1, 1]}}"#).problems.isEmpty)
    let saturdays =
      #"{"periodical": [["* sun-fri * *", "a"], ["00:00-19:00 sat * *", "a"]], "a": {}}"#
    #expect(try quotas(saturdays).problems.contains { $0.contains("sat 19:00") })
  }

  @Test("the example for administrators is understood as a whole")
  func example() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let text = try String(contentsOf: root.appending(path: "Docs/Quotas.md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "```json\n").dropFirst()
    let document = try #require(blocks.first?.components(separatedBy: "```").first)
    let quotas = try quotas(document)
    #expect(quotas.problems == [] && quotas.ruleSets.count == 5)
    #expect(quotas.ruleSets[quotas.rules(at: monday + 9 * hour).rules].name == "workdays")
    #expect(quotas.ruleSets[quotas.rules(at: monday + 8 * hour - 1).rules].name == "nights")
  }
}
