// Random waiting jobs: requests, types, dependencies.

import ClusterModel
import Kamelot
import RequestLanguage

extension ScenarioMaker {
  mutating func job(_ id: JobID) -> WaitingJob {
    var job = waiting(id)
    job.user = one(of: ["alice", "bob"])
    job.name = one(of: ["n1", "n2"])
    job.moldables = (0..<(chance(25) ? 2 : 1)).map { _ in moldable() }
    job.queue = one(of: ["default", "default", "admin"])
    if draws(.queueGroups, 40) { job.queue = one(of: ["fast", "fast", "closed", "lost"]) }
    if draws(.besteffort, 25) {
      if chance(60) { job.queue = "besteffort" } else { job.types.append("besteffort") }
    }
    if chance(20) { job.properties = condition() }
    job.types += types(id, isBesteffort: job.queue == "besteffort" || !job.types.isEmpty)
    job.types = shuffled(job.types)
    job.dependencies = dependencies(id)
    return job
  }

  private mutating func dependencies(_ id: JobID) -> [Dependency] {
    var dependencies: [Dependency] = []
    if id > 1, chance(20) { dependencies.append(.waiting(number(1...id - 1))) }
    if chance(5) { dependencies.append(.waiting(number(1...12))) }
    if chance(3) { dependencies.append(.satisfied) }
    if chance(1) { dependencies.append(.running(1001)) }
    if chance(1) { dependencies.append(.impossible(900, "Job 900 failed.")) }
    return dependencies
  }

  private mutating func moldable() -> Moldable {
    let groups = (0..<(chance(20) ? 2 : 1)).map { _ in group() }
    let walltime = chance(10) ? number(1...3) : number(1...12) * 10
    return Moldable(walltime: walltime, groups: groups)
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

// Types.
extension ScenarioMaker {
  private mutating func types(_ id: JobID, isBesteffort: Bool) -> [String] {
    var types: [String] = []
    if draws(.permissive, 20) {
      types += [one(of: ["noop", "cosystem"]), "state=permissive"]
    } else if draws(.standby, 25) {
      types.append(one(of: ["deploy=standby", "cosystem=standby", "noop=standby"]))
    }
    if draws(.dates, 35) { types.append(dateType(isBesteffort: isBesteffort)) }
    if theme.contains(.containers) { types += containerTypes(id) }
    if draws(.timesharing, 45) { types.append(sharingType()) }
    if draws(.placeholders, 25) {
      types.append("placeholder=\(one(of: ["p1", "p2"]))")
    } else if draws(.placeholders, 40) {
      types.append("allowed=\(one(of: ["p1", "p1", "p2"]))")
    }
    return types
  }

  /// A besteffort job has no deadline: for how long it runs is anybody's guess.
  private mutating func dateType(isBesteffort: Bool) -> String {
    func text(_ instant: Instant) -> String {
      CivilDate(instant, utcOffset: 0)?.text ?? "1970-01-02"
    }
    switch number(isBesteffort ? 2...3 : 1...3) {
    case 1: return "deadline=\(text(now + number(0...350)))"
    case 2: return "postpone=\(text(now + number(-50...250)))"
    default: return "expire=\(text(now + number(-1...2)))"
    }
  }

  /// Containers `c1` and `c2`, then such as are named by their job, may stand within each other in
  /// this order.
  private mutating func containerTypes(_ id: JobID) -> [String] {
    let names = ["c1", "c2", "c3", "2000"] + (1...max(1, id - 1)).suffix(4).map(String.init)
    switch number(1...100) {
    case 1...25: return [one(of: ["container=c1", "container=c2", "container"])]
    case 26...36: return ["container=c2", "inner=c1"]
    case 37...45: return ["container", "inner=\(one(of: ["c1", "c2"]))"]
    case 46...48: return ["inner=ghost"]
    case 49...80: return ["inner=\(one(of: names))"]
    default: return []
    }
  }
}
