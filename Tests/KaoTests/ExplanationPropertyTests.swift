// Every change that an explanation names is checked by planning again, on random clusters with all that
// there is: containers, sharing, reservations, dates, hosts that sleep, quotas, priorities.

import ClusterModel
import Encoding
import Kamelot
import Kao
import Testing

struct ExplanationPropertyTests {
  @Test(
    "each change starts the job now, one step less does not, and none is overlooked",
    arguments: [false, true])
  func changes(withBesteffort: Bool) throws {
    var kinds: Set<String> = []
    for seed in UInt64(1)...200 {
      var maker = ScenarioMaker(seed: seed, features: withBesteffort ? [.besteffort] : [])
      let check = ChangeCheck(maker.snapshot(), isComplete: true)
      kinds.formUnion(check.kinds(seed: seed))
    }
    let expected: Set = [
      "walltime", "count", "walltimeAndCount", "moldable", "jobCondition", "groupCondition",
      "withoutGroup", "besteffort",
    ]
    #expect(kinds == expected)
  }

  @Test(
    "each change starts the job now, whatever else there is on the cluster",
    arguments: Sample.parts)
  func allFeatures(part: UInt64) throws {
    var kinds: Set<String> = []
    for seed in Sample.seeds(part) {
      var maker = ScenarioMaker(seed: seed, features: plannedFeatures)
      var snapshot = maker.snapshot()
      if maker.chance(60) { snapshot.quotas = try maker.someQuotas() }
      // Where a change moves the job in the order, not all that would help is looked for.
      let isComplete = snapshot.order.isFIFO
      kinds.formUnion(ChangeCheck(snapshot, isComplete: isComplete).kinds(seed: seed))
    }
    #expect(kinds.isSuperset(of: ["walltime", "count", "besteffort"]))
  }

  @Test("with quotas alone, no smaller change is overlooked")
  func quotas() throws {
    var kinds: Set<String> = []
    for seed in UInt64(1)...150 {
      var maker = ScenarioMaker(seed: seed, features: [])
      var snapshot = maker.snapshot()
      snapshot.quotas = try maker.someQuotas()
      kinds.formUnion(ChangeCheck(snapshot, isComplete: true).kinds(seed: seed))
    }
    #expect(kinds.isSuperset(of: ["walltime", "count"]))
  }

  @Test("each change starts the job now where small or big jobs come first")
  func priorities() throws {
    for seed in UInt64(1)...100 {
      var maker = ScenarioMaker(seed: seed, features: [.besteffort])
      var snapshot = maker.snapshot()
      var factors = Multifactor(weights: [.work: 1, .size: maker.chance(50) ? 1 : -1])
      if maker.chance(50) { factors.workPreference = .big }
      snapshot.order = .multifactor(factors)
      _ = ChangeCheck(snapshot, isComplete: false).kinds(seed: seed)
    }
  }
}

extension ScenarioMaker {
  /// Random rules, some of which change with time.
  mutating func someQuotas() throws -> Quotas {
    let all = hosts * cores
    func limits(_ maker: inout ScenarioMaker) -> String {
      let resources = maker.chance(60) ? maker.number(1...all) : -1
      let jobs = maker.chance(40) ? maker.number(1...3) : -1
      let work = maker.chance(40) ? "\"0.0\(maker.number(1...9))\"" : "-1"
      return "[\(resources), \(jobs), \(work)]"
    }
    func rules(_ maker: inout ScenarioMaker) -> String {
      let fields = ["*,*,*,/", "*,*,*,*", "default,*,*,alice", "/,*,*,*", "besteffort,*,*,/"]
      let chosen = maker.shuffled(fields).prefix(maker.number(1...3))
      return "{" + chosen.map { "\"\($0)\": \(limits(&maker))" }.joined(separator: ", ") + "}"
    }
    var text = "{\"quotas\": \(rules(&self))"
    if chance(40) {
      // The clock shows 00:16:40.
      text += """
        , "periodical": [["00:00-00:18 * * *", "early", ""], ["00:18-00:00 * * *", "late", ""]],
        "early": \(rules(&self)), "late": \(rules(&self))
        """
    }
    let quotas = try Quotas(JSONReader.read(text + "}"), allResources: all)
    #expect(quotas.problems == [])
    return quotas
  }
}

/// Plans changed jobs again.
private struct ChangeCheck {
  typealias Change = Kao.Explanation.Change

  let snapshot: Snapshot
  let plan: Plan
  /// Whether also what is not named is looked for.
  let isComplete: Bool

  init(_ snapshot: Snapshot, isComplete: Bool) {
    self.snapshot = snapshot
    self.isComplete = isComplete
    plan = Kao.plan(snapshot)
  }

