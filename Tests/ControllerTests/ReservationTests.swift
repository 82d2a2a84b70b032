// Advance reservations in the server: decided, kept, started, given up.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

private func reservation(_ resources: String, at start: Instant) -> Submission {
  var wanted = submission(resources)
  wanted.reservationStart = start
  return wanted
}

extension Outcome {
  /// The states that jobs enter, in order.
  fileprivate var states: [JobState] {
    changes.compactMap {
      switch $0 {
      case .jobState(_, let state, _): state
      case .jobAssigned: .toLaunch
      case .jobEnded(_, let state, _, _): state
      default: nil
      }
    }
  }

  fileprivate var events: [String] {
    changes.compactMap {
      if case .event(let event) = $0 { "\(event.type) \(event.text)" } else { nil }
    }
  }
}

@Suite("New reservations") struct NewReservationTests {
  @Test("a reservation is toSchedule until a pass accepts it, and its promise is committed then")
  func accepted() throws {
    var state = smallCluster()
    _ = try state.accept(reservation("core=2,walltime=0:1", at: 1000))
    #expect(state.jobs[1]?.reservation == .toSchedule && state.jobs[1]?.startTime == 1000)
    #expect(state.jobs[1]?.message == "R=2,W=0:1:0,J=R")
    let outcome = try state.pass(at: 100)
    #expect(outcome.states == [.toAckReservation, .waiting])
    guard case .reservationAccepted(1, let moldable, 1000, [1, 2])? = outcome.changes.first else {
      Issue.record("\(outcome.changes)")
      return
    }
    #expect(moldable == 1)
    let job = try #require(state.jobs[1])
    #expect(job.reservation == .scheduled && job.state == .waiting && job.promised == [1, 2])
    let record = state.record(of: job)
    #expect(record.assignedResources == [1, 2] && record.assignedHosts == ["node1"])
    #expect(record.scheduledStart == 1000 && record.startTime == 1000)
    #expect(try state.explain(1).text == "It is a reservation: it starts at 1970-01-01 00:16:40.")
  }

  @Test("a new reservation is decided by a whole pass, even if only the front was to be planned")
  func depth() throws {
    var state = smallCluster()
    for _ in 0..<(ClusterState.frontLength + 1) {
      _ = try state.accept(submission("core=4,walltime=1"))
    }
    _ = try state.pass(at: 100)
    _ = try state.accept(reservation("core=4,walltime=0:1", at: 7300))
    #expect(try state.pass(at: 100, depth: .front).depth == .whole)
    let ended = try #require(state.ended.values.first)
    let next = "1970-01-03 17:01:40"
    #expect(ended.message == "This reservation could run at \(next)")
  }

  @Test("one that does not fit ends in Error by OAR's way, and is told when it could run")
  func refused() throws {
    var state = smallCluster()
    state.hasFollowers = true
    _ = try state.accept(reservation("core=4,walltime=0:10", at: 1000))
    _ = try state.pass(at: 100)
    let id = try state.accept(reservation("core=1,walltime=0:10", at: 1500)).first
    let outcome = try state.pass(at: 101)
    #expect(outcome.states == [.toError, .error])
    let notices = outcome.effects.compactMap { effect in
      if case .notice(let notice) = effect { notice } else { nil }
    }
    #expect(notices.map(\.state) == [.toError, .error])
    #expect(notices.last?.text == "This reservation could run at 1970-01-01 00:26:40")
    #expect(state.jobs[id] == nil && state.reserved == [1])
    #expect(state.ended[id]?.reservation == .scheduled && state.ended[id]?.stopTime == 1500)
  }

  @Test(
    "one in the past is refused if it would be over, else it starts now and has its whole walltime")
  func past() throws {
    var state = smallCluster()
    _ = try state.accept(reservation("core=1,walltime=0:1", at: 30))
    _ = try state.accept(reservation("core=1,walltime=0:2", at: 30))
    let outcome = try state.pass(at: 100)
    #expect(state.ended[1]?.message == "Reservation too old")
    #expect(state.jobs[2]?.state == .toLaunch && state.jobs[2]?.startTime == 100)
    #expect(state.jobs[2]?.walltime == 120 && outcome.events.isEmpty)
  }

