// What a site's quotas and orders do to the jobs of a server.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

private let plain = "SCHEDULER_JOB_SECURITY_TIME=0\n"

/// Settings with these quotas.
private func quotas(_ document: String) throws -> ServerSettings {
  let file = try TemporaryFile(document)
  return try settings("\(plain)QUOTAS=yes\nQUOTAS_CONF_FILE=\(file.path)")
}

@Suite("Quotas of a server") struct QuotaTests {
  @Test("a user at the limit waits, and is told the rule; others start")
  func limit() throws {
    var state = smallCluster()
    let settings = try quotas(#"{"quotas": {"*,*,*,/": [-1, 1, -1]}}"#)
    for user in [alice, alice, bob] {
      _ = try state.accept(submission("core=1,walltime=0:10"), by: user, as: settings)
    }
    _ = try state.pass(at: 100, depth: .whole, as: settings)
    #expect(state.holding == [1, 3])
    let why = try state.explain(2, as: settings)
    #expect(why.kind == "quota")
    #expect(why.text.contains("\"*,*,*,/\" allows 1 jobs at a time"))
    #expect(why.plannedStart == 700)
    #expect(why.blockers == [1] && why.blockerEnds == [700])
    let quota = try #require(why.quota)
    #expect(quota.rule == "*,*,*,/" && quota.rules == "quotas" && quota.counter == "jobs")
    #expect(quota.limit == 1 && quota.used == 1 && quota.wanted == 1)
    #expect(quota.allowedFrom == 700 && quota.rulesUntil == nil)
    #expect(why.changes.isEmpty)
    #expect(why.advice == "The quota counts jobs: no smaller request would start it now.")
  }

  @Test("a job that asks for more than its quota is told that it never starts as it is")
  func tooMuch() throws {
    var state = smallCluster()
    let settings = try quotas(#"{"quotas": {"*,*,*,/": [2, -1, -1]}}"#)
    for count in [2, 3] {
      _ = try state.accept(submission("core=\(count),walltime=0:10"), as: settings)
    }
    _ = try state.pass(at: 100, depth: .whole, as: settings)
    let why = try state.explain(2, as: settings)
    #expect(why.quota?.allowedFrom == nil && why.plannedStart == nil && why.changes.isEmpty)
    #expect(why.advice == "It never starts as it is, even when nobody else uses the quota.")
  }

  @Test("jobs that run count in the passes after")
  func holders() throws {
    var state = smallCluster()
    let settings = try quotas(#"{"quotas": {"*,*,*,alice": [2, -1, -1]}}"#)
    _ = try state.accept(submission("core=2,walltime=0:10"), as: settings)
    _ = try state.pass(at: 100, depth: .whole, as: settings)
    _ = try state.accept(submission("core=1,walltime=0:10"), as: settings)
    _ = try state.pass(at: 101, depth: .whole, as: settings)
    #expect(state.holding == [1])
    #expect(try state.explain(2, as: settings).plannedStart == 700)
  }

  @Test("what ALL means follows the resources that are not dead")
  func all() throws {
    var state = smallCluster()
    let settings = try quotas(#"{"quotas": {"*,*,*,/": ["0.5*ALL", -1, -1]}}"#)
    func allowed() -> Int? { state.quotas(settings)?.ruleSets[0].rules[0].limits.resources }
    #expect(allowed() == 2)
    state.resources[1]?.state = .suspected
    #expect(allowed() == 2)
    state.resources[1]?.state = .dead
    state.resources[2]?.state = .dead
    #expect(allowed() == 1)
  }

  @Test("nobody frees himself of quotas by a type")
  func noQuotas() throws {
    let settings = try quotas("{}")
    var state = smallCluster()
    var wanted = submission("core=1")
    wanted.types = ["no_quotas", "idempotent"]
    _ = try state.accept(wanted, as: settings)
    #expect(state.jobs[1]?.types == ["idempotent"])
    #expect(throws: Refusal.self) { try state.accept(wanted) }
  }
}

@Suite("Types of jobs that hold resources") struct HolderTypeTests {
  @Test("a job gets its place inside of a container that runs")
  func container() throws {
    var state = smallCluster()
    var wanted = submission("core=4,walltime=1")
    wanted.types = ["container=c1"]
    _ = try state.accept(wanted)
    _ = try state.pass(at: 100)
    wanted = submission("core=2,walltime=0:10")
    wanted.types = ["inner=c1"]
    _ = try state.accept(wanted)
    _ = try state.accept(submission("core=2,walltime=0:10"))
    _ = try state.pass(at: 101)
    #expect(state.holding == [1, 2])
    #expect(try state.explain(3).plannedStart == 3700)
  }

  @Test("jobs that share their time do so with those that run")
  func timesharing() throws {
    var state = smallCluster()
    var wanted = submission("core=4,walltime=1")
    wanted.types = ["timesharing=user,*"]
    _ = try state.accept(wanted)
    _ = try state.pass(at: 100)
    _ = try state.accept(wanted)
    _ = try state.accept(wanted, by: bob)
    _ = try state.pass(at: 101)
    #expect(state.holding == [1, 2])
  }
}

@Suite("Orders of a server") struct OrderTests {
  private let fair = plain + "JOB_PRIORITY=FAIRSHARE"

  @Test("who used least comes first, and oarstat --why tells so")
  func fairShare() throws {
    var state = smallCluster()
    let settings = try settings(fair)
    let past = [
      PastUse(user: "alice", project: "default", queue: "default", used: 300, asked: 300),
      PastUse(user: "bob", project: "default", queue: "default", used: 100, asked: 100),
      PastUse(user: "bob", project: "default", queue: "besteffort", used: 9000, asked: 9000),
    ]
    state.count(past, from: 0, at: 100)
    for user in [alice, bob] {
      _ = try state.accept(submission("core=4,walltime=0:10"), by: user, as: settings)
    }
    #expect(try state.pass(at: 100, depth: .front, as: settings).depth == .whole)
    #expect(state.holding == [2])
    let why = try state.explain(1, as: settings)
    #expect(why.kind == "resources")
    #expect(why.text.contains("Priority -2.250, the greatest comes first"))
    #expect(why.text.contains("user_used"))
  }

  @Test("all waiting jobs are looked at, however many, and those beyond a user's limit told why")
  func limits() throws {
    var state = smallCluster()
    let settings = try settings(
      fair + "\nMAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND=3"
        + "\nSCHEDULER_FAIRSHARING_MAX_JOB_PER_USER=2")
    var many = submission("core=4,walltime=0:10")
    many.arraySize = 100
    _ = try state.accept(many, as: settings)
    _ = try state.accept(submission("core=4,walltime=0:10"), by: bob, as: settings)
    _ = try state.pass(at: 100, depth: .front, as: settings)
    #expect(state.holding == [1])
    #expect(try state.explain(2, as: settings).plannedStart == 700)
    #expect(try state.explain(101, as: settings).plannedStart == 1300)
    let why = try state.explain(3, as: settings)
    #expect(why.kind == "order")
    #expect(why.text.contains("SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER"))
  }

  @Test("jobs that run count as use, inside of the window alone")
  func running() async throws {
    var state = smallCluster()
    state.jobs[9] = heldJob(9, on: [1, 2], .running, startTime: 1000)
    state.holding = [9]
    state.count([], from: 1500, at: 2000)
    #expect(state.usage.usedByUser == ["alice": 1000])
    #expect(state.usage.askedByUser == ["alice": 1000])
  }

  @Test("a server asks its store for what was used before it plans for the first time")
  func atStart() async throws {
    let use = [PastUse(user: "bob", project: "p", queue: "default", used: 7, asked: 8)]
    let stage = try await Stage(use: use, configuration: fair)
    #expect(await stage.act { $0.state.usage.usedByUser } == ["bob": 7])
    await stage.end()
    let other = try await Stage(use: use)
    #expect(await other.act { $0.state.usage.used } == 0)
    await other.end()
  }
}
