// What the server answers to `oarstat --why` and `oarsub --dry-run`.

import ClusterModel
import Testing
import Wire

@testable import Controller

@Suite("Why a job waits") struct ExplainingTests {
  @Test("a waiting job is told who holds its resources until when, and what would start it now")
  func change() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=3,walltime=0:10"))
    _ = try state.accept(submission("core=2,walltime=0:10"))
    _ = try state.pass(at: 100)
    let why = try state.explain(2)
    #expect(why.blockers == [1])
    #expect(why.blockerEnds == [700])
    #expect(why.plannedStart == 700)
    #expect(why.advice == nil)
    #expect(
      why.changes.map(\.text) == ["It would start now with -l /core=1 instead of /core=2."])
    #expect(why.changes.first?.kind == .count)
    #expect(why.changes.first?.count == 1)
  }

  @Test(
    "a job that could start as a besteffort job is told so, if the rules leave it resources then")
  func besteffort() throws {
    for allowed in ["YES", "NO"] {
      var state = smallCluster()
      for id in 1...4 { state.resources[id]?.acceptsBesteffort = allowed == "YES" }
      _ = try state.accept(submission("host=1,walltime=0:10"))
      _ = try state.accept(submission("host=2,walltime=0:10"))
      _ = try state.accept(submission("host=1,walltime=1"))
      _ = try state.pass(at: 100)
      let why = try state.explain(3)
      #expect(why.changes.first?.kind == .walltime)
      #expect(why.changes.contains { $0.kind == .besteffort } == (allowed == "YES"))
    }
  }

  @Test("the user's condition is named, what the site added to it is not")
  func condition() throws {
    var state = smallCluster()
    _ = try state.accept(submission("{host='node1'}/host=1,walltime=0:10"))
    var wanted = submission("host=1,walltime=0:10")
    wanted.properties = "host = 'node1'"
    _ = try state.accept(wanted)
    _ = try state.accept(submission("{host='node1'}/host=1,walltime=0:10"))
    _ = try state.pass(at: 100)
    #expect(
      try state.explain(2).changes.map(\.text)
        == ["It would start now without its condition (-p)."])
    #expect(
      try state.explain(3).changes.map(\.text)
        == ["It would start now without the condition in braces before /host=1."])
    _ = try state.accept(submission("host=1,walltime=0:10"))
    _ = try state.accept(submission("host=1,walltime=0:10"))
    _ = try state.pass(at: 101)
    let why = try state.explain(5)
    #expect(why.changes.isEmpty)
    #expect(why.advice?.hasPrefix("No shorter walltime") == true)
  }

  @Test(
    "what the rules added to a condition is told from the user's part",
    arguments: [
      ("drain='NO'", "drain='NO'"),
      (
        "(desktop_computing = 'NO') AND drain='NO'", "(desktop_computing = 'NO') AND drain='NO'"
      ),
      (
        "(((a = 1 OR b) AND besteffort = 'YES') AND desktop_computing = 'NO') AND drain='NO'",
        "((besteffort = 'YES') AND desktop_computing = 'NO') AND drain='NO'"
      ),
      ("type = 'default'", "type = 'default'"),
      ("(a = 1) AND type = 'default'", "type = 'default'"),
      ("type = 'licence'", ""),
      ("", ""),
    ])
  func addedConditions(condition: String, alone: String) {
    #expect(AddedCondition.alone(in: condition) == alone)
  }

  @Test("after a pass over the front, jobs behind it are explained by the last whole pass")
  func front() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=2,walltime=0:10"))
    for _ in 0..<ClusterState.frontLength { _ = try state.accept(submission("host=2,walltime=1")) }
    let last = try state.accept(submission("core=4,walltime=1")).first
    _ = try state.pass(at: 100)
    state.needsPlan = true
    #expect(try state.pass(at: 101, depth: .front).depth == .front)
    let why = try state.explain(last)
    #expect(why.plannedStart == 700 + ClusterState.frontLength * 3600)
    #expect(why.advice?.hasPrefix("No shorter walltime") == true)
  }

  @Test("a job of a queue that is stopped is told what an administrator must do")
  func stoppedQueue() throws {
    var state = smallCluster()
    state.queues = state.queues.map { queue in
      var queue = queue
      queue.isActive = false
      return queue
    }
    _ = try state.accept(submission("core=1"))
    _ = try state.pass(at: 100)
    let why = try state.explain(1)
    #expect(why.kind == "queue")
    #expect(why.advice?.contains("oarqueue -e default") == true)
  }
}

