// How far a pass looks, and what it keeps of the last whole one.

import ClusterModel
import Testing
import Wire

@testable import Controller

@Suite("Passes over the front of the waiting jobs") struct PassDepthTests {
  @Test("a pass over the front that sees all waiting jobs is a whole one")
  func allSeen() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    let pass = try state.pass(at: 100, depth: .front)
    #expect(pass.depth == .whole)
    #expect(state.jobs[1]?.state == .toLaunch)
  }

  @Test("a pass over the front starts the first jobs and keeps what was planned behind them")
  func keepsPredictions() throws {
    var state = smallCluster()
    var many = submission("host=2,walltime=0:1")
    many.arraySize = ClusterState.frontLength + 10
    let array = try state.accept(many)
    _ = try state.pass(at: 100)
    let last = array.first + array.count - 1
    let planned = try #require(state.explain(last).plannedStart)

    var outcome = Outcome()
    state.end(array.first, as: .terminated, status: 0, at: 110, &outcome)
    let pass = try state.pass(at: 110, depth: .front)
    #expect(pass.depth == .front)
    #expect(state.jobs[array.first + 1]?.state == .toLaunch)
    let why = try state.explain(array.first + 1)
    #expect(why.kind == "none" && why.text == "it waits for nothing")
    #expect(try state.explain(array.first + 2).plannedStart == 170)
    #expect(try state.explain(last).plannedStart == planned)

    #expect(try state.pass(at: 110, depth: .whole).depth == .whole)
    #expect(try state.explain(last).plannedStart == planned - 50)
  }

  @Test("no job of a lesser queue passes a full front of a better one")
  func queuesKeepTheirRank() throws {
    var state = smallCluster()
    var first = submission("host=2,walltime=0:1")
    first.arraySize = ClusterState.frontLength + 10
    _ = try state.accept(first)
    _ = try state.pass(at: 100)
    var lesser = submission("core=1,walltime=0:1")
    lesser.queue = "besteffort"
    lesser.types = ["besteffort"]
    let behind = try state.accept(lesser)
    var outcome = Outcome()
    for id in state.holding { state.end(id, as: .terminated, status: 0, at: 110, &outcome) }
    _ = try state.pass(at: 110, depth: .front)
    #expect(state.jobs[behind.first]?.state == .waiting)
  }
}