  @Test("one of a queue that is not active waits undecided, and its user hears why")
  func inactiveQueue() throws {
    var state = smallCluster()
    state.hasFollowers = true
    for place in state.queues.indices { state.queues[place].isActive = false }
    _ = try state.accept(reservation("core=1,walltime=0:1", at: 1000))
    let outcome = try state.pass(at: 100)
    #expect(state.jobs[1]?.reservation == .toSchedule)
    guard case .notice(let notice)? = outcome.effects.last else {
      Issue.record("nobody hears of it")
      return
    }
    #expect(notice.text == "The queue \"default\" is not active: it starts no jobs.")
    for place in state.queues.indices { state.queues[place].isActive = true }
    _ = try state.pass(at: 101)
    #expect(state.jobs[1]?.reservation == .scheduled)
  }

  @Test("a user may have two that wait, arrays included; others are not counted")
  func limit() throws {
    var state = smallCluster()
    var two = reservation("core=1,walltime=0:1", at: 1000)
    two.arraySize = 2
    _ = try state.accept(two)
    #expect(throws: Refusal.self) {
      try state.accept(reservation("core=1,walltime=0:1", at: 2000))
    }
    _ = try state.accept(reservation("core=1,walltime=0:1", at: 2000), by: bob)
    var settings = try settings()
    settings.unlimitedReservationUsers = ["alice"]
    _ = try state.accept(reservation("core=1,walltime=0:1", at: 2000), as: settings)
    #expect(state.reserved.count == 4)
  }

  @Test("an end gives the walltime, and may not contradict one that is said")
  func end() throws {
    var state = smallCluster()
    var wanted = reservation("core=1", at: 1000)
    wanted.reservationEnd = 1090
    _ = try state.accept(wanted)
    #expect(state.jobs[1]?.walltime == 90)
    wanted.resources = ["core=1,walltime=1"]
    #expect(throws: Refusal.self) { try state.accept(wanted) }
  }

  @Test("a dry run tells whether it would be accepted, and nobody else is changed")
  func dryRun() throws {
    var state = smallCluster()
    _ = try state.accept(reservation("core=4,walltime=0:10", at: 1000))
    _ = try state.pass(at: 100)
    let good = try state.rehearse(
      reservation("core=4,walltime=0:10", at: 2000), by: alice, settings: settings(), at: 100
    ).plan()
    #expect(good.start == 2000 && good.hosts == ["node1", "node2"])
    let bad = try state.rehearse(
      reservation("core=4,walltime=0:10", at: 1100), by: alice, settings: settings(), at: 100
    ).plan()
    #expect(bad.start == nil && bad.explanation?.kind == "reservation")
    #expect(bad.explanation?.text == "This reservation could run at 1970-01-01 00:26:40")
    #expect(bad.explanation?.advice == "Another date or a smaller request may be accepted.")
    #expect(state.reserved == [1] && state.nextJob == 2)
  }
}

@Suite("Reservations that wait") struct KeptReservationTests {
  /// Cores 1 to 3 from 1000 to 1600.
  private func reserved() throws -> ClusterState {
    var state = smallCluster()
    _ = try state.accept(reservation("core=3,walltime=0:10", at: 1000))
    _ = try state.pass(at: 100)
    return state
  }

  @Test("passes over the front keep the promise, and other jobs run around it")
  func keptByFront() throws {
    var state = try reserved()
    for _ in 0..<(ClusterState.frontLength + 1) {
      _ = try state.accept(submission("core=2,walltime=0:20"))
    }
    #expect(try state.pass(at: 101, depth: .front).depth == .front)
    #expect(state.holding.isEmpty)
    #expect(try state.explain(2).plannedStart == 1600)
    #expect(state.predictions.contains { $0.start == 1000 && $0.resources == [1, 2, 3] })
  }

  @Test("it starts on its second with what it was promised")
  func start() throws {
    var state = try reserved()
    #expect(state.nextReservationDate(after: 100, patience: 300) == 1000)
    _ = try state.pass(at: 999)
    #expect(state.holding.isEmpty)
    let outcome = try state.pass(at: 1000)
    #expect(state.jobs[1]?.state == .toLaunch)
    #expect(state.jobs[1]?.assignedResources == [1, 2, 3])
    #expect(state.jobs[1]?.startTime == 1000 && state.jobs[1]?.walltime == 600)
    #expect(outcome.events.isEmpty)
    #expect(state.reserved.isEmpty)
    #expect(state.nextReservationDate(after: 1000, patience: 300) == nil)
  }

