// Jobs that can't be understood or can't be satisfied, of more than a hundred kinds. The cluster has
// two hosts of two cores.

import ClusterModel
import Kamelot

/// Jobs that nobody can place, and that must harm nobody.
struct Poison {
  /// What is wrong, for tests that fail.
  var what: String
  var jobs: [WaitingJob]
  /// The kind of reason that they get; `nil` if any will do.
  var kind: Reason.Kind?
  /// What the engine must have to tell that something is wrong.
  var needs: Feature?

  init(_ what: String, _ jobs: [WaitingJob], _ kind: Reason.Kind? = nil, needs: Feature? = nil) {
    self.what = what
    self.jobs = jobs
    self.kind = kind
    self.needs = needs
  }

  /// All kinds, the ids of the jobs from 901 on.
  static var all: [Poison] {
    var next: JobID = 900
    return (conditions + requests + walltimes + dependencies + queues + types + reservations).map {
      var poison = $0
      poison.renumber(after: &next)
      return poison
    }
  }

  /// Gives the jobs ids of their own; ids from 901 on within dependencies stand for 1st, 2nd, … job.
  private mutating func renumber(after next: inout JobID) {
    let first = next
    func renumbered(_ id: JobID) -> JobID { (901...905).contains(id) ? first + id - 900 : id }
    for index in jobs.indices {
      next += 1
      jobs[index].id = next
      jobs[index].dependencies = jobs[index].dependencies.map {
        if case .waiting(let other) = $0 { .waiting(renumbered(other)) } else { $0 }
      }
      jobs[index].types = jobs[index].types.map { $0 == "inner=901" ? "inner=\(first + 1)" : $0 }
    }
  }
}

// Conditions and requests.
extension Poison {
  static var conditions: [Poison] {
    let malformed = [
      "no_such = 1", "(((", ")", "host =", "= 1", "host = 'h1", "host LIKE", "AND", "host='h1' AND",
      "host='h1' OR OR core=1", "core IN ()", "core IN (1", "core BETWEEN 1", "NOT", "host IS",
      "core = 1; DROP TABLE jobs", "SELECT 1", "core = = 1", "core ! 1", "\u{0}", "🦑 = 1",
      "host='h1' host='h2'", "core <>", "host IS NOT", "core = (1", "no_such IS NULL", "-- core",
      String(repeating: "(", count: 20_000), String(repeating: "NOT ", count: 20_000) + "core = 1",
    ]
    let unsatisfied = [
      "host='nowhere'", "core > 99", "core < 0", "host='h1' AND host='h2'", "host IS NULL",
      "type = 'licence'", "state = 'Dead'", "core = 99999999999999999999999", "host = ''",
    ]
    return malformed.map { Poison("-p \($0.prefix(40))", [job(properties: $0)], .malformed) }
      + unsatisfied.map { Poison("-p \($0)", [job(properties: $0)]) }
      + malformed.prefix(8).map { condition in
        let group = RequestGroup(properties: condition, levels: [RequestLevel("host", .exactly(1))])
        return Poison("{\(condition)}", [job(groups: [group])], .malformed)
      }
  }

  static var requests: [Poison] {
    let counts: [Int] = [0, -1, -7, .min]
    let texts = [
      "/host=3", "/core=5", "/host=1/core=3", "/host=3/core=1", "/host=1+/host=1+/host=1",
      "/core=3+/core=3", "/host=2+/core=1", "/host=1/host=2", "/resource_id=5", "/type=2",
      "/state=2", "{host='h1'}/host=1+{host='h1'}/core=1", "{core>9}/core=BEST",
      "{core>9}/core=ALL", "{core>9}/core=BESTHALF", "/core=2147483647",
    ]
    let huge = [
      RequestLevel("host", .exactly(.max)), RequestLevel("core", .exactly(.max)),
    ]
    let nothing = [RequestLevel("host", .best), RequestLevel("core", .exactly(0))]
    return texts.map { Poison("-l \($0)", [waiting(0, ($0, 10))], .impossible) }
      + counts.map { Poison("host=\($0)", [job([RequestLevel("host", .exactly($0))])], .malformed) }
      + [
        Poison("-l /no_such=1", [waiting(0, ("/no_such=1", 10))], .malformed),
        Poison("-l {no_such=1}", [waiting(0, ("{no_such=1}/host=1", 10))], .malformed),
        Poison("an empty name", [job([RequestLevel("", .exactly(1))])], .malformed),
        Poison("counts that overflow", [job(huge)], .impossible),
        Poison("none of each", [job(nothing)], .malformed),
        Poison("no levels", [job([])], .malformed),
        Poison("no groups", [job(groups: [])], .malformed),
        Poison("no moldables", [waiting(0)], .malformed),
        Poison(
          "one group without levels", [job(groups: [group, RequestGroup(levels: [])])], .malformed),
        Poison("two bad moldables", [waiting(0, ("/host=9", 10), ("/no=1", 10))]),
        Poison("many groups", [job(groups: Array(repeating: group, count: 300))], .impossible),
        Poison(
          "many levels",
          [job(Array(repeating: RequestLevel("host", .exactly(1)), count: 50) + huge)]),
      ]
  }

  static var group: RequestGroup { RequestGroup(levels: [RequestLevel("host", .exactly(1))]) }

  private static func job(
    _ levels: [RequestLevel]? = nil, groups: [RequestGroup]? = nil, properties: String = ""
  ) -> WaitingJob {
    let groups = groups ?? levels.map { [RequestGroup(levels: $0)] } ?? [group]
    return WaitingJob(
      id: 0, user: "eve", queue: "default", properties: properties,
      moldables: [Moldable(walltime: 10, groups: groups)])
  }
}

// Times, dependencies, queues.
extension Poison {
  static var walltimes: [Poison] {
    let bad: [Seconds] = [0, -1, -5, .min, .max, .max - 1, endOfTime + 1]
    return bad.map { Poison("walltime \($0)", [waiting(0, ("/host=1", $0))], .malformed) }
  }

  static var dependencies: [Poison] {
    func after(_ others: JobID...) -> WaitingJob {
      waiting(0, ("/host=1", 10), after: others.map { .waiting($0) })
    }
    let unknown: [JobID] = [-3, 0, 7777, .max, .min]
    return unknown.map { Poison("after job \($0)", [after($0)], .dependency) }
      + [
        Poison("after itself", [after(901)], .dependency),
        Poison("a circle of two", [after(902), after(901)], .dependency),
        Poison("a circle of three", [after(902), after(903), after(901)], .dependency),
        Poison("a healthy job, and itself", [after(1, 901)], .dependency),
        Poison("after a job without a place", [waiting(0, ("/host=9", 10)), after(901)]),
        Poison("a chain after nothing", [waiting(0), after(901), after(902), after(903)]),
        Poison(
          "after a job of a closed queue", [waiting(0, ("/host=1", 10), queue: "shut"), after(901)]),
        Poison("after a failed job", [depends(.impossible(5, "Job 5 failed."))], .dependency),
        Poison("after a running job", [depends(.running(5))], .dependency),
      ]
  }

  private static func depends(_ dependency: Dependency) -> WaitingJob {
    waiting(0, ("/host=1", 10), after: [.satisfied, dependency])
  }

  static var queues: [Poison] {
    ["none", "", "shut", "default ", "DEFAULT", "🦑"].map {
      Poison("queue \"\($0)\"", [waiting(0, ("/host=1", 10), queue: $0)], .queue)
    }
  }
}
