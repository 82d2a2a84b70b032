// The way of a job over its hosts: servers that were killed, hosts that go and come, hosts that are silent.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

private let first = AttemptID(job: 1, number: 1)
private let running = AttemptStatus.running(pid: 7, since: 1000)

private func ended(_ status: Int = 0, _ cause: EndCause = .command) -> AttemptStatus {
  .ended(status: status, cause: cause, at: 1100)
}

/// Lets the time of hosts pass for the server.
private let muchLater = EventLoop.monotonicNanoseconds + 1_000_000_000_000

@Suite("Jobs on their hosts") struct HostTests {
  // MARK: Going on after the server was killed

  @Test("a job that was to be launched is started once its host says that it has not begun")
  func startedAgain() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1], .toLaunch)])
    await stage.connect("node1")
    #expect(await stage.said() == ["node1: start 1.1", "node1: retain [1]"])
    await stage.report(.attempt(first, running), from: "node1")
    #expect(await stage.state(of: 1) == .running)
    await stage.report(.attempt(first, ended()), from: "node1")
    #expect(await stage.state(of: 1) == nil)
    #expect(await stage.said() == ["node1: acknowledge 1.1"])
    await stage.end()
  }

  @Test("a job over two hosts that may have begun is not started a second time")
  func notTwice() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .launching)])
    await stage.connect("node2")
    await stage.report(.prepared(1), from: "node2")
    #expect(await stage.said() == ["node2: prepare 1", "node2: retain [1]"])
    await stage.connect("node1", [first: running])
    #expect(await stage.state(of: 1) == .running)
    #expect(await stage.said() == ["node1: retain [1]"])
    await stage.end()
  }

  @Test("a deleted job that may run on a host keeps its resources until the host was asked")
  func deletedWhileUncertain() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .launching)])
    await stage.connect("node2")
    await stage.act { controller in
      var outcome = Outcome()
      controller.state.requestEnd(of: 1, asker: "alice", at: 1050, &outcome)
      controller.commit(outcome)
    }
    #expect(await stage.state(of: 1) == .launching)
    await stage.connect("node1", [first: running])
    #expect(await stage.said().contains("node1: kill 1.1"))
    await stage.end()
  }

  @Test("a host that fails to prepare a job ends it only after the first host was asked")
  func prepareFailedWhileUncertain() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .launching)])
    await stage.connect("node2")
    await stage.report(.prepareFailed(1, "no cgroup"), from: "node2")
    #expect(await stage.state(of: 1) == .launching)
    #expect(await stage.submitted().isEmpty)
    await stage.connect("node1")
    #expect(await stage.state(of: 1) == nil)
    #expect(await stage.submitted() == [2: 1])
    await stage.end()
  }

  @Test(
    "an idempotent job over two hosts is repeated once, though the server dies while they clean up")
  func repeatedOnce() async throws {
    let job = heldJob(1, on: [1, 3], .finishing, types: ["idempotent"])
    let stage = try await Stage(jobs: [job])
    await stage.connect("node2")
    await stage.connect("node1", [first: .ended(status: 99 << 8, cause: .command, at: 1100)])
    #expect(await stage.submitted().isEmpty)
    #expect(await stage.events().isEmpty)
    await stage.report(.released(1), from: "node2")
    #expect(await stage.submitted() == [2: 1])
    #expect(await stage.state(of: 1) == nil)
    await stage.end()
  }

  @Test("a besteffort job that was giving way when the server died is still submitted again")
  func victimSurvives() async throws {
    let job = heldJob(
      1, on: [1], .running, types: ["besteffort", "idempotent"], deletionAsked: 1050)
    var record = ClusterState(stored: storedCluster()).record(of: job)
    record.events = [JobEvent("BESTEFFORT_KILL", job: 1, at: 1050, "")]
    let stage = try await Stage(jobs: [job], past: [record])
    await stage.connect("node1", [first: running])
    #expect(await stage.said().contains("node1: kill 1.1"))
    await stage.report(.attempt(first, ended(15, .killed)), from: "node1")
    #expect(await stage.submitted() == [2: 1])
    await stage.end()
  }

  @Test("a deleted noop job ends though the server died before it was written")
  func noop() async throws {
    let job = heldJob(1, on: [1], .running, types: ["noop"], deletionAsked: 1050)
    let stage = try await Stage(jobs: [job])
    #expect(await stage.state(of: 1) == nil)
    await stage.end()
  }

  // MARK: Hosts that go and come

  @Test("a lost host beside the first ends a job that is starting only when its command is gone")
  func lostWhileStarting() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .toLaunch)])
    await stage.connect("node1")
    await stage.connect("node2")
    await stage.report(.prepared(1), from: "node2")
    _ = await stage.said()
    await stage.act { controller in
      guard let execution = controller.executions[1] else { return }
      controller.lose("node2", of: 1, execution, at: 1050)
    }
    #expect(await stage.said() == ["node1: kill 1.1"])
    #expect(await stage.state(of: 1) != nil)
    await stage.report(.attempt(first, ended(15, .killed)), from: "node1")
    #expect(await stage.events().contains("PING_CHECKER_NODE_SUSPECTED_END_JOB"))
    await stage.end()
  }

  @Test("a doomed job is killed when its first host comes back") func doomed() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .running)])
    await stage.connect("node1", [first: running])
    await stage.disconnect("node1")
    await stage.act { controller in
      guard let execution = controller.executions[1] else { return }
      controller.lose("node2", of: 1, execution, at: 1050)
    }
    _ = await stage.said()
    await stage.connect("node1", [first: running])
    #expect(await stage.said().contains("node1: kill 1.1"))
    await stage.end()
  }

  @Test("a host that comes back hears again that a job is suspended, or is not any more")
  func suspension() async throws {
    var suspended = heldJob(1, on: [1], .suspended)
    suspended.wasSuspended = true
    var resumed = heldJob(2, on: [3], .running)
    resumed.wasSuspended = true
    let stage = try await Stage(jobs: [suspended, resumed])
    await stage.connect("node1", [first: running])
    #expect(await stage.said() == ["node1: suspend 1", "node1: retain [1]"])
    await stage.connect("node2", [AttemptID(job: 2, number: 1): running])
    #expect(await stage.said() == ["node2: resume 2", "node2: retain [2]"])
    await stage.end()
  }

  @Test("a job that ran and whose host knows no more of it is lost, not launched again")
  func lostAttempt() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1], .running)])
    await stage.connect("node1", [first: .failed(.host, "the spool can't be read")])
    #expect(await stage.state(of: 1) == nil)
    #expect(await stage.submitted().isEmpty)
    #expect(await stage.events().contains("EXTERMINATE_JOB"))
    await stage.end()
  }

  @Test("what runs on a lost host is killed when it comes back, and the host is healed after that")
  func healed() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1], .running)])
    await stage.act { controller in
      var outcome = Outcome()
      controller.state.suspectHosts(["node1"], at: 1040, &outcome)
      controller.commit(outcome)
      guard let execution = controller.executions[1] else { return }
      controller.lose("node1", of: 1, execution, at: 1050)
    }
    #expect(await stage.state(of: 1) == nil)
    await stage.connect("node1", [first: running])
    #expect(await stage.said() == ["node1: kill 1.1", "node1: retain []"])
    #expect(await stage.act { $0.state.resources[1]?.state } == .suspected)
    await stage.report(.retained, from: "node1")
    #expect(await stage.act { $0.state.resources[1]?.state } == .alive)
    await stage.end()
  }

  // MARK: Hosts that are connected and do not answer

  @Test("a host that never says that it is clean is suspected, and the job ends")
  func neverReleased() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .running)])
    await stage.connect("node2")
    await stage.connect("node1", [first: ended()])
    #expect(await stage.state(of: 1) == .finishing)
    await stage.act { $0.endWaits(at: muchLater, 1200) }
    #expect(await stage.state(of: 1) == nil)
    #expect(await stage.act { $0.state.resources[3]?.state } == .suspected)
    #expect(await stage.act { $0.state.resources[1]?.state } == .alive)
    await stage.end()
  }

  @Test("a host that never prepares a job is suspected, and the job is submitted again")
  func neverPrepared() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1, 3], .toLaunch)])
    await stage.connect("node1")
    await stage.connect("node2")
    await stage.act { $0.endWaits(at: muchLater, 1200) }
    #expect(await stage.submitted() == [2: 1])
    #expect(await stage.act { $0.state.resources[3]?.state } == .suspected)
    #expect(await stage.said().contains("node1: release 1"))
    await stage.end()
  }

  @Test("a command that can't be killed gives its host away, not the server")
  func neverEnds() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1], .running, deletionAsked: 1050)])
    await stage.connect("node1", [first: running])
    await stage.act { $0.endWaits(at: muchLater, 1200) }
    #expect(await stage.state(of: 1) == nil)
    #expect(await stage.act { $0.state.resources[1]?.state } == .suspected)
    await stage.end()
  }

  @Test("a wait that was answered ends nothing") func answeredWait() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1], .toLaunch)])
    await stage.connect("node1")
    await stage.report(.attempt(first, running), from: "node1")
    await stage.act { $0.endWaits(at: muchLater, 1200) }
    #expect(await stage.state(of: 1) == .running)
    await stage.end()
  }
}
