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
    fit(&job)
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
    switch number(1...100) {
    case 1...30:
      let type = one(of: ["container=c1", "container=c2", "container"])
      containers.append(type == "container" ? String(id) : String(type.suffix(2)))
      return [type]
    case 31...42 where containers.contains("c1"):
      containers.append("c2")
      return ["container=c2", "inner=c1"]
    case 43...50 where containers.contains { $0.hasPrefix("c") }:
      let outer = one(of: containers.filter { $0 == "c1" || $0 == "c2" } + ["c2"])
      containers.append(String(id))
      return ["container", "inner=\(outer)"]
    case 51...52: return ["inner=\(one(of: ["ghost", "c1", "c2", "\(id + 1)"]))"]
    case 53...85 where !containers.isEmpty: return ["inner=\(one(of: containers))"]
    default: return []
    }
  }

  /// Containers are long and jobs inside are small, else few would fit.
  private mutating func fit(_ job: inout WaitingJob) {
    let isContainer = job.types.contains { $0.hasPrefix("container") }
    let isInner = job.types.contains { $0.hasPrefix("inner") }
    for index in job.moldables.indices where isContainer && !isInner {
      job.moldables[index].walltime += number(50...300)
    }
    guard isInner, chance(75) else { return }
    job.properties = ""
    for index in job.moldables.indices {
      let levels = [RequestLevel("core", .exactly(number(1...max(1, cores - 1))))]
      let walltime = isContainer ? number(30...100) : number(1...50)
      job.moldables[index] = Moldable(
        walltime: walltime, groups: [RequestGroup(levels: levels)])
    }
  }
}
