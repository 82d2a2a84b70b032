// What holds for every plan, over random small scenarios.

import ClusterModel
import Kamelot
import Kao
import Testing

private let seeds: [UInt64] = Array(1...120)

struct PropertyTests {
  @Test("the plan is that of a planner that tries everything", arguments: [false, true])
  func agreesWithTheReference(besteffortHolders: Bool) throws {
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed)
      let snapshot = maker.snapshot(besteffortHolders: besteffortHolders)
      var check = ReferenceCheck(snapshot, Kao.plan(snapshot))
      let problem = check.run()
      #expect(problem == nil, "seed \(seed)")
    }
  }

  @Test("no resource is given twice at one time, and every job has a place or a reason")
  func noResourceTwice() {
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed)
      let snapshot = maker.snapshot(besteffortHolders: true)
      let plan = Kao.plan(snapshot)
      let placements = plan.starts + plan.predictions
      for (index, one) in placements.enumerated() {
        for other in placements[..<index] where one.start <= other.end && other.start <= one.end {
          #expect(Set(one.resources).isDisjoint(with: other.resources), "seed \(seed)")
        }
      }
      let started = Set(plan.started)
      for job in snapshot.waiting {
        #expect(started.contains(job.id) != (plan.reasons[job.id] != nil), "seed \(seed)")
      }
      let busy = Set(snapshot.holding.flatMap(\.resources))
      for start in plan.starts {
        #expect(start.start == snapshot.now && busy.isDisjoint(with: start.resources))
      }
    }
  }

  @Test("a job with lower priority delays none before it")
  func conservative() {
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed)
      var snapshot = maker.snapshot(besteffortHolders: true)
      let before = Kao.plan(snapshot)
      var last = maker.job(15)
      last.queue = "besteffort"
      snapshot.waiting.append(last)
      let after = Kao.plan(snapshot)
      for job in snapshot.waiting.dropLast() where !job.dependencies.contains(.waiting(15)) {
        #expect(after.placement(of: job.id) == before.placement(of: job.id), "seed \(seed)")
      }
      #expect(after.victims == before.victims, "seed \(seed)")
    }
  }

  @Test("the same snapshot gives the same plan, whatever was planned on its platform before")
  func pure() {
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed)
      let snapshot = maker.snapshot(besteffortHolders: true)
      let first = Kao.plan(snapshot)
      var other = snapshot
      other.platform = Platform(resources: snapshot.platform.resources)
      other.waiting.reverse()
      _ = Kao.plan(other)
      other.waiting.reverse()
      for again in [Kao.plan(snapshot), Kao.plan(other)] {
        #expect(again.starts == first.starts && again.predictions == first.predictions)
        #expect(again.reasons == first.reasons && again.victims == first.victims)
      }
    }
  }

  @Test("besteffort jobs end only for a job that starts now, and only if it can't start elsewhere")
  func victimsAreNeeded() {
    for seed in seeds {
      var maker = ScenarioMaker(seed: seed)
      let snapshot = maker.snapshot(besteffortHolders: true)
      let plan = Kao.plan(snapshot)
      let besteffort = snapshot.holding.filter(\.isBesteffort)
      let ending = Set(besteffort.filter(\.isEnding).map(\.id))
      #expect(Set(plan.victims).count == plan.victims.count)
      let waitingForVictims = plan.predictions.filter { $0.start == snapshot.now }
      for victim in plan.victims {
        let holder = besteffort.first { $0.id == victim }
        #expect(holder != nil && !ending.contains(victim), "seed \(seed)")
        #expect(
          waitingForVictims.contains {
            !Set($0.resources).isDisjoint(with: holder?.resources ?? [])
          },
          "seed \(seed)")
      }
      for job in waitingForVictims {
        let inTheWay = besteffort.filter { !Set($0.resources).isDisjoint(with: job.resources) }
        #expect(!inTheWay.isEmpty, "seed \(seed)")
        #expect(
          Set(inTheWay.map(\.id)).isSubset(of: ending.union(plan.victims)), "seed \(seed)")
      }
    }
  }
}

/// Follows a plan job by job with the reference planner.
private struct ReferenceCheck {
  let snapshot: Snapshot
  let plan: Plan
  var reference: ReferencePlanner
  private var ends: [JobID: Instant] = [:]
  private var undecided: [(job: WaitingJob, on: JobID)] = []
  let besteffortHeld: Set<ResourceID>