@Suite("Dry runs") struct DryRunTests {
  private func forecast(
    _ submission: Submission, in state: inout ClusterState, by asker: Asker = alice
  ) throws -> Forecast {
    try state.rehearse(submission, by: asker, settings: settings(), at: 101).plan()
  }

  @Test("a job that fits is told where it would start now, and nothing is made of it")
  func startsNow() throws {
    var state = smallCluster()
    let forecast = try forecast(submission("host=1,walltime=0:10"), in: &state)
    #expect(forecast.startsNow)
    #expect(forecast.start == 101)
    #expect(forecast.hosts == ["node1"])
    #expect(forecast.resources == [1, 2])
    #expect(forecast.explanation == nil)
    #expect(
      forecast.remarks == ["[ADMISSION RULE] Modify resource description with type constraints"])
    #expect(state.jobs.isEmpty && state.nextJob == 1 && state.nextMoldable == 1)
    #expect(state.lines.values.isEmpty)
  }

  @Test("a job that would wait is told when it would start, for whom it waits and what would help")
  func waits() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=3,walltime=0:10"))
    _ = try state.pass(at: 100)
    _ = try state.accept(submission("core=2,walltime=1"))
    let forecast = try forecast(submission("core=2,walltime=1"), in: &state)
    #expect(!forecast.startsNow)
    #expect(forecast.start == 700)
    let why = try #require(forecast.explanation)
    #expect(why.kind == "resources")
    #expect(why.blockers == [1])
    #expect(why.changes.map(\.text) == ["It would start now with -l /core=1 instead of /core=2."])
    #expect(state.nextJob == 3)
  }

  @Test("of an array it is told how many would start now and when the last would")
  func array() throws {
    var state = smallCluster()
    var wanted = submission("core=1,walltime=0:10")
    wanted.arraySize = 10
    let forecast = try forecast(wanted, in: &state)
    #expect(forecast.count == 10)
    #expect(forecast.startingNow == 4)
    #expect(forecast.lastStart == 101 + 1200)
    #expect(forecast.startsNow)
    wanted.arraySize = 100_000
    #expect(try self.forecast(wanted, in: &state).lastStart == nil)
  }

  @Test("a dry run may depend on a job, be held, or be refused as a submission is")
  func others() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1,walltime=0:10"))
    _ = try state.pass(at: 100)
    var after = submission("core=1")
    after.dependencies = [1]
    let why = try forecast(after, in: &state).explanation
    #expect(why?.kind == "dependency")
    #expect(why?.advice == "No change of its request helps: job 1 must end first.")
    var held = submission("core=1")
    held.hold = true
    #expect(try forecast(held, in: &state).explanation?.state == .hold)
    let error = #expect(throws: Refusal.self) {
      try forecast(submission("host=3"), in: &state)
    }
    #expect(error?.kind == .notEnoughResources)
    #expect(throws: Refusal.self) { try forecast(submission("core=1"), in: &state, by: root) }
  }

  @Test("a command is answered, and what is stored stays as it was") func answered() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 2, 3], .running, startTime: 0)])
    let client = try await PlayedClient.connect(to: stage, as: alice)
    let before = await stage.store.written.count
    try await client.send(
      .rehearse(submission("core=1")), .rehearse(submission("core=9")),
      .rehearse(submission("core=2")))
    let replies = try await client.receive(3)
    let forecasts = replies.compactMap { reply in
      if case .forecast(let forecast) = reply { forecast } else { nil }
    }
    let now = try #require(forecasts.first { $0.startsNow })
    #expect(now.resources == [4])
    let later = try #require(forecasts.first { !$0.startsNow })
    #expect(later.explanation?.blockers == [1])
    #expect(later.explanation?.changes.first?.count == 1)
    #expect(replies.contains { $0.refusal?.kind == .notEnoughResources })
    await stage.settle()
    #expect(await stage.store.written.count == before)
    #expect(await stage.act { ($0.state.nextJob, $0.dryRuns) } == (2, 0))
    await stage.end()
  }
}
