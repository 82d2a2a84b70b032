// Which rule limits a job, and what counts for it.

import Kamelot
import Testing

/// The rule that stops a job with more resources than any rule allows; `nil` if none does.
private func rule(
  _ rules: String, queue: String = "default", project: String = "none", types: [String] = [],
  user: String = "bob"
) throws -> String? {
  let limits = rules.split(separator: " ").map { #""\#($0)": [10, -1, -1]"# }
  let quotas = try quotas(#"{"quotas": {\#(limits.joined(separator: ", "))}}"#)
  #expect(quotas.problems.isEmpty)
  var ledger = QuotaLedger(quotas, now: 0)
  let account = ledger.account(queue: queue, project: project, types: types, user: user)
  return ledger.earliestAllowed(account, resources: 11, duration: 1, from: 0).excess?.rule
}

struct QuotaRuleTests {
  @Test("a name stands before each, and each before all")
  func precedence() throws {
    #expect(try rule("*,*,*,* *,*,*,/ *,*,*,bob") == "*,*,*,bob")
    #expect(try rule("*,*,*,* *,*,*,/ *,*,*,eve") == "*,*,*,/")
    #expect(try rule("*,*,*,* *,*,*,eve") == "*,*,*,*")
    #expect(try rule("*,*,*,eve") == nil)
  }

  @Test("the queue is compared first, then the project, the type and the user")
  func order() throws {
    #expect(try rule("default,*,*,* *,*,*,bob") == "default,*,*,*")
    #expect(try rule("/,*,*,* *,none,*,bob") == "/,*,*,*")
    #expect(try rule("*,none,*,* *,/,deploy,bob", types: ["deploy"]) == "*,none,*,*")
    #expect(try rule("*,*,deploy,* *,*,*,bob", types: ["deploy"]) == "*,*,deploy,*")
    #expect(try rule("*,/,*,* *,*,*,/") == "*,/,*,*")
  }

  @Test("a rule for others takes no rule away from a job")
  func noDeadEnd() throws {
    #expect(try rule("*,none,deploy,* *,*,*,/") == "*,*,*,/")
    #expect(try rule("default,*,*,eve *,*,*,/") == "*,*,*,/")
  }

  @Test("any type of a job may be meant, not the first alone")
  func anyType() throws {
    #expect(try rule("*,*,deploy,* *,*,*,/", types: ["idempotent", "deploy"]) == "*,*,deploy,*")
    #expect(try rule("*,*,deploy,* *,*,night,*", types: ["night", "deploy"]) == "*,*,night,*")
    #expect(try rule("*,*,deploy,* *,*,night,*", types: ["deploy", "night"]) == "*,*,deploy,*")
    #expect(try rule("*,*,deploy,*", types: ["deploy=standby"]) == "*,*,deploy,*")
    #expect(try rule("*,*,deploy,*", types: ["deployed"]) == nil)
  }

  @Test("a job with a type that is counted counts for it, whatever rule limits it")
  func everyTypeCounts() throws {
    let quotas = try quotas(
      #"{"job_types": ["a", "b"], "quotas": {"*,*,a,*": [-1, 5, -1], "*,*,b,*": [-1, 1, -1]}}"#)
    var machine = SmallMachine(quotas)
    let both = machine.account("bob", types: ["a", "b"])
    let second = machine.account("eve", types: ["b"])
    #expect(machine.start(both, 1, for: 50) == 0)
    #expect(machine.start(second, 1, for: 50) == 50)
  }

  @Test("each one has a counter of their own, all together share one")
  func eachAndAll() throws {
    var each = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [8, -1, -1]}}"#))
    #expect(each.start(each.account("bob"), 8, for: 50) == 0)
    #expect(each.start(each.account("eve"), 8, for: 50) == 0)
    #expect(each.start(each.account("bob", queue: "q", project: "p"), 8, for: 50) == 50)
    var all = SmallMachine(try quotas(#"{"quotas": {"*,*,*,*": [8, -1, -1]}}"#))
    #expect(all.start(all.account("bob"), 8, for: 50) == 0)
    #expect(all.start(all.account("eve"), 8, for: 50) == 50)
    var pairs = SmallMachine(try quotas(#"{"quotas": {"/,/,*,*": [8, -1, -1]}}"#))
    #expect(pairs.start(pairs.account("bob", queue: "q", project: "p"), 8, for: 50) == 0)
    #expect(pairs.start(pairs.account("bob", queue: "q", project: "o"), 8, for: 50) == 0)
    #expect(pairs.start(pairs.account("eve", queue: "q", project: "p"), 8, for: 50) == 50)
  }

  @Test("who has a name that looks like a wildcard is nobody else")
  func strangeNames() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [8, -1, -1]}}"#))
    #expect(machine.start(machine.account("*"), 8, for: 50) == 0)
    #expect(machine.start(machine.account("/"), 8, for: 50) == 0)
    #expect(machine.start(machine.account("bob"), 8, for: 50) == 0)
  }

  @Test("containers are neither limited nor counted, their inner jobs are both")
  func containers() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [8, 2, -1]}}"#))
    let container = machine.account("bob", types: ["container=c1"])
    let inner = machine.account("bob", types: ["inner=c1"])
    #expect(machine.start(container, 16, for: 100) == 0)
    #expect(machine.start(inner, 8, for: 50) == 0)
    #expect(machine.start(inner, 8, for: 50) == 50)
    #expect(
      machine.start(machine.account("bob", types: ["container", "inner=c1"]), 8, for: 50) == 0)
  }

  @Test("a job without quotas is never limited, but counts for others")
  func noQuotas() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,*": [8, -1, -1]}}"#))
    #expect(machine.start(machine.account("root", types: ["no_quotas"]), 16, for: 60) == 0)
    #expect(machine.start(machine.account("bob"), 8, for: 50) == 60)
  }

  @Test("-1 in a narrow rule frees those that it is about from a wider one, and they still count")
  func freed() throws {
    let rules = #"{"quotas": {"*,*,besteffort,*": [-1, -1, -1], "*,*,*,bob": [-1, 1, -1]}}"#
    var machine = SmallMachine(try quotas(rules))
    let free = machine.account("bob", types: ["besteffort"])
    #expect(machine.start(free, 1, for: 50) == 0)
    #expect(machine.start(free, 1, for: 60) == 0)
    #expect(machine.start(machine.account("bob"), 1, for: 50) == 60)
  }

  @Test("the same names have the same account")
  func accounts() throws {
    var ledger = QuotaLedger(try quotas(#"{"quotas": {"*,*,*,/": [8, 2, -1]}}"#), now: 0)
    let one = ledger.account(queue: "q", project: "p", types: ["a"], user: "bob")
    let other = ledger.account(queue: "q", project: "p", types: ["b"], user: "bob")
    #expect(one != other)
    #expect(ledger.account(queue: "q", project: "p", types: ["a"], user: "bob") == one)
    #expect(ledger.account(queue: "q", project: "p", types: ["b"], user: "bob") == other)
  }
}