  init(_ snapshot: Snapshot, _ plan: Plan) {
    self.snapshot = snapshot
    self.plan = plan
    reference = ReferencePlanner(snapshot)
    besteffortHeld = Set(snapshot.holding.filter(\.isBesteffort).flatMap(\.resources))
  }

  /// The first difference, if there is one.
  mutating func run() -> String? {
    hold(besteffort: false)
    let admin = snapshot.waiting.filter { $0.queue == "admin" }
    let ordinary = snapshot.waiting.filter { $0.queue == "default" }
    let besteffort = snapshot.waiting.filter { $0.queue == "besteffort" }
    for job in admin + ordinary {
      if let problem = followAll(from: job, mayEndBesteffort: true) { return problem }
    }
    hold(besteffort: true)
    for job in besteffort {
      if let problem = followAll(from: job, mayEndBesteffort: false) { return problem }
    }
    for (job, _) in undecided where plan.placement(of: job.id) != nil {
      return "job \(job.id) has a place before what it depends on"
    }
    return nil
  }

  private mutating func hold(besteffort: Bool) {
    for job in snapshot.holding where job.isBesteffort == besteffort {
      let end = job.start + job.walltime + snapshot.settings.jobSecurityTime
      reference.allocations.append(
        .init(
          job: job.id, start: snapshot.now, end: max(end, snapshot.now + 1),
          resources: Set(job.resources)))
    }
  }

  /// Follows a job and then those that were reached before but depend on it.
  private mutating func followAll(from first: WaitingJob, mayEndBesteffort: Bool) -> String? {
    var reached = [first]
    while !reached.isEmpty {
      let job = reached.removeFirst()
      if let other = firstUndecided(job) {
        undecided.append((job, other))
        continue
      }
      if let problem = follow(job, mayEndBesteffort) { return problem }
      guard ends[job.id] != nil else { continue }
      reached += undecided.filter { $0.on == job.id }.map(\.job)
      undecided.removeAll { $0.on == job.id }
    }
    return nil
  }

  private func firstUndecided(_ job: WaitingJob) -> JobID? {
    for case .waiting(let other) in job.dependencies where ends[other] == nil { return other }
    return nil
  }

  private mutating func follow(_ job: WaitingJob, _ mayEndBesteffort: Bool) -> String? {
    let durations = job.moldables.map { moldable in
      let walltime =
        job.queue == "besteffort"
        ? min(moldable.walltime, snapshot.settings.besteffortDuration) : moldable.walltime
      return walltime + snapshot.settings.jobSecurityTime
    }
    let bound = job.dependencies.reduce(snapshot.now) { bound, dependency in
      guard case .waiting(let other) = dependency, let end = ends[other] else { return bound }
      return max(bound, end)
    }
    let expected = reference.bestPlace(of: job, durations: durations, notBefore: bound)
    let placement = plan.placement(of: job.id)
    guard let expected, let placement else {
      if placement == nil, expected == nil { return nil }
      return "job \(job.id): \(String(describing: expected)), not \(String(describing: placement))"
    }
    let end = expected.start + durations[expected.moldable]
    let expectedTimes = (expected.start, end - 1, expected.moldable)
    if (placement.start, placement.end, placement.moldable) != expectedTimes {
      return "job \(job.id): \(expected), not \(placement)"
    }
    let taken = Set(placement.resources)
    if taken != expected.resources {
      let free = reference.free(from: expected.start, to: end)
      guard mayEndBesteffort, placement.start == snapshot.now, taken.isSubset(of: free),
        !besteffortHeld.isDisjoint(with: expected.resources),
        isSparing(taken, job, placement.moldable, free)
      else { return "job \(job.id): \(expected.resources.sorted()), not \(placement)" }
    }
    ends[job.id] = end
    reference.allocations.append(
      .init(job: job.id, start: expected.start, end: end, resources: taken))
    return nil
  }
  /// Whether `taken` satisfies the request, and without besteffort jobs' resources if that can be.
  private func isSparing(
    _ taken: Set<ResourceID>, _ job: WaitingJob, _ moldable: Int, _ free: Set<ResourceID>
  ) -> Bool {
    let request = job.moldables[moldable]
    let beside = reference.pick(request, of: job, from: free.subtracting(besteffortHeld))
    if let beside { return beside == taken }
    let takesHalf = request.groups.contains { $0.levels.contains { $0.count == .bestHalf } }
    return takesHalf || reference.pick(request, of: job, from: taken) == taken
  }
}
