// What must hold whatever happens in whatever order.

import Testing

@testable import Bebida

/// One thing that may happen.
enum Happening: CaseIterable {
  case time, decision, lossyDecision, lateMove, jobComes, jobGoes, jobPlanned, planDropped, order
  case pod, directPod, apiGoes, apiComes, agentGoes, agentComes, reboot, serverEnds, serverStarts
  case recordLost, lendable
}

extension World {
  mutating func happen(_ happening: Happening) {
    switch happening {
    case .time: pass(.milliseconds(50 * (1 + chance.below(60))))
    case .decision: decide()
    case .lossyDecision: decide(losing: true)
    case .lateMove:
      if !late.isEmpty { perform(late.remove(at: chance.below(late.count))) }
    case .jobComes: demand.holders.insert("\(chance.below(4))")
    case .jobGoes:
      if let job = demand.holders.min() { demand.holders.remove(job) }
      if demand.holders.isEmpty { isJobRunning = false }
    case .jobPlanned: demand.nextStart = now + .seconds(chance.below(200))
    case .planDropped: demand.nextStart = nil
    case .order: demand.order = [nil, nil, .lend, .reclaim, .pause][chance.below(5)]
    case .pod: place(pastScheduler: false)
    case .directPod: place(pastScheduler: true)
    case .apiGoes: isAPIUp = false
    case .apiComes: isAPIUp = true
    case .agentGoes: isAgentUp = false
    case .agentComes: isAgentUp = true
    case .reboot: reboot()
    case .serverEnds: memory = nil
    case .serverStarts:
      if memory == nil {
        memory = disk.resumed(at: now)
      }
    case .recordLost:
      if memory == nil { disk = NodeRecord.unknown("node1", now: now) }
    case .lendable: demand.isLendable = chance.below(4) > 0
    }
  }

  /// Everybody works again, and nothing is planned.
  mutating func heal() {
    happen(.serverStarts)
    (isAPIUp, isAgentUp, demand.order, demand.nextStart, demand.isLendable) =
      (true, true, nil, nil, true)
  }
}

@Suite("A node between Kubernetes and jobs, whatever happens")
struct PropertyTests {
  /// How many lives of a node are tried.
  static let lives: UInt64 = 1000
  static let policy = LendingPolicy(grace: .seconds(5))

  /// Lets a hundred things happen; the seed and what happened, for the message.
  private static func live(_ seed: UInt64) -> (World, [Happening], isSafe: Bool) {
    var world = World(seed: seed, policy: policy)
    var story: [Happening] = []
    for _ in 0..<150 {
      let happening = Happening.allCases[world.chance.below(Happening.allCases.count)]
      story.append(happening)
      world.happen(happening)
      if world.isJobRunning, world.isAnyPodRunning { return (world, story, false) }
    }
    return (world, story, true)
  }

  @Test("no process of a pod runs beside a job")
  func safety() {
    var started = 0
    for seed in 0..<Self.lives {
      let (world, story, isSafe) = Self.live(seed)
      started += world.isJobRunning ? 1 : 0
      guard isSafe else {
        Issue.record("seed \(seed): \(story.suffix(30)), \(world.disk)")
        return
      }
    }
    #expect(started > Self.lives / 50)
  }

  @Test("when all works again and no job is there, Kubernetes has the node within two seconds")
  func givenBack() {
    for seed in 0..<Self.lives {
      var (world, story, _) = Self.live(seed)
      world.heal()
      world.demand.holders = []
      world.isJobRunning = false
      world.pass(.seconds(2), deciding: true)
      guard world.memory?.phase == .lent, world.marks == .none, world.isNodeOpen else {
        Issue.record("seed \(seed): \(story.suffix(30)), \(world.disk)")
        return
      }
    }
  }

  @Test(
    "a job starts within the grace and two seconds, with Kubernetes or without",
    arguments: [true, false])
  func startDelay(withAPI: Bool) {
    for seed in 0..<Self.lives {
      var (world, story, _) = Self.live(seed)
      world.heal()
      world.isAPIUp = withAPI
      world.demand.holders = ["9"]
      world.isJobRunning = false
      world.pass(Self.policy.grace + .seconds(2), deciding: true)
      guard world.isJobRunning else {
        Issue.record("seed \(seed): \(story.suffix(30)), \(world.disk)")
        return
      }
    }
  }

  @Test("a job that is planned early enough does not wait for its node")
  func plannedStart() {
    for seed in 0..<Self.lives {
      var (world, story, _) = Self.live(seed)
      world.heal()
      world.demand.holders = []
      world.isJobRunning = false
      world.demand.nextStart = world.now + .seconds(60)
      world.pass(.seconds(59), deciding: true)
      world.demand.holders = ["9"]
      world.decide()
      guard world.isJobRunning else {
        Issue.record("seed \(seed): \(story.suffix(30)), \(world.disk)")
        return
      }
    }
  }
}