  @Test("one that starts late ends on time")
  func late() throws {
    var state = try reserved()
    let outcome = try state.pass(at: 1037)
    #expect(state.jobs[1]?.walltime == 563 && state.jobs[1]?.startTime == 1037)
    #expect(state.jobs[1]?.message == "R=3,W=0:9:23,J=R")
    #expect(outcome.events == ["REDUCE_RESERVATION_WALLTIME Change walltime from 600 to 563"])
    #expect(
      outcome.changes.contains {
        if case .jobWalltime(1, let moldable, 563) = $0 { moldable == 1 } else { false }
      })
  }

  @Test("it waits for lost resources as long as the site wants, then starts without them")
  func lost() throws {
    var state = try reserved()
    state.resources[2]?.state = .suspected
    _ = try state.pass(at: 999)
    let before = try state.explain(1, at: 999)
    #expect(
      before.text
        == "It is a reservation: it starts at 1970-01-01 00:16:40. 1 of its 3 resources are not there now."
    )
    #expect(before.advice == "It can start at the date that it was reserved for only.")
    _ = try state.pass(at: 1000)
    #expect(state.jobs[1]?.state == .waiting)
    let since = try state.explain(1, at: 1000)
    #expect(since.text.hasPrefix("It waits for resources that were lost"))
    #expect(
      since.advice
        == "It starts by itself as soon as it can, and ends on its date however late that is.")
    #expect(state.predictions.map(\.resources) == [[1, 2, 3]])
    #expect(state.gantt(from: 1000, to: 1100, at: 1000).map(\.resources) == [[1, 2, 3]])
    #expect(state.nextReservationDate(after: 1000, patience: 300) == 1300)
    let outcome = try state.pass(at: 1300)
    #expect(state.jobs[1]?.assignedResources == [1, 3])
    #expect(state.jobs[1]?.message == "R=2,W=0:5:0,J=R")
    #expect(
      outcome.events == [
        "REDUCE_RESERVATION_WALLTIME Change walltime from 600 to 300",
        "SCHEDULER_REDUCE_NB_RESSOURCES_FOR_RESERVATION Reduce the number of resources from 3 to 2",
      ])
  }

  @Test("resources that come back in time are used")
  func foundAgain() throws {
    var state = try reserved()
    state.resources[2]?.state = .suspected
    _ = try state.pass(at: 1000)
    state.resources[2]?.state = .alive
    _ = try state.pass(at: 1010)
    #expect(state.jobs[1]?.assignedResources == [1, 2, 3] && state.jobs[1]?.walltime == 590)
  }

  @Test("one that never could start is given up when its time is over")
  func expired() throws {
    var state = try reserved()
    for id in 1...3 { state.resources[id]?.state = .suspected }
    _ = try state.pass(at: 1599)
    #expect(state.jobs[1]?.state == .waiting)
    #expect(state.nextReservationDate(after: 1599, patience: 300) == 1600)
    _ = try state.pass(at: 1600)
    #expect(state.ended[1]?.state == .error)
    #expect(state.ended[1]?.message == "Reservation expired and couldn't be started.")
    #expect(state.predictions.isEmpty)
  }

  @Test("oardel gives it up, and its resources are for others")
  func deleted() throws {
    var state = try reserved()
    var outcome = Outcome()
    try state.act(.delete, on: 1, by: alice, settings: settings(), at: 200, &outcome)
    #expect(state.jobs[1] == nil && state.reserved.isEmpty && state.predictions.isEmpty)
    _ = try state.accept(submission("core=4,walltime=1"))
    _ = try state.pass(at: 201)
    #expect(state.holding == [2])
  }

  @Test("it can't be held")
  func held() throws {
    var state = try reserved()
    var outcome = Outcome()
    #expect(throws: Refusal.self) {
      try state.act(
        .hold(running: false), on: 1, by: alice, settings: settings(), at: 200, &outcome)
    }
    #expect(state.jobs[1]?.state == .waiting)
  }

  @Test("a server that starts again keeps it")
  func reloaded() throws {
    var stored = storedCluster()
    stored.jobs = [try #require(try reserved().jobs[1])]
    stored.nextJob = 2
    stored.nextMoldable = 2
    var state = ClusterState(stored: stored)
    #expect(state.predictions.map(\.resources) == [[1, 2, 3]])
    _ = try state.accept(submission("core=2,walltime=1"))
    _ = try state.pass(at: 500)
    #expect(try state.explain(2).plannedStart == 1600)
    _ = try state.pass(at: 1000)
    #expect(state.jobs[1]?.assignedResources == [1, 2, 3])
  }

  @Test("what an OAR server left half-way is brought to its end")
  func interrupted() throws {
    var stored = storedCluster()
    var states: [Job] = []
    for (id, state) in [(1, JobState.toAckReservation), (2, .toError)] {
      var job = try #require(try reserved().jobs[1])
      job = Job(
        id: id, arrayID: id, arrayIndex: 1, request: job.request, command: "true", state: state,
        queue: "default", types: [], submissionTime: 90, firstMoldableID: id, message: "R=3")
      job.reservation = .scheduled
      job.promised = [1, 2, 3]
      states.append(job)
    }
    stored.jobs = states
    var state = ClusterState(stored: stored)
    var outcome = Outcome()
    state.finishInterrupted(at: 100, &outcome)
    #expect(outcome.states == [.waiting, .error])
    #expect(state.reserved == [1])
  }

  @Test("a reservation without a command holds its resources until its walltime is over")
  func withoutCommand() throws {
    var state = smallCluster()
    var wanted = reservation("core=1,walltime=0:10", at: 50)
    wanted.command = ""
    _ = try state.accept(wanted)
    _ = try state.pass(at: 100)
    let job = try #require(state.jobs[1])
    let specification = try state.specification(
      of: job, attempt: AttemptID(job: 1, number: 1), head: "node1", terminal: nil,
      settings: settings())
    #expect(specification.command == "exec sleep infinity")
  }
}

