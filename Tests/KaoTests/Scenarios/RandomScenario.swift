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
  let now: Instant = 1000
  /// What the scenario is about: each feature is in some scenarios and not in others.
  private(set) var theme: Set<Feature> = []
  private(set) var hosts = 1
  private(set) var cores = 1
  /// The names of the containers so far.
  var containers: [String] = []
  /// The quotas of the scenario, if it has any.
  private(set) var quotas: RandomQuotas?
  private let seed: UInt64
  private var random: SeededGenerator

  init(seed: UInt64, features: Set<Feature>) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    for feature in Feature.allCases where features.contains(feature) {
      // A coin for each, so that a feature more or less changes no other.
      let salt = feature.rawValue.utf8.reduce(UInt64(17)) { $0 &* 31 &+ UInt64($1) }
      var coin = SeededGenerator(seed: seed ^ (salt << 20))
      if Int.random(in: 1...100, using: &coin) <= 45 { theme.insert(feature) }
    }
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

  mutating func one<Element>(of choices: [Element]) -> Element {
    choices[number(0...choices.count - 1)]
  }

  /// Whether the scenario has a feature, and this one of `percent` draws has it.
  mutating func draws(_ feature: Feature, _ percent: Int) -> Bool {
    theme.contains(feature) && chance(percent)
  }

  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    elements.shuffled(using: &random)
  }

  mutating func snapshot() -> Snapshot {
    hosts = number(1...4)
    cores = number(1...4)
    var settings = PlanningSettings()
    settings.jobSecurityTime = chance(50) ? 0 : number(1...30)
    settings.besteffortDuration = number(10...100)
    settings.usesSleepingHosts = true
    settings.reservationPatience = number(0...60)
    var snapshot = Snapshot(
      now: now, platform: platform(), settings: settings, queues: queues())
    snapshot.holding = holders()
    for id in 1...number(1...10) { snapshot.waiting.append(job(id)) }
    addReservations(to: &snapshot)
    addRules(to: &snapshot)
    if theme.contains(.quotas) { addQuotas(to: &snapshot) }
    if theme.contains(.orders) {
      var maker = OrderMaker(seed: seed)
      maker.order(&snapshot)
    }
    return snapshot
  }

  private mutating func addQuotas(to snapshot: inout Snapshot) {
    let all = snapshot.platform.resources.count { $0.state != .dead }
    var drawn = RandomQuotas(seed: seed, allResources: all, now: now)
    drawn.name(&snapshot)
    snapshot.quotas = drawn.quotas()
    quotas = drawn
  }

  private mutating func queues() -> [Queue] {
    guard theme.contains(.queueGroups) else { return Queue.standard }
    let more = [
      Queue(name: "fast", priority: 2), Queue(name: "closed", priority: 5, isActive: false),
    ]
    return Queue.standard + more
  }

  private mutating func platform() -> Platform {
    var resources = testPlatform(hosts: hosts, coresPerHost: cores).resources
    for index in resources.indices {
      if chance(8) { resources[index].state = one(of: ResourceState.allCases) }
      if draws(.standby, 25) { resources[index].state = .absent }
      resources[index].availableUpto = availableUpto(resources[index].state)
    }
    if chance(30) { resources = shuffled(resources) }
    return Platform(resources: resources)
  }

  private mutating func availableUpto(_ state: ResourceState) -> Instant {
    switch state {
    case .alive:
      guard draws(.availableUpto, 35) else { return endOfTime }
      return one(of: [0, 1, endOfTime - 1, now - 50, now] + (1...8).map { now + $0 * 37 })
    case .absent:
      guard theme.contains(.standby) else { return number(0...1) }
      return one(of: [0, 1, endOfTime - 1, endOfTime, endOfTime, now + 60, now + 200, now + 400])
    case .suspected, .dead: return endOfTime
    }
  }
}

// Jobs that have resources.
extension ScenarioMaker {
  private mutating func holders() -> [HoldingJob] {
    var holders: [HoldingJob] = []
    var left = Array(1...hosts * cores)
    if draws(.containers, 60) {
      let count = number(1...left.count)
      holders += runningContainer(Array(left.prefix(count)))
      left.removeFirst(count)
    }
    while !left.isEmpty {
      let count = min(left.count, number(1...3))
      if chance(45) { holders += runningJobs(1000 + left[0], Array(left.prefix(count))) }
      left.removeFirst(count)
    }
    return shuffled(holders)
  }

  private mutating func runningJob(_ id: JobID, _ resources: [ResourceID]) -> HoldingJob {
    let isBesteffort = draws(.besteffort, 55)
    var job = holding(
      id, resources, start: number(800...1000), walltime: number(1...400),
      besteffort: isBesteffort, ending: isBesteffort && chance(20))
    job.user = one(of: ["alice", "bob"])
    job.name = one(of: ["n1", "n2"])
    if isBesteffort { job.types.append("besteffort") }
    return job
  }

  /// A job, or several that share its resources.
  private mutating func runningJobs(_ id: JobID, _ resources: [ResourceID]) -> [HoldingJob] {
    var job = runningJob(id, resources)
    if draws(.placeholders, 25) {
      job.types.append("placeholder=\(one(of: ["p1", "p2"]))")
    } else if draws(.timesharing, 40) {
      job.types.append(sharingType())
      guard chance(30) else { return [job] }
      var second = runningJob(id + 100, resources)
      second.user = job.user
      second.name = job.name
      second.types = job.types.filter { $0 != "besteffort" }
      if second.isBesteffort { second.types.append("besteffort") }
      return [job, second]
    }
    return [job]
  }

  /// A container with jobs inside, some of them containers.
  private mutating func runningContainer(_ resources: [ResourceID]) -> [HoldingJob] {
    var container = runningJob(2000, resources)
    container.isBesteffort = false
    container.isEnding = false
    container.walltime = now - container.start + number(1...300)
    container.types = [one(of: ["container", "container=c1", "container=c2"])]
    let name = container.types[0] == "container" ? "2000" : String(container.types[0].suffix(2))
    containers.append(name)
    var jobs = [container]
    for id in resources where chance(35) {
      var inner = runningJob(2000 + id, [id])
      inner.walltime = min(
        inner.walltime, container.start + container.walltime - inner.start)
      inner.types.append("inner=\(name)")
      if chance(25), !inner.isBesteffort, inner.start + inner.walltime > now {
        inner.types.append("container=c3")
        containers.append("c3")
      }
      jobs.append(inner)
    }
    return jobs
  }

  mutating func sharingType() -> String {
    "timesharing=\(one(of: ["*,*", "*,*", "user,*", "*,name", "user,name"]))"
  }
}
