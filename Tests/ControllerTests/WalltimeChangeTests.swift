// `oarwalltime` in the server: who may ask for what, what is granted when, and what the host is told.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

private let enabled =
  "SCHEDULER_JOB_SECURITY_TIME=0\nWALLTIME_CHANGE_ENABLED=yes\nWALLTIME_MAX_INCREASE=7200\n"

/// A cluster on which alice's job 1 runs on cores 1 and 2 from 100 to 700.
private func runningJob(types: [String] = []) throws -> ClusterState {
  var state = smallCluster()
  var wanted = submission("core=2,walltime=0:10")
  wanted.types = types
  _ = try state.accept(wanted)
  var outcome = try state.pass(at: 100)
  state.move(1, to: .running, at: 100, &outcome)
  return state
}

extension ClusterState {
  fileprivate mutating func ask(
    _ amount: WalltimeOrder.Amount, of job: JobID = 1, by asker: Asker = alice,
    force: Bool = false, delay: Bool = false, _ configuration: String = enabled
  ) throws -> Bool {
    var outcome = Outcome()
    return try changeWalltime(
      of: job, WalltimeOrder(amount, force: force, delayNextJobs: delay), by: asker,
      settings: settings(configuration), &outcome)
  }

  fileprivate mutating func grant(
    at now: Instant, _ configuration: String = enabled
  ) throws -> Outcome {
    var outcome = Outcome()
    try grantWalltimes(settings: settings(configuration), at: now, &outcome)
    return outcome
  }
}

private func refusal(_ body: () throws -> Bool) -> Refusal? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? Refusal
  }
}

@Suite("Asking for another walltime") struct WalltimeRequestTests {
  @Test("an increase is granted in a pass: request, walltime, event and host hear of it")
  func increase() throws {
    var state = try runningJob()
    #expect(try state.ask(.difference(300)) == false)
    #expect(state.changing == [1])
    let outcome = try state.grant(at: 200)
    #expect(state.jobs[1]?.walltime == 900 && state.changing.isEmpty)
    #expect(state.jobs[1]?.walltimeChange?.granted == 300)
    let events = outcome.changes.compactMap { change in
      if case .event(let event) = change { "\(event.type):\(event.text)" } else { nil as String? }
    }
    #expect(
      events == ["WALLTIME: walltime changed: 0:15:0 (granted: +0:5:0/pending: 0:0:0)"])
    #expect(
      outcome.changes.contains {
        if case .jobWalltime(1, moldable: 1, 900) = $0 { true } else { false }
      })
    let tells = outcome.effects.contains { if case .walltime(1) = $0 { true } else { false } }
    #expect(tells)
    // The next jobs are planned after the new end.
    _ = try state.accept(submission("core=4,walltime=1"))
    _ = try state.pass(at: 201)
    #expect(try state.explain(2).plannedStart == 1000)
  }

  @Test(
    "what is granted adds up, a length counts from the start, and +0 takes back what is pending")
  func updates() throws {
    var state = try runningJob()
    _ = try state.ask(.difference(300))
    _ = try state.grant(at: 200)
    #expect(try state.ask(.difference(-60)))
    _ = try state.grant(at: 201)
    #expect(state.jobs[1]?.walltime == 840 && state.jobs[1]?.walltimeChange?.granted == 240)
    _ = try state.ask(.total(1200))
    #expect(state.jobs[1]?.walltimeChange?.pending == 360)
    #expect(try state.ask(.difference(0)))
    #expect(state.changing.isEmpty && state.jobs[1]?.walltimeChange?.pending == 0)
    #expect(try state.grant(at: 202).changes.isEmpty)
  }

  @Test("a decrease ends a job now at the earliest")
  func decrease() throws {
    var state = try runningJob()
    _ = try state.ask(.total(60))
    _ = try state.grant(at: 200)
    #expect(state.jobs[1]?.walltime == 100)
    #expect(try state.grant(at: 201).changes.isEmpty)
  }

  @Test("the texts of refusals are OAR's")
  func refusals() throws {
    var state = try runningJob()
    #expect(refusal { try state.ask(.difference(9), "") }?.kind == .disabled)
    #expect(refusal { try state.ask(.difference(9), of: 7) }?.kind == .unknownJob)
    #expect(
      refusal { try state.ask(.difference(9), by: bob) }?.message == "job 1 does not belong to you."
    )
    let long = refusal { try state.ask(.difference(36000)) }
    #expect(
      long?.message
        == "request cannot be updated because the walltime cannot increase by more than 2:0:0.")
    #expect(long?.kind == .admission)
    #expect(
      refusal { try state.ask(.difference(9), force: true) }?.message
        == "walltime change for this job is not allowed to be forced.")
    #expect(
      refusal { try state.ask(.difference(9), delay: true) }?.message
        == "walltime change for this job is not allowed to delay other jobs.")
    _ = try state.accept(submission("core=4,walltime=1"))
    #expect(refusal { try state.ask(.difference(9), of: 2) }?.message == "job 2 is not running.")
    for amount in [WalltimeOrder.Amount.total(.min), .difference(.min), .difference(.max)] {
      _ = refusal { try state.ask(amount, by: root) }
      _ = try state.grant(at: 200)
    }
    var container = try runningJob(types: ["container=c"])
    #expect(
      refusal { try container.ask(.difference(-9)) }?.message
        == "reducing the walltime of a container job is not allowed")
  }

  @Test("root and oar may do it for anybody, without limit")
  func operators() throws {
    var state = try runningJob()
    _ = try state.ask(.difference(100_000), by: root, force: true)
    _ = try state.grant(at: 200)
    #expect(state.jobs[1]?.walltime == 100_600)
  }
}

