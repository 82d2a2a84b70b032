// Jobs that come when the others are planned are planned alone, where that is as good as a whole pass.

import ClusterModel
import Testing
import Wire

@testable import Controller

@Suite("Passes over newcomers") struct NewcomerTests {
  /// A cluster on which one job runs and another waits for it until 3700.
  private func busyCluster() throws -> ClusterState {
    var state = smallCluster()
    _ = try state.accept(submission("host=2,walltime=1"))
    _ = try state.accept(submission("host=2,walltime=1"))
    #expect(try state.pass(at: 100, depth: .whole).depth == .whole)
    #expect(state.jobs[1]?.state == .toLaunch)
    return state
  }

  @Test("a job that comes last is planned alone, at the place that a whole pass gives it")
  func joins() throws {
    var state = try busyCluster()
    let newcomer = try state.accept(submission("core=1,walltime=1")).first
    #expect(try state.pass(at: 160, depth: .front).depth == .newcomers)
    let alone = try #require(state.explain(newcomer).plannedStart)
    let second = try state.accept(submission("core=1,walltime=1")).first
    #expect(try state.pass(at: 161, depth: .front).depth == .newcomers)
    #expect(try state.explain(second).plannedStart == alone)

    state.needsPlan = true
    #expect(try state.pass(at: 162, depth: .whole).depth == .whole)
    #expect(try state.explain(newcomer).plannedStart == alone)
    #expect(try state.explain(second).plannedStart == alone)
  }

  @Test("a newcomer for whom something is free starts at once")
  func starts() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=1,walltime=1"))
    _ = try state.pass(at: 100)
    let newcomer = try state.accept(submission("core=1,walltime=1")).first
    #expect(try state.pass(at: 130, depth: .front).depth == .newcomers)
    #expect(state.jobs[newcomer]?.state == .toLaunch)
    #expect(state.jobs[newcomer]?.startTime == 130)
  }

  @Test("after anything else than a submission, all are planned again")
  func otherChanges() throws {
    var state = try busyCluster()
    var outcome = Outcome()
    state.end(1, as: .terminated, status: 0, at: 150, &outcome)
    _ = try state.accept(submission("core=1,walltime=1"))
    #expect(try state.pass(at: 160, depth: .whole).depth == .whole)
    #expect(state.jobs[2]?.state == .toLaunch)
  }

  @Test("jobs of queues of one priority are planned as they came, whichever queue they came to")
  func equalQueues() throws {
    var state = smallCluster()
    state.queues.append(Queue(name: "another", priority: 2))
    _ = try state.accept(submission("host=2,walltime=1"))
    var other = submission("host=2,walltime=1")
    other.queue = "another"
    _ = try state.accept(other)
    _ = try state.accept(submission("host=2,walltime=1"))
    _ = try state.pass(at: 100)
    let starts = try [2, 3].map { try #require(state.explain($0).plannedStart) }
    #expect(starts[0] < starts[1])
  }
}
