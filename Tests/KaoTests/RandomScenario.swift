// Small random clusters with random jobs, the same for the same seed on every machine.

import ClusterModel
import Kamelot

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Draws scenarios.
struct ScenarioMaker {
  private var random: SeededGenerator
  private var hosts = 1
  private var cores = 1

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  private mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

  mutating func snapshot(besteffortHolders: Bool) -> Snapshot {
    hosts = number(1...5)
    cores = number(1...4)
    var settings = PlanningSettings()
    settings.jobSecurityTime = chance(50) ? 0 : number(1...30)
    settings.besteffortDuration = number(10...100)
    let count = number(1...14)
    return Snapshot(
      now: 1000, platform: platform(), settings: settings, queues: Queue.standard,
      holding: holders(besteffort: besteffortHolders), waiting: (1...count).map { job($0) })
  }

  private mutating func platform() -> Platform {
    var resources = testPlatform(hosts: hosts, coresPerHost: cores).resources
    for index in resources.indices where chance(8) {
      resources[index].state = ResourceState.allCases[number(0...3)]
    }
    if chance(30) { resources.shuffle(using: &random) }
    return Platform(resources: resources)
  }

  private mutating func holders(besteffort: Bool) -> [HoldingJob] {
    var holders: [HoldingJob] = []
    for id in 1...hosts * cores where chance(45) {
      let isBesteffort = besteffort && chance(60)
      holders.append(
        holding(
          1000 + id, [id], start: number(800...1000), walltime: number(1...400),
          besteffort: isBesteffort, ending: isBesteffort && chance(20)))
    }
    return holders
  }

  mutating func job(_ id: JobID) -> WaitingJob {
    var job = waiting(id)
    job.moldables = (0..<(chance(25) ? 2 : 1)).map { _ in moldable() }
    job.queue = ["default", "default", "admin", "besteffort"][number(0...3)]
    if chance(20) { job.properties = condition() }
    if id > 1, chance(20) { job.dependencies = [.waiting(number(1...id - 1))] }
    if chance(5) { job.dependencies.append(.waiting(number(1...14))) }
    return job
  }

  private mutating func moldable() -> Moldable {
    let groups = (0..<(chance(20) ? 2 : 1)).map { _ in group() }
    return Moldable(walltime: number(1...12) * 10, groups: groups)
  }

  private mutating func group() -> RequestGroup {
    let levels: [RequestLevel]
    switch number(1...3) {
    case 1: levels = [RequestLevel("host", count(hosts))]
    case 2: levels = [RequestLevel("core", count(hosts * cores))]
    default: levels = [RequestLevel("host", count(hosts)), RequestLevel("core", count(cores))]
    }
    return RequestGroup(properties: chance(15) ? condition() : "", levels: levels)
  }

  private mutating func count(_ limit: Int) -> BlockCount {
    switch number(1...100) {
    case 1...4: .all
    case 5...8: .best
    case 9...12: .bestHalf
    default: .exactly(number(1...max(1, limit * 2 / 3)))
    }
  }

  private mutating func condition() -> String {
    chance(50) ? "host='h\(number(1...hosts))'" : "core<=\(number(1...hosts * cores))"
  }
}