@Suite("Granting another walltime") struct WalltimeGrantTests {
  @Test("planned jobs are not delayed, unless that is asked for; the rest stays pending")
  func nextJobs() throws {
    let site = enabled + "WALLTIME_ALLOWED_USERS_TO_DELAY_JOBS=*\n"
    var state = try runningJob()
    _ = try state.accept(submission("core=4,walltime=1"))
    _ = try state.pass(at: 101)
    _ = try state.ask(.difference(300), site)
    #expect(try state.grant(at: 200, site).changes.isEmpty)
    #expect(state.changing == [1])
    _ = try state.ask(.difference(300), delay: true, site)
    _ = try state.grant(at: 200, site)
    #expect(state.jobs[1]?.walltime == 900)
    #expect(state.jobs[1]?.walltimeChange?.grantedWithDelayNextJobs == 300)
  }

  @Test("a reservation is never delayed, and jobs on other resources do not matter")
  func reservation() throws {
    var state = try runningJob()
    var wanted = submission("core=4,walltime=0:10")
    wanted.reservationStart = 800
    _ = try state.accept(wanted)
    _ = try state.accept(submission("{core = 3 or core = 4}/core=2,walltime=0:1"))
    _ = try state.accept(submission("{core = 3 or core = 4}/core=2,walltime=0:1"))
    _ = try state.pass(at: 101)
    _ = try state.ask(.difference(300), by: root, delay: true)
    _ = try state.grant(at: 200)
    #expect(state.jobs[1]?.walltime == 700)
    #expect(state.jobs[1]?.walltimeChange?.pending == 200)
  }

  @Test("the jobs inside of a container are not in its way, and can't outlast it")
  func containers() throws {
    var state = try runningJob(types: ["container=c"])
    var inner = submission("core=2,walltime=0:3")
    inner.types = ["inner=c"]
    for _ in 0..<2 { _ = try state.accept(inner) }
    var outcome = try state.pass(at: 101)
    state.move(2, to: .running, at: 101, &outcome)
    #expect(state.placements[3] != nil)
    _ = try state.ask(.difference(300))
    _ = try state.grant(at: 200)
    #expect(state.jobs[1]?.walltime == 900)
    _ = try state.ask(.difference(3600), of: 2, by: root, delay: true)
    _ = try state.grant(at: 200)
    #expect(state.jobs[2]?.walltime == 899)
  }

  @Test("time alone may bring the grant, and a suspended job gets nothing")
  func applyTime() throws {
    let site = enabled + "WALLTIME_CHANGE_APPLY_TIME=60\n"
    var state = try runningJob()
    _ = try state.ask(.difference(300), site)
    #expect(try state.grant(at: 639, site).changes.isEmpty)
    var outcome = Outcome()
    state.move(1, to: .suspended, at: 639, &outcome)
    #expect(try state.grant(at: 640, site).changes.isEmpty)
    state.move(1, to: .resuming, at: 640, &outcome)
    state.move(1, to: .running, at: 640, &outcome)
    _ = try state.grant(at: 640, site)
    #expect(state.jobs[1]?.walltime == 900)
  }

  @Test("the end of a job ends its request, and a server that starts again takes it up")
  func lives() throws {
    var state = try runningJob()
    _ = try state.ask(.difference(300))
    var stored = storedCluster()
    stored.jobs = [try #require(state.jobs[1])]
    #expect(ClusterState(stored: stored).changing == [1])
    var outcome = Outcome()
    state.end(1, as: .terminated, status: 0, at: 300, &outcome)
    #expect(state.changing.isEmpty)
    #expect(state.ended[1]?.walltimeChange?.pending == 300)
  }
}

@Suite("Walltimes of a server") struct WalltimeStageTests {
  @Test("the host is told the walltime when it is granted, and again when it comes back")
  func told() async throws {
    let stage = try await Stage(
      jobs: [heldJob(1, on: [1], .running, startTime: Controller.now)], configuration: enabled)
    let attempt = AttemptID(job: 1, number: 1)
    let running = AttemptStatus.running(pid: 7, since: Controller.now)
    await stage.connect("node1", [attempt: running])
    let client = try await PlayedClient.connect(to: stage, as: alice)
    _ = await stage.said()
    try await client.send(.changeWalltime(1, WalltimeOrder(.difference(60))))
    guard case .walltimeChange(isUpdate: false) = try await client.receive() else {
      Issue.record("not accepted")
      return
    }
    await stage.settle()
    #expect(await stage.said() == ["node1: walltime 1.1 3660"])
    await stage.disconnect("node1")
    await stage.connect("node1", [attempt: running])
    #expect(await stage.said().contains("node1: walltime 1.1 3660"))
    try await client.send(.walltime(1))
    guard case .walltime(let status) = try await client.receive() else {
      Issue.record("no status")
      return
    }
    #expect(status.walltime == 3660 && status.possibleIncrease == 7200)
    #expect(status.change.granted == 60 && status.state == .running)
    await stage.end()
  }

  @Test("jobs that nobody knows, and sites without changes, have no status")
  func noStatus() async throws {
    for (configuration, kind) in [(enabled, Refusal.Kind.unknownJob), ("", .disabled)] {
      let stage = try await Stage(configuration: configuration)
      let client = try await PlayedClient.connect(to: stage, as: alice)
      try await client.send(.walltime(9))
      #expect(try await client.receive().refusal?.kind == kind)
      await stage.end()
    }
  }
}
