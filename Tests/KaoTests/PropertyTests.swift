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
        in: plan, for: snapshot, isLenient: !plannedFeatures.contains(.competingGroups))
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
      let before = Kao.plan(snapshot)
      var longer = snapshot
      let last = waiting(99, ("/core=1", 100), queue: "besteffort")
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

  @Test("those who give way are the same in the next pass", arguments: Sample.parts)
  func stableVictims(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
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

  @Test(
    "the order of what has no order, and jobs of inactive queues, change nothing",
    arguments: Sample.parts)
  func irrelevantOrder(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      for (name, other, stranger) in disguises(of: snapshot) {
        var again = Kao.plan(other)
        if let stranger { again.reasons[stranger] = nil }
        // Of several types that are refused, any may be told.
        if other.waiting.map(\.types) != snapshot.waiting.map(\.types) {
          again.reasons = plan.reasons
        }
        if !again.isSame(as: plan) {
          return ("\(name) changes the plan:\n\(again.description)", plan)
        }
      }
      return nil
    }
  }

  /// The same in other words, and with a job that must not matter.
  private func disguises(of snapshot: Snapshot) -> [(String, Snapshot, JobID?)] {
    var holders = snapshot
    holders.holding.reverse()
    for index in holders.holding.indices { holders.holding[index].resources.reverse() }
    var properties = snapshot
    properties.platform = Platform(
      resources: snapshot.platform.resources.map { resource in
        var other = resource
        other.properties = [:]
        for name in resource.properties.keys.reversed() {
          other.properties[name] = resource.properties[name]
        }
        return other
      })
    var types = snapshot
    types.queues.reverse()
    for index in types.waiting.indices { types.waiting[index].types.reverse() }
    for index in types.holding.indices { types.holding[index].types.reverse() }
    var stranger = snapshot
    stranger.queues.append(Queue(name: "shut", priority: 20, isActive: false))
    stranger.waiting.insert(waiting(98, ("/core=1", 100), queue: "shut"), at: 0)
    return [
      ("the order of holding jobs", holders, nil),
      ("the order of properties", properties, nil),
      ("the order of types and queues", types, nil),
      ("a job of an inactive queue", stranger, 98),
    ]
  }
}

extension Plan {
  fileprivate func isSame(as other: Plan) -> Bool {
    starts == other.starts && predictions == other.predictions && reasons == other.reasons
      && victims == other.victims && checkpoints == other.checkpoints && nextLook == other.nextLook
  }
}
