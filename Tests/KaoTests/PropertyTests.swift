// What holds for every plan, over random small scenarios. `make torture-planner` looks at 100,000 of
// them; LIBURNA_SEED=… with the filter PropertyTests looks at one.

import ClusterModel
import Kamelot
import Kao
import Testing

struct PropertyTests {
  @Test("the plan is that of a planner that tries everything", arguments: Sample.parts)
  func agreesWithTheReference(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      let mistake = ReferencePlanner.mistake(
        in: plan, for: snapshot, missing: Set(Feature.allCases).subtracting(plannedFeatures))
      return mistake.map { ($0, plan) }
    }
  }

  @Test(
    "scenarios that were once planned wrongly are planned rightly",
    arguments: [
      2, 5, 11, 29, 196, 252, 318, 624, 860, 1010, 1235, 1317, 1694, 2138, 2198, 3483, 7924, 10_995,
      18_353, 26_795, 48_178, 69_056,
    ] as [UInt64])
  func mendedScenarios(seed: UInt64) {
    var maker = ScenarioMaker(seed: seed, features: firstFeatures)
    let snapshot = maker.snapshot()
    let plan = Kao.plan(snapshot)
    #expect(ReferencePlanner.mistake(in: plan, for: snapshot) == nil)
    #expect(PlanRules.breaches(in: plan, for: snapshot) == [])
  }

  @Test(
    "no resource is given twice, and requests, times, types and dependencies are respected",
    arguments: Sample.parts)
  func keepsTheRules(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      return PlanRules.breaches(in: plan, for: snapshot).first.map { ($0, plan) }
    }
  }

  @Test(
    "the planner that tries everything keeps the same rules, with all features",
    arguments: Sample.parts)
  func referenceKeepsTheRules(part: UInt64) {
    Sample.check(part, features: Set(Feature.allCases)) { snapshot in
      let plan = ReferencePlanner.plan(snapshot)
      let mistake = ReferencePlanner.mistake(in: plan, for: snapshot)
      let problem = mistake ?? PlanRules.breaches(in: plan, for: snapshot).first
      return problem.map { ($0, plan) }
    }
  }

  @Test("a job with lower priority delays none before it", arguments: Sample.parts)
  func conservative(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      let order = plan.order
      for count in Set([order.count * 2 / 3, order.count - 1]) where count > 0 {
        var shorter = snapshot
        // Without those after them there would be room in the pass for others.
        shorter.waiting.removeAll {
          !order[..<count].contains($0.id) || plan.reasons[$0.id]?.kind == .order
        }
        shorter.settings.jobsPerPass = 0
        let other = Kao.plan(shorter)
        for job in order[..<count] where plan.placement(of: job) != other.placement(of: job) {
          return ("job \(job) moved because of \(order[count...]):\n\(other.description)", plan)
        }
        for job in other.victims where !plan.victims.contains(job) {
          return ("job \(job) ends for nobody but for \(order[count...])", plan)
        }
      }
      return nil
    }
  }

  @Test("a job that comes last delays none, whatever it asks for", arguments: Sample.parts)
  func stranger(part: UInt64) {
    Sample.check(part) { snapshot in
      let before = Kao.plan(snapshot)
      var longer = snapshot
      // Of a queue below all others: neither age nor karma brings it to the front.
      longer.queues.append(Queue(name: "last", priority: -100))
      var last = waiting(99, ("/core=1", 100), queue: "last", types: ["besteffort"])
      last.user = "nobody"
      longer.waiting.append(last)
      let after = Kao.plan(longer)
      for job in snapshot.waiting where after.placement(of: job.id) != before.placement(of: job.id)
      {
        return ("job \(job.id) moved because of job 99", after)
      }
      let isSame = after.victims == before.victims && after.checkpoints == before.checkpoints
      return isSame ? nil : ("job 99 changes who must end", after)
    }
  }

  @Test("those who give way to a job are the same in the next pass", arguments: Sample.parts)
  func stableVictims(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      // One of several jobs may choose otherwise when besteffort jobs have begun to leave for another.
      let near = snapshot.now + snapshot.settings.besteffortKillAhead
      guard plan.predictions.count(where: { $0.start <= near }) == 1 else { return nil }
      var next = snapshot
      for index in next.holding.indices {
        if plan.victims.contains(next.holding[index].id) { next.holding[index].isEnding = true }
        if plan.checkpoints.contains(next.holding[index].id) {
          next.holding[index].checkpointedAt = snapshot.now
        }
      }
      let second = Kao.plan(next)
      let isStable = second.victims.isEmpty && second.checkpoints.isEmpty
      return isStable ? nil : ("others give way then:\n\(second.description)", plan)
    }
  }

  @Test(
    "the same snapshot gives the same plan, whatever was planned on its platform before",
    arguments: Sample.parts)
  func pure(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      var other = snapshot
      other.platform = Platform(resources: snapshot.platform.resources)
      other.waiting.reverse()
      _ = Kao.plan(other)
      other.waiting.reverse()
      for again in [Kao.plan(snapshot), Kao.plan(other)] where !again.isSame(as: plan) {
        return ("the second plan is another:\n\(again.description)", plan)
      }
      return nil
    }
  }
}
