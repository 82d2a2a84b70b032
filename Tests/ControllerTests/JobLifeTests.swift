// The states that a job goes through, decided in memory.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

@Suite("The life of a job") struct JobLifeTests {
  @Test("a job starts in the pass after it is durable, not before")
  func durableFirst() throws {
    var state = smallCluster()
    var outcome = Outcome()
    _ = try state.submit(submission("core=1"), by: alice, settings: settings(), at: 100, &outcome)
    #expect(try state.pass(at: 100).effects.isEmpty)
    state.durableBelow = state.nextJob
    let started = try state.pass(at: 101)
    #expect(state.jobs[1]?.state == .toLaunch)
    guard case .launch(1)? = started.effects.first else {
      Issue.record("the job is not launched")
      return
    }
  }

  @Test("no resource is given twice, and the next job waits with a reason and a date")
  func exclusive() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=2,walltime=0:10"))
    _ = try state.accept(submission("core=1,walltime=0:10"))
    _ = try state.pass(at: 100)
    #expect(state.jobs[1]?.assignedResources.sorted() == [1, 2, 3, 4])
    #expect(state.jobs[2]?.state == .waiting)
    let why = try state.explain(2)
    #expect(why.blockers == [1])
    #expect(why.plannedStart == 700)
  }

  @Test("a waiting job that is deleted ends at once in Error, with OAR's events")
  func deleteWaiting() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    var outcome = Outcome()
    try state.act(.delete, on: 1, by: alice, settings: settings(), at: 105, &outcome)
    #expect(state.jobs[1] == nil)
    #expect(state.ended[1]?.state == .error)
    #expect(state.ended[1]?.message == "Job killed by Leon directly")
    #expect(events(outcome) == ["FRAG_JOB_REQUEST"])
  }

  @Test("a running job that is deleted keeps its resources until its host says that it ended")
  func deleteRunning() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    _ = try state.pass(at: 100)
    var outcome = Outcome()
    try state.act(.delete, on: 1, by: alice, settings: settings(), at: 105, &outcome)
    #expect(state.jobs[1]?.state == .toLaunch)
    #expect(state.holding == [1])
    #expect(events(outcome) == ["FRAG_JOB_REQUEST", "SEND_KILL_JOB"])
    let error = #expect(throws: Refusal.self) {
      try state.act(.delete, on: 1, by: alice, settings: settings(), at: 106, &outcome)
    }
    #expect(error?.kind == .alreadyAsked)
  }

  @Test("others may not touch a job; root may") func ownership() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    var outcome = Outcome()
    let error = #expect(throws: Refusal.self) {
      try state.act(.delete, on: 1, by: bob, settings: settings(), at: 105, &outcome)
    }
    #expect(error?.kind == .notOwner)
    #expect(error?.message == "job 1 belongs to alice; you are bob")
    try state.act(.delete, on: 1, by: root, settings: settings(), at: 105, &outcome)
    #expect(state.jobs[1] == nil)
  }

  @Test("a held job is not planned until it is resumed") func hold() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    var outcome = Outcome()
    try state.act(.hold(running: false), on: 1, by: alice, settings: settings(), at: 1, &outcome)
    _ = try state.pass(at: 100)
    #expect(state.jobs[1]?.state == .hold)
    try state.act(.resume, on: 1, by: alice, settings: settings(), at: 101, &outcome)
    _ = try state.pass(at: 102)
    #expect(state.jobs[1]?.state == .toLaunch)
  }

  @Test("time spent suspended does not count against the walltime") func suspended() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=2,walltime=0:10"))
    _ = try state.accept(submission("core=1,walltime=0:10"))
    _ = try state.pass(at: 100)
    var outcome = Outcome()
    state.move(1, to: .launching, at: 100, &outcome)
    state.move(1, to: .running, at: 100, &outcome)
    try state.act(.hold(running: true), on: 1, by: root, settings: settings(), at: 200, &outcome)
    try state.act(.resume, on: 1, by: root, settings: settings(), at: 500, &outcome)
    _ = try state.pass(at: 500)
    #expect(try state.explain(2).plannedStart == 100 + 600 + 300)
  }

  @Test("others use the resources of a suspended job, which goes on when they are done")
  func lentResources() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=2,walltime=0:10"))
    _ = try state.pass(at: 100)
    var outcome = Outcome()
    state.move(1, to: .launching, at: 100, &outcome)
    state.move(1, to: .running, at: 100, &outcome)
    try state.act(.hold(running: true), on: 1, by: root, settings: settings(), at: 200, &outcome)
    _ = try state.accept(submission("core=1,walltime=0:1"))
    _ = try state.pass(at: 201)
    #expect(state.jobs[2]?.state == .toLaunch)
    try state.act(.resume, on: 1, by: root, settings: settings(), at: 202, &outcome)
    _ = try state.pass(at: 202)
    #expect(state.jobs[1]?.state == .resuming)
    state.end(2, as: .terminated, status: 0, at: 250, &outcome)
    _ = try state.pass(at: 250)
    #expect(state.jobs[1]?.state == .running)
    #expect(state.jobs[1]?.suspendedSeconds == 50)
  }

  @Test("of two suspended jobs that want the same resources, the older goes on first")
  func bothResume() throws {
    var state = smallCluster()
    var outcome = Outcome()
    for id in 1...2 {
      _ = try state.accept(submission("host=2,walltime=0:10"))
      _ = try state.pass(at: 100)
      state.move(id, to: .launching, at: 100, &outcome)
      state.move(id, to: .running, at: 100, &outcome)
      try state.act(.hold(running: true), on: id, by: root, settings: settings(), at: 200, &outcome)
    }
    for id in 1...2 {
      try state.act(.resume, on: id, by: root, settings: settings(), at: 300, &outcome)
    }
    _ = try state.pass(at: 300)
    #expect((1...2).map { state.jobs[$0]?.state } == [.running, .resuming])
    state.end(1, as: .terminated, status: 0, at: 310, &outcome)
    _ = try state.pass(at: 310)
    #expect(state.jobs[2]?.state == .running)
  }

  @Test("a job that a user deleted is no victim of the plan") func deletedVictim() throws {
    var state = smallCluster()
    var lowly = submission("host=2,walltime=1")
    lowly.types = ["besteffort", "idempotent"]
    _ = try state.accept(lowly)
    _ = try state.pass(at: 100)
    var outcome = Outcome()
    try state.act(.delete, on: 1, by: alice, settings: settings(), at: 101, &outcome)
    _ = try state.accept(submission("core=1"), by: bob)
    _ = try state.pass(at: 102)
    #expect(state.victims.isEmpty)
  }

  @Test("a besteffort job is ended for one that needs its place") func besteffort() throws {
    var state = smallCluster()
    var lowly = submission("host=2,walltime=1")
    lowly.types = ["besteffort"]
    _ = try state.accept(lowly)
    _ = try state.pass(at: 100)
    #expect(state.jobs[1]?.state == .toLaunch)
    _ = try state.accept(submission("core=1"), by: bob)
    let outcome = try state.pass(at: 101)
    #expect(events(outcome) == ["BESTEFFORT_KILL", "FRAG_JOB_REQUEST", "SEND_KILL_JOB"])
    #expect(state.jobs[2]?.state == .waiting)
    var end = Outcome()
    state.end(1, as: .error, status: 15, at: 102, &end)
    _ = try state.pass(at: 102)
    #expect(state.jobs[2]?.state == .toLaunch)
  }

  @Test("a job waits for the one it depends on, however that ends") func dependency() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    var second = submission("core=1")
    second.dependencies = [1]
    _ = try state.accept(second)
    _ = try state.pass(at: 100)
    #expect(state.jobs[2]?.state == .waiting)
    #expect(try state.explain(2).kind == "dependency")
    var outcome = Outcome()
    state.end(1, as: .error, status: nil, at: 110, &outcome)
    _ = try state.pass(at: 111)
    #expect(state.jobs[2]?.state == .toLaunch)
  }

  @Test("a step that the state machine does not know is ignored") func impossibleStep() throws {
    var state = smallCluster()
    _ = try state.accept(submission("core=1"))
    var outcome = Outcome()
    state.move(1, to: .running, at: 101, &outcome)
    #expect(state.jobs[1]?.state == .waiting)
    #expect(outcome.changes.isEmpty)
  }

  private func events(_ outcome: Outcome) -> [String] {
    outcome.changes.compactMap { if case .event(let event) = $0 { event.type } else { nil } }
  }
}