  /// Checks the explanations of all jobs; the kinds of changes that they name.
  func kinds(seed: UInt64) -> Set<String> {
    var kinds: Set<String> = []
    for job in snapshot.waiting {
      guard let explanation = Kao.explain(job.id, in: snapshot, plan: plan) else { continue }
      for problem in problems(of: job, explanation) {
        Issue.record("seed \(seed), job \(job.id): \(problem)")
      }
      kinds.formUnion(explanation.changes.map { String("\($0)".prefix { $0 != "(" }) })
    }
    return kinds
  }

  private func problems(of job: WaitingJob, _ explanation: Kao.Explanation) -> [String] {
    var problems: [String] = []
    if explanation.sentences.isEmpty { problems.append("nothing is said") }
    problems += untruths(about: job, explanation)
    for change in explanation.changes {
      if !starts(change.applied(to: job)) { problems.append("\(change) does not help") }
      guard isComplete else { continue }
      for more in steps(beyond: change, of: job) where starts(more.applied(to: job)) {
        problems.append("\(more) helps as well as \(change)")
      }
    }
    // A job that waits for victims only starts now as it is; a reservation that is refused is over.
    if !isComplete || explanation.placement?.start == snapshot.now || job.reservation != nil {
      return problems
    }
    for least in leastRequests(of: job) where starts(least.applied(to: job)) {
      if !explanation.changes.contains(where: { sameKind($0, least) }) {
        problems.append("\(least) is overlooked")
      }
    }
    return problems
  }

  /// What is said of the constraint and is not so.
  private func untruths(about job: WaitingJob, _ explanation: Kao.Explanation) -> [String] {
    var problems: [String] = []
    let named = explanation.reason.blockers
    if Set(explanation.holders.map(\.job)) != Set(named).intersection(standing) {
      problems.append("not all of \(named) are told")
    }
    if let quota = explanation.quota, quota.counter != .window {
      if quota.used + quota.wanted <= quota.allowed { problems.append("the quota is not used up") }
      if quota.used > 0, quota.jobs.isEmpty { problems.append("nobody uses the quota") }
    }
    if explanation.reason.kind == .reservationAhead {
      let promised = snapshot.waiting.filter { $0.reservation?.promised != nil }.map(\.id)
      if named.isEmpty || !Set(named).isSubset(of: promised) {
        problems.append("\(named) are not reservations")
      }
    }
    for passer in explanation.passers {
      let other = snapshot.waiting.first { $0.id == passer.job }
      if let other, (other.submissionTime, other.id) < (job.submissionTime, job.id) {
        problems.append("job \(passer.job) did not come later")
      }
    }
    return problems
  }

  /// The jobs that have resources or a place in the plan.
  private var standing: Set<JobID> {
    Set(snapshot.holding.map(\.id) + (plan.starts + plan.predictions).map(\.job))
  }

  /// Whether the job, instead of the one with its id, starts now or as soon as victims have ended.
  private func starts(_ job: WaitingJob) -> Bool {
    var changed = snapshot
    changed.waiting = snapshot.waiting.map { $0.id == job.id ? job : $0 }
    return Kao.plan(changed).placement(of: job.id)?.start == snapshot.now
  }

  /// The same with one second or one block more.
  private func steps(beyond change: Change, of job: WaitingJob) -> [Change] {
    switch change {
    case .walltime(let moldable, let walltime):
      return [.walltime(moldable: moldable, walltime + 1)]
    case .count(let moldable, let group, let level, .exactly(let count)):
      return [.count(moldable: moldable, group: group, level: level, .exactly(count + 1))]
    case .walltimeAndCount(
      let moldable, let walltime, let group, let level, .exactly(let count)):
      return [
        .walltimeAndCount(
          moldable: moldable, walltime + 1, group: group, level: level, .exactly(count)),
        .walltimeAndCount(
          moldable: moldable, walltime, group: group, level: level, .exactly(count + 1)),
      ]
    default: return []
    }
  }

  /// For each number of the request, the least that it could become.
  private func leastRequests(of job: WaitingJob) -> [Change] {
    var least: [Change] = []
    for (index, moldable) in job.moldables.enumerated() {
      least.append(.walltime(moldable: index, 1))
      for (group, levels) in moldable.groups.map(\.levels).enumerated() {
        for (level, asked) in levels.enumerated() {
          guard asked.count == .all || asked.count.stored > 0 else { continue }
          least.append(.count(moldable: index, group: group, level: level, .exactly(1)))
        }
      }
    }
    return least
  }

  private func sameKind(_ one: Change, _ other: Change) -> Bool {
    switch (one, other) {
    case (.walltime(let one, _), .walltime(let other, _)): one == other
    case (.count(let one, let group, let level, _), .count(let other, let its, let likewise, _)):
      (one, group, level) == (other, its, likewise)
    default: false
    }
  }
}
