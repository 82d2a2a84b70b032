// Whether quotas mean what their document says: the rules that hold at each second, and their limits. With
// this, a planner may be judged by them.

import ClusterModel
import Kamelot
import Testing

struct RandomQuotasTests {
  @Test("at each second those rules hold, with those limits, that were drawn", arguments: 1...120)
  func asDrawn(seed: UInt64) throws {
    let now = 1000
    let drawn = RandomQuotas(seed: seed, allResources: Int(seed % 17), now: now)
    let quotas = try #require(drawn.quotas())
    let complaints = quotas.problems.filter { !$0.contains("no period holds") }
    #expect(complaints == [], "\(drawn.document())")
    let expected = drawn.sets.map { set in
      Dictionary(
        set.rules.map { ($0.fields.joined(separator: ","), $0.limits) }, uniquingKeysWith: { $1 })
    }
    let read = quotas.ruleSets.map { set in
      Dictionary(set.rules.map { ($0.text, $0.limits) }, uniquingKeysWith: { $1 })
    }
    #expect(quotas.ruleSets.map(\.name) == drawn.sets.map(\.name))
    #expect(read == expected, "\(drawn.document())")
    checkCalendar(of: quotas, as: drawn, from: now)
  }

  private func checkCalendar(of quotas: Quotas, as drawn: RandomQuotas, from now: Instant) {
    // Some minutes by seconds, and some weeks here and there.
    let instants = Array(now - 100..<now + 1200) + stride(from: now, to: now + 1_300_000, by: 3607)
    for instant in instants {
      let (rules, until) = quotas.rules(at: instant)
      let name = quotas.ruleSets[rules].name
      guard name == drawn.rules(at: instant) else {
        Issue.record("at \(instant) \(name) holds, not \(drawn.rules(at: instant))")
        return
      }
      guard until > instant, until == .max || drawn.rules(at: until) != name,
        drawn.rules(at: min(until, now + 10_000_000) - 1) == name
      else {
        Issue.record("the rules \(name) of \(instant) hold until \(until)")
        return
      }
    }
  }

  @Test("quotas and orders of random scenarios keep many jobs from what they would have")
  func matter() {
    var (refused, later, moved, sorted) = (0, 0, 0, 0)
    for seed in UInt64(1)...150 {
      var maker = ScenarioMaker(seed: seed, features: Set(Feature.allCases))
      let snapshot = maker.snapshot()
      let plan = ReferencePlanner.plan(snapshot)
      var free = snapshot
      free.quotas = nil
      free.order = .fifo
      let other = ReferencePlanner.plan(free)
      if other.order != plan.order { sorted += 1 }
      free.order = snapshot.order
      let unlimited = ReferencePlanner.plan(free)
      for job in snapshot.waiting where snapshot.quotas != nil {
        let (with, without) = (plan.placement(of: job.id), unlimited.placement(of: job.id))
        if with == nil, without != nil { refused += 1 }
        if let with, let without {
          if with.start > without.start { later += 1 } else if with != without { moved += 1 }
        }
      }
    }
    let counts = [refused, later, moved, sorted]
    #expect(counts.allSatisfy { $0 > 8 }, "\(counts)")
  }
}