@Suite("Resources") struct ResourceTests {
  @Test("a host that is suspected starts no job, and is healed only if the server suspected it")
  func suspected() throws {
    var state = smallCluster()
    var outcome = Outcome()
    state.suspectHosts(["node1"], at: 50, &outcome)
    _ = try state.accept(submission("core=1"))
    _ = try state.pass(at: 100)
    #expect(state.jobs[1].map { state.hosts(of: $0.assignedResources) } == ["node2"])
    state.setState(of: [3], to: .suspected, byServer: false, at: 101, &outcome)
    state.healHost("node1", at: 102, &outcome)
    state.healHost("node2", at: 102, &outcome)
    #expect(state.resources[1]?.state == .alive)
    #expect(state.resources[3]?.state == .suspected)
  }

  @Test("jobs end when their resources are set Absent") func absent() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=2"))
    _ = try state.pass(at: 100)
    var outcome = Outcome()
    var setting = ResourceSetting()
    setting.state = .absent
    let result = try state.set(
      setting, on: state.select(ResourceSelection(hosts: ["node1"])), at: 101, &outcome)
    #expect(result.endedJobs == [1])
    #expect(state.jobs[1]?.deletionAsked == 101)
  }

  @Test("a property must have a good name, and a value of its kind") func properties() throws {
    var state = smallCluster()
    var outcome = Outcome()
    for name in ["1st", "a-b", "state", "host", "", "x; drop table jobs"] {
      #expect(throws: Refusal.self) {
        try state.change(
          .add(PropertyDefinition(name: name, kind: .text)), &outcome)
      }
    }
    try state.change(.add(PropertyDefinition(name: "gpu", kind: .integer)), &outcome)
    var setting = ResourceSetting()
    setting.properties = [("gpu", "many")]
    let error = #expect(throws: Refusal.self) {
      try state.set(setting, on: state.select(ResourceSelection(ids: [1])), at: 1, &outcome)
    }
    #expect(error?.message == "gpu=many: it must be a whole number")
    setting.properties = [("gpu", "2")]
    let result = try state.set(
      setting, on: state.select(ResourceSelection(ids: [1, 2])), at: 1, &outcome)
    #expect(result.updated == [2])
    #expect(state.resources[2]?.properties["gpu"] == .integer(2))
  }

  @Test("a maintenance gives back what it found") func maintenance() throws {
    var state = smallCluster()
    var outcome = Outcome()
    var setting = ResourceSetting()
    setting.maintenance = true
    let one = try state.select(ResourceSelection(ids: [1]))
    _ = try state.set(setting, on: one, at: 1, &outcome)
    #expect(state.resources[1]?.state == .absent)
    #expect(state.resources[1]?.availableUpto == 0)
    setting.maintenance = false
    _ = try state.set(setting, on: one, at: 2, &outcome)
    #expect(state.resources[1]?.state == .alive)
    #expect(state.resources[1]?.availableUpto == endOfTime)
  }
}

