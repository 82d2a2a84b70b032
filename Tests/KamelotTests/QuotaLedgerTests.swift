// When quotas let jobs start.

import ClusterModel
import Kamelot
import Testing

struct QuotaLedgerTests {
  @Test("a job greater than its quota never starts, and is told which and how much")
  func tooGreat() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [16, -1, -1]}}"#))
    let toto = machine.account("toto")
    let verdict = machine.ledger.earliestAllowed(toto, resources: 20, duration: 60, from: 0)
    var excess = QuotaExcess(
      rule: "*,*,*,/", ruleSet: "quotas", limit: .resources, value: 20, allowed: 16, retryAt: nil)
    (excess.resources, excess.duration) = (20, 60)
    #expect(verdict == .exceeded(excess))
    #expect(
      excess.text
        == "The quota \"*,*,*,/\" allows 16 resources at a time; with this job it would be 20.")
    #expect(machine.start(toto, 16, for: 60) == 0)
  }

  @Test("users wait for their own jobs, and projects for theirs")
  func usersAndProjects() throws {
    let rules = #"{"quotas": {"*,*,*,/": [16, -1, -1], "*,yop,*,*": [-1, 1, -1]}}"#
    var machine = SmallMachine(try quotas(rules))
    let toto = machine.account("toto")
    let lulu = machine.account("lulu", project: "yop")
    machine.hold(toto, 16, from: 0, for: 20)
    machine.hold(lulu, 8, from: 0, for: 50)
    #expect(machine.start(toto, 8, for: 10) == 20)
    #expect(machine.start(lulu, 8, for: 60) == 50)
  }

  @Test("a job may not reach into a job to come that would be too much with it")
  func jobToCome() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [8, -1, -1]}}"#))
    machine.hold(machine.account("toto"), 8, from: 50, for: 100)
    #expect(machine.start(machine.account("toto"), 8, for: 200) == 150)
    #expect(machine.start(machine.account("lulu"), 8, for: 200) == 0)
    #expect(machine.start(machine.account("toto"), 8, for: 50) == 0)
  }

  @Test("who has no rule has no limit")
  func noRule() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,toto": [1, -1, -1]}}"#))
    #expect(machine.start(machine.account("toto"), 16, for: 60) == nil)
    #expect(machine.start(machine.account("tutu"), 16, for: 60) == 0)
  }

  @Test("one job at a time, of a user or of a type")
  func oneJob() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,yop": [-1, 1, -1]}}"#))
    #expect(machine.start(machine.account("yop"), 8, for: 50) == 0)
    #expect(machine.start(machine.account("yop"), 8, for: 60) == 50)
    let types = #"{"job_types": ["yop"], "quotas": {"*,*,yop,*": [-1, 1, -1]}}"#
    var other = SmallMachine(try quotas(types))
    #expect(other.start(other.account("a", types: ["yop"]), 8, for: 50) == 0)
    #expect(other.start(other.account("b", types: ["yop"]), 8, for: 60) == 50)
    #expect(other.start(other.account("b"), 8, for: 60) == 0)
  }

  @Test("the queue's rule wins over the unlimited one of users, with the time between jobs")
  func queueRule() throws {
    let rules = #"{"quotas": {"*,*,*,/": [-1, -1, -1], "/,*,*,*": [-1, 1, 5]}}"#
    var machine = SmallMachine(try quotas(rules))
    let account = machine.account("zozo")
    let starts = [100, 200, 200].map { machine.start(account, 1, for: $0 + 60) }
    #expect(starts == [0, 160, 420])
  }

  @Test("jobs go before and after a reservation of the same user")
  func reservation() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [-1, 1, -1]}}"#))
    let account = machine.account("zozo")
    machine.hold(account, 1, from: 100, for: 120)
    #expect(machine.start(account, 1, for: 160) == 220)
    #expect(machine.start(account, 1, for: 260) == 380)
    #expect(machine.start(account, 1, for: 100) == 0)
    let verdict = machine.ledger.earliestAllowed(account, resources: 1, duration: 50, from: 90)
    #expect(verdict.excess?.limit == .jobs && verdict.excess?.retryAt == 640)
  }

  @Test("resource-hours are those of the jobs that run together, and free when one ends")
  func resourceHours() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [-1, -1, 10]}}"#))
    let bob = machine.account("bob")
    #expect(machine.start(bob, 2, for: 3 * hour) == 0)
    #expect(machine.start(bob, 4, for: hour) == 0)
    #expect(machine.start(bob, 1, for: hour) == hour)
    #expect(machine.start(bob, 5, for: 2 * hour) == 3 * hour)
    #expect(machine.start(bob, 5, for: 2 * hour + 1) == nil)
    #expect(machine.start(machine.account("eve"), 10, for: hour) == 0)
    let verdict = machine.ledger.earliestAllowed(bob, resources: 1, duration: hour, from: 4 * hour)
    let text =
      "The quota \"*,*,*,/\" allows 10 resource-hours at a time; with this job it would be 11."
    #expect(verdict.excess?.text == text && verdict.excess?.retryAt == 5 * hour)
  }

  @Test("jobs one after the other do not add up their resource-hours")
  func resourceHoursInTurn() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [-1, -1, 4]}}"#))
    let bob = machine.account("bob")
    for turn in 0..<6 { machine.hold(bob, 1, from: turn * hour, for: hour) }
    #expect(machine.start(bob, 1, for: 3 * hour) == 0)
  }

  @Test("a job that began in the past counts with its whole duration")
  func holdingJob() throws {
    var machine = SmallMachine(try quotas(#"{"quotas": {"*,*,*,/": [-1, -1, 10]}}"#), now: 9 * hour)
    let bob = machine.account("bob")
    machine.hold(bob, 1, from: 0, for: 10 * hour)
    #expect(machine.start(bob, 1, for: hour) == 10 * hour)
  }

  @Test("numbers without sense do no harm")
  func extremes() throws {
    var ledger = QuotaLedger(try quotas(halfWeeks + "}"), now: monday)
    let account = ledger.account(queue: "", project: "", types: [], user: "bob")
    for _ in 0..<100 {
      ledger.add(account, resources: .max, from: .min, to: .max)
      ledger.add(account, resources: 1, from: .max - 1, to: .max)
      ledger.add(account, resources: .min, from: 5, to: 4)
    }
    for duration in [Int.min, 0, .max] {
      let verdict = ledger.earliestAllowed(account, resources: 1, duration: duration, from: .min)
      #expect(verdict.excess?.retryAt == nil && verdict != .allowed)
      #expect(ledger.earliestAllowed(account, resources: .max, duration: 1, from: .max) != .allowed)
    }
  }

  @Test("a user at their limit costs a few steps, however many jobs are planned")
  func manyJobs() throws {
    // What made a peer's planner try every slot again and again, for an hour.
    var ledger = QuotaLedger(
      try quotas(#"{"quotas": {"*,*,*,*": [-1, 200000, -1], "*,*,*,bob": [-1, 1, -1]}}"#), now: 0)
    let others = ledger.account(queue: "", project: "", types: [], user: "eve")
    let bob = ledger.account(queue: "", project: "", types: [], user: "bob")
    for job in 0..<20_000 {
      ledger.add(others, resources: 1, from: job * 7 % 100_000, to: job * 7 % 100_000 + 1000)
    }
    ledger.add(bob, resources: 1, from: 0, to: 1_000_000)
    for job in 0..<2000 {
      let verdict = ledger.earliestAllowed(bob, resources: 1, duration: 100, from: 0)
      let start = 1_000_000 + job * 100
      #expect(verdict.excess?.retryAt == start)
      ledger.add(bob, resources: 1, from: start, to: start + 100)
    }
  }
}

struct TemporalQuotaTests {
  @Test("a job waits for the half of the week that lets it run")
  func laterHalf() throws {
    var machine = SmallMachine(try quotas(halfWeeks + "}"), now: monday)
    let bob = machine.account("bob")
    #expect(machine.start(bob, 24, for: 60) == monday + 3 * day)
    #expect(machine.start(bob, 32, for: 60) == nil)
    // Over Thursday's start it would be too much beside the first.
    #expect(machine.start(bob, 8, for: 84 * hour) == monday + 3 * day + 60)
    #expect(machine.start(bob, 8, for: 60) == monday)
  }

  @Test("in the middle of a period its own rules limit")
  func middleOfPeriod() throws {
    var machine = SmallMachine(try quotas(halfWeeks + "}"), now: monday + day + 1)
    #expect(machine.start(machine.account("bob"), 24, for: 60) == monday + 3 * day)
    #expect(
      machine.start(machine.account("eve", project: "projA"), 20, for: 60) == monday + day + 1)
    let ann = machine.account("ann", project: "projB")
    #expect(machine.start(ann, 12, for: 2 * day - 1) == monday + day + 1)
    let verdict = machine.ledger.earliestAllowed(
      machine.account("zoe", project: "projB"), resources: 16, duration: 2 * day, from: 0)
    #expect(verdict.excess?.rule == "*,projB,*,*" && verdict.excess?.ruleSet == "late")
    #expect(verdict.excess?.retryAt == monday + 7 * day)
  }

  @Test("a span of its own lets more run")
  func oneShot() throws {
    var machine = SmallMachine(try quotas(halfWeeks(oneShot: "open")), now: monday)
    #expect(machine.start(machine.account("bob"), 32, for: 60) == monday + 12 * hour)
    let admin = machine.account("root", types: ["no_quotas"])
    #expect(machine.start(admin, 32, for: 60) == monday)
  }

  @Test("a long job keeps the rules of a strict span that it runs through")
  func strictSpan() throws {
    var machine = SmallMachine(try quotas(halfWeeks(oneShot: "strict")), now: monday)
    let bob = machine.account("bob")
    #expect(machine.start(bob, 4, for: day) == monday)
    // Alone it would fit; two at a time are too many from noon on.
    #expect(machine.start(bob, 4, for: day) == monday + day)
    #expect(machine.start(bob, 4, for: 12 * hour) == monday)
    #expect(machine.start(bob, 9, for: 13 * hour) == monday + 3 * day)
  }

  @Test("no job is placed later than the window under rules that change, and any time else")
  func window() throws {
    var machine = SmallMachine(
      try quotas(halfWeeks + "}", windowLimit: 3 * day), now: monday)
    let bob = machine.account("bob")
    #expect(machine.start(bob, 24, for: 3 * day) == monday + 3 * day)
    #expect(machine.start(bob, 24, for: day) == nil)
    let late = machine.ledger.earliestAllowed(
      bob, resources: 1, duration: 1, from: monday + 3 * day + 1)
    #expect(late.excess?.limit == .window && late.excess?.retryAt == nil)
    let constant = #"{"quotas": {"*,*,*,*": [1, -1, -1]}}"#
    var forever = SmallMachine(try quotas(constant, windowLimit: 3 * day), now: monday)
    forever.hold(forever.account("bob"), 1, from: monday, for: 100 * day)
    #expect(forever.start(forever.account("bob"), 1, for: 1) == monday + 100 * day)
  }

  @Test("a job longer than any period that lets it run never starts")
  func tooLong() throws {
    var machine = SmallMachine(try quotas(halfWeeks + "}"), now: monday)
    #expect(machine.start(machine.account("bob"), 24, for: 4 * day) == monday + 3 * day)
    #expect(machine.start(machine.account("eve"), 24, for: 4 * day + 1) == nil)
  }
}
