// Plug-ins that choose as the planner does lead to the planner's plan, over random small scenarios.

import ClusterModel
import Kamelot
import Kao
import Testing

/// Chooses what the planner would.
private struct Mimic: ResourceFinder, JobAssigner {
  var keepsCounts: Bool

  func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet> {
    question.request.pick(from: question.free).map { .chosen($0) } ?? .nothing(because: nil)
  }

  func assign(
    _ question: AssignQuestion, on view: inout PlanView
  ) throws(PluginError) -> PluginAnswer<PluginSpot> {
    guard let spot = view.earliestSpot(notBefore: question.notBefore) else {
      return .nothing(because: nil)
    }
    let end = spot.start.addingCapped(question.duration)
    guard view.spot(at: spot.start) == spot,
      spot.places.isSubset(of: view.free(from: spot.start, to: end))
    else { throw PluginError("the view contradicts itself") }
    return .chosen(spot)
  }
}

struct PluginAgreementTests {
  /// Besteffort jobs are spared by moving others, which is not done to those with plug-ins; these may use
  /// short holes.
  private static let features = Set(Feature.allCases).subtracting([
    .besteffort, .newReservations, .holes,
  ])

  @Test(
    "jobs whose plug-ins choose as the planner does have the planner's plan",
    arguments: ["find=counted", "find=any", "assign=counted"])
  func mimics(type: String) {
    var plugins = PlannerPlugins()
    plugins.finders = ["counted": Mimic(keepsCounts: true), "any": Mimic(keepsCounts: false)]
    plugins.assigners = ["counted": Mimic(keepsCounts: true)]
    for seed in 1...500 as ClosedRange<UInt64> {
      var maker = ScenarioMaker(seed: seed, features: Self.features)
      let plain = maker.snapshot()
      var other = plain
      for index in other.waiting.indices where other.waiting[index].reservation == nil {
        other.waiting[index].types.append(type)
      }
      let expected = Kao.plan(plain)
      let plan = Kao.plan(other, plugins: plugins)
      guard plan.starts != expected.starts || plan.predictions != expected.predictions else {
        continue
      }
      // The job that came first is the cause; the others follow from it.
      let job = plan.order.first { plan.placement(of: $0) != expected.placement(of: $0) } ?? 0
      let types = other.waiting.first { $0.id == job }?.types ?? []
      Issue.record("seed \(seed): job \(job) of \(types): \(plan.reasons[job]?.text ?? "starts")")
    }
  }
}
