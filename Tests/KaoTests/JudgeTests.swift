// The judge is judged too: plans that were tampered with are found out, whatever they are about.

import ClusterModel
import Kamelot
import Testing

struct JudgeTests {
  private let seeds: [UInt64] = Array(1...150)

  /// A plan with one mistake in it.
  private enum Tampering: CaseIterable {
    case later, earlier, longer, elsewhere, otherMoldable, gone, starts, waits, victim, noVictims
  }

  @Test("whoever changes a plan is found out")
  func tampering() {
    var found: [Tampering: Int] = [:]
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed, features: Set(Feature.allCases))
      let snapshot = maker.snapshot()
      let plan = ReferencePlanner.plan(snapshot)
      for kind in Tampering.allCases {
        guard let other = tampered(plan, kind, snapshot) else { continue }
        found[kind, default: 0] += 1
        let mistake = ReferencePlanner.mistake(in: other, for: snapshot)
        let breaches = PlanRules.breaches(in: other, for: snapshot)
        #expect(mistake != nil || !breaches.isEmpty, "\(kind) of \(seed)")
      }
    }
    for kind in Tampering.allCases { #expect(found[kind, default: 0] > 10, "\(kind)") }
  }

  @Test("every feature is in many scenarios, and makes a difference there")
  func features() {
    var drawn: [Feature: Int] = [:]
    var placed: [String: Int] = [:]
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed, features: Set(Feature.allCases))
      let snapshot = maker.snapshot()
      for feature in maker.theme { drawn[feature, default: 0] += 1 }
      let plan = ReferencePlanner.plan(snapshot)
      for job in snapshot.waiting where plan.placement(of: job.id) != nil {
        var words = Set(job.types.map { String($0.prefix { $0 != "=" }) })
        if let reservation = job.reservation {
          words.insert(reservation.promised == nil ? "new" : "promised")
        }
        for word in words { placed[word, default: 0] += 1 }
      }
      if !plan.victims.isEmpty { placed["victims", default: 0] += 1 }
    }
    for feature in Feature.allCases { #expect(drawn[feature, default: 0] > 40, "\(feature)") }
    let words = [
      "besteffort", "container", "inner", "timesharing", "placeholder", "allowed", "postpone",
      "deadline", "expire", "state", "noop", "deploy", "new", "promised", "victims",
    ]
    for word in words { #expect(placed[word, default: 0] >= 8, "\(word): \(placed)") }
  }

  @Test("a plan that forgets the quotas, or the order of the site, is found out by its rules alone")
  func forgetfulness() {
    var (beyondQuotas, outOfOrder) = (0, 0)
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed, features: Set(Feature.allCases))
      let snapshot = maker.snapshot()
      var careless = snapshot
      careless.quotas = nil
      let breaches = PlanRules.breaches(in: ReferencePlanner.plan(careless), for: snapshot)
      if breaches.contains(where: { $0.contains("beyond its quota") }) { beyondQuotas += 1 }
      #expect(snapshot.quotas != nil || breaches == [])
      careless = snapshot
      careless.order = .fifo
      let plan = ReferencePlanner.plan(careless)
      let disorder = PlanRules.breaches(in: plan, for: snapshot)
      if disorder.contains(where: { $0.contains("comes after") }) { outOfOrder += 1 }
    }
    #expect(beyondQuotas > 15 && outOfOrder > 15, "\(beyondQuotas), \(outOfOrder)")
  }

  private func tampered(_ plan: Plan, _ kind: Tampering, _ snapshot: Snapshot) -> Plan? {
    var other = plan
    // What is not an ordinary job may be late, or start in another pass.
    let jobs = Set(snapshot.waiting.filter { $0.reservation == nil }.map(\.id))
    let later = plan.predictions.lastIndex { jobs.contains($0.job) }
    let start = plan.starts.lastIndex { jobs.contains($0.job) }
    switch kind {
    case .victim:
      guard let job = snapshot.holding.first(where: { !plan.victims.contains($0.id) }) else {
        return nil
      }
      other.victims.append(job.id)
      if snapshot.waiting.contains(where: { $0.reservation != nil }) { return nil }
    case .noVictims:
      if plan.victims.isEmpty { return nil }
      other.victims = []
    case .starts:
      guard let later else { return nil }
      other.starts.append(other.predictions.remove(at: later))
      other.reasons[plan.predictions[later].job] = nil
    case .waits:
      guard let start else { return nil }
      other.predictions.append(other.starts.remove(at: start))
      other.reasons[plan.starts[start].job] = Reason(.resources, "It waits.")
    default:
      guard let later else { return nil }
      return moved(plan, later, kind, snapshot)
    }
    return other
  }

  private func moved(
    _ plan: Plan, _ index: Int, _ kind: Tampering, _ snapshot: Snapshot
  ) -> Plan? {
    var other = plan
    switch kind {
    case .later:
      other.predictions[index].start += 1
      other.predictions[index].end += 1
    case .earlier:
      other.predictions[index].start -= 1
      other.predictions[index].end -= 1
    case .longer: other.predictions[index].end += 1
    case .otherMoldable: other.predictions[index].moldable += 1
    case .elsewhere:
      let taken = plan.predictions[index].resources
      // A choice that spares besteffort jobs is the planner's own.
      guard plan.predictions[index].start > snapshot.now,
        let free = snapshot.platform.ids.first(where: { !taken.contains($0) })
      else { return nil }
      other.predictions[index].resources = (taken.dropFirst() + [free]).sorted()
    default: other.predictions.remove(at: index)
    }
    return other
  }
}