@Suite("The waiting line") struct WaitingLineTests {
  private func first(
    _ limit: Int, of line: inout WaitingLine, _ standing: (JobID) -> WaitingLine.Standing
  ) -> [JobID] {
    var chosen: [JobID] = []
    line.visit(limit) { id in
      let standing = standing(id)
      if standing == .chosen { chosen.append(id) }
      return standing
    }
    return chosen
  }

  @Test("jobs come in order of submission, without those that are gone") func order() {
    var line = WaitingLine()
    for id in [1, 2, 3, 5, 4] { line.append(id) }
    let chosen = first(3, of: &line) { $0 == 2 ? .gone : $0 == 3 ? .passedOver : .chosen }
    #expect(chosen == [1, 4, 5])
  }

  @Test("a long line of jobs that are gone is shortened and loses none", arguments: [[], [1]])
  func compaction(before: [JobID]) {
    var line = WaitingLine()
    for id in 1...20_000 { line.append(id) }
    let look: (JobID) -> WaitingLine.Standing = {
      before.contains($0) || $0 >= 19_999 ? .chosen : .gone
    }
    #expect(first(9, of: &line, look) == before + [19_999, 20_000])
    line.append(20_001)
    #expect(first(9, of: &line, look) == before + [19_999, 20_000, 20_001])
  }
}
