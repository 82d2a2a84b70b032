// The ledger against one that looks at every second.

import ClusterModel
import Kamelot
import Testing

/// Quotas of one counter by trying everything: jobs in a list, instants one by one.
private struct NaiveLedger {
  struct Limits {
    var resources: Int?
    var jobs: Int?
    var work: Int?
  }

  /// The limits at an instant.
  var limits: (Instant) -> Limits
  var jobs: [(resources: Int, from: Instant, to: Instant)] = []

  func allows(resources: Int, duration: Seconds, at start: Instant) -> Bool {
    (start..<start + duration).allSatisfy { instant in
      let limits = limits(instant)
      let running = jobs.filter { $0.from <= instant && instant < $0.to }
      let used = running.map(\.resources).reduce(resources, +)
      let work = running.map { $0.resources * ($0.to - $0.from) }.reduce(resources * duration, +)
      return used <= limits.resources ?? .max && running.count + 1 <= limits.jobs ?? .max
        && work <= limits.work ?? .max
    }
  }
}

struct QuotaRandomTests {
  @Test("verdicts and the next try are those of trying every second", arguments: 1...60)
  func constantRules(seed: UInt64) throws {
    var random = Lottery(seed: seed)
    let limits = Self.limits(&random)
    try compare(
      try quotas(#"{"quotas": {"*,*,*,*": \#(Self.text(limits))}}"#), naive: { _ in limits },
      now: 0,
      &random)
  }

  @Test("so they are when the rules change every few minutes", arguments: 1...60)
  func changingRules(seed: UInt64) throws {
    var random = Lottery(seed: seed &+ 1000)
    let sets = (0..<3).map { _ in Self.limits(&random) }
    let minutes = (0..<12).map { _ in random.number(0...2) }
    let spans = minutes.enumerated().map { index, set in
      let end = index + 1 < 10 ? "0\(index + 1)" : "\(index + 1)"
      let start = index < 10 ? "0\(index)" : "\(index)"
      return #"["2027-01-04 00:\#(start)", "2027-01-04 00:\#(end)", "r\#(set)"]"#
    }
    let named = sets.enumerated().map { #""r\#($0)": {"*,*,*,*": \#(Self.text($1))}"# }
    let document =
      #"{"oneshot": [\#(spans.joined(separator: ", "))], \#(named.joined(separator: ", "))}"#
    let now = monday + random.number(0...90)
    try compare(
      try quotas(document),
      naive: { instant in
        let minute = (instant - monday) / 60
        return minute < 12 ? sets[minutes[minute]] : NaiveLedger.Limits()
      }, now: now, &random)
  }

  /// Adds jobs, some where they are allowed and some wherever they are, and compares all verdicts.
  private func compare(
    _ quotas: Quotas, naive limits: @escaping (Instant) -> NaiveLedger.Limits, now: Instant,
    _ random: inout Lottery
  ) throws {
    #expect(quotas.problems.isEmpty)
    var ledger = QuotaLedger(quotas, now: now)
    var naive = NaiveLedger(limits: limits)
    let account = ledger.account(queue: "q", project: "p", types: [], user: "u")
    for _ in 0..<30 {
      let resources = random.number(1...6)
      let duration = random.number(1...(random.number(0...3) == 0 ? 200 : 40))
      let from = now + random.number(0...300)
      let verdict = ledger.earliestAllowed(
        account, resources: resources, duration: duration, from: from)
      let horizon = now + 1500
      let next = (from...horizon).first {
        naive.allows(resources: resources, duration: duration, at: $0)
      }
      if next == from {
        #expect(verdict == .allowed)
      } else {
        let retry = verdict.excess?.retryAt
        #expect(verdict != .allowed && retry == next || next == nil && retry ?? .max > horizon)
        if let excess = verdict.excess { #expect(excess.value > excess.allowed) }
      }
      let start = random.number(0...4) == 0 ? from - random.number(0...50) : next
      guard let start else { continue }
      naive.jobs.append((resources, start, start + duration))
      ledger.add(account, resources: resources, from: start, to: start + duration)
    }
  }

  @Test("so they are among hundreds of jobs", arguments: 1...12)
  func manyJobs(seed: UInt64) throws {
    var random = Lottery(seed: seed &+ 2000)
    let limit = random.number(12...40)
    let jobLimit = random.number(4...12)
    let quotas = try quotas(#"{"quotas": {"*,*,*,*": [\#(limit), \#(jobLimit), -1]}}"#)
    var ledger = QuotaLedger(quotas, now: 0)
    let accounts = ["a", "b"].map {
      ledger.account(queue: "q", project: "p", types: [], user: $0)
    }
    let horizon = 6000
    var used = Array(repeating: (resources: 0, jobs: 0), count: 20 * horizon)
    for _ in 0..<500 {
      let resources = random.number(1...12)
      let duration = random.number(1...random.number(2...150))
      let from = random.number(0...horizon / 4)
      let verdict = ledger.earliestAllowed(
        accounts[random.number(0...1)], resources: resources, duration: duration, from: from)
      var (next, instant) = (from, from)
      while instant < next + duration {
        let (other, jobs) = used[instant]
        instant += 1
        if other + resources > limit || jobs + 1 > jobLimit { next = instant }
      }
      #expect(verdict == .allowed ? next == from : next > from && verdict.excess?.retryAt == next)
      let place = random.number(0...9) == 0 ? random.number(0...horizon - 200) : next
      for instant in place..<place + duration {
        used[instant].resources += resources
        used[instant].jobs += 1
      }
      ledger.add(accounts[0], resources: resources, from: place, to: place + duration)
    }
  }

  private static func limits(_ random: inout Lottery) -> NaiveLedger.Limits {
    func maybe(_ range: ClosedRange<Int>) -> Int? {
      random.number(0...2) == 0 ? nil : random.number(range)
    }
    // Hundredths of an hour are 36 seconds.
    return NaiveLedger.Limits(
      resources: maybe(3...12), jobs: maybe(1...5), work: maybe(1...30).map { $0 * 36 })
  }

  private static func text(_ limits: NaiveLedger.Limits) -> String {
    func text(_ limit: Int?) -> String { limit.map(String.init) ?? "-1" }
    let hours = limits.work.map { "\"\(Double($0 / 36) / 100)\"" } ?? "-1"
    return "[\(text(limits.resources)), \(text(limits.jobs)), \(hours)]"
  }
}