@Suite("Reservations of a server") struct ReservationStageTests {
  @Test("one from now on is accepted, told, started, and ends well when its time is over")
  func now() async throws {
    let stage = try await Stage()
    await stage.connect("node1")
    await stage.connect("node2")
    let client = try await PlayedClient.connect(to: stage, as: alice)
    var wanted = submission("core=1,walltime=0:10")
    wanted.reservationStart = Controller.now
    wanted.command = ""
    try await client.send(.submit(wanted))
    guard case .submitted(let result) = try await client.receive() else {
      Issue.record("not submitted")
      return
    }
    await stage.settle()
    #expect(await stage.state(of: result.first) == .launching)
    try await client.send(.follow(JobSelection(ids: [result.first])))
    guard case .notice(let notice) = try await client.receive() else {
      Issue.record("no notice")
      return
    }
    #expect(notice.reservation == .scheduled)
    let attempt = AttemptID(job: result.first, number: 1)
    await stage.report(.attempt(attempt, .running(pid: 7, since: Controller.now)), from: "node1")
    await stage.report(
      .attempt(attempt, .ended(status: 15, cause: .walltime, at: Controller.now)), from: "node1")
    let ends = await stage.store.written.compactMap { change -> JobState? in
      if case .jobEnded(_, let state, _, _) = change { state } else { nil }
    }
    #expect(ends == [.terminated])
    await stage.end()
  }

  @Test("the server wakes for the next date of a reservation")
  func awaited() async throws {
    let stage = try await Stage()
    let start = Controller.now + 5000
    await stage.act { controller in
      var outcome = Outcome()
      var wanted = submission("core=1,walltime=0:10")
      wanted.reservationStart = start
      _ = try? controller.state.submit(
        wanted, by: alice, settings: controller.settings, at: Controller.now, &outcome)
      controller.commit(outcome)
    }
    #expect(await stage.act { $0.awaitedReservation } == start)
    await stage.act { $0.planReservations(at: start - 1) }
    #expect(await stage.act { $0.awaitedReservation } == start)
    await stage.end()
  }
}
