// Besteffort jobs of a server give way: what they are told, when, and what a restart keeps of it.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

/// A cluster whose job 1 is a besteffort job that runs everywhere, and saves its work for 30 s.
private func occupiedCluster() throws -> ClusterState {
  var state = smallCluster()
  var lowly = submission("host=2,walltime=1")
  lowly.types = ["besteffort"]
  lowly.checkpoint = 30
  lowly.checkpointSignal = 10
  _ = try state.accept(lowly)
  _ = try state.pass(at: 100)
  var outcome = Outcome()
  state.move(1, to: .launching, at: 100, &outcome)
  state.move(1, to: .running, at: 100, &outcome)
  return state
}

@Suite("Besteffort jobs that give way") struct GivingWayTests {
  private func events(_ outcome: Outcome) -> [String] {
    outcome.changes.compactMap { if case .event(let event) = $0 { event.type } else { nil } }
  }

  private func signals(_ outcome: Outcome) -> [Int] {
    outcome.effects.compactMap { if case .signal(1, let number) = $0 { number } else { nil } }
  }

  @Test("one that can save its work is told to, has the time for it, and is ended then")
  func saving() throws {
    var state = try occupiedCluster()
    _ = try state.accept(submission("core=1"), by: bob)
    let told = try state.pass(at: 200)
    #expect(events(told) == ["CHECKPOINT"])
    #expect(signals(told) == [10])
    #expect(state.jobs[1]?.checkpointedAt == 200)
    #expect(state.nextLook == 230)
    #expect(state.jobs[2]?.state == .waiting)
    let why = try state.explain(2, at: 200)
    #expect(why.text.contains("may save their work until"))
    #expect(why.blockers == [1] && why.blockerEnds == [230])

    let meanwhile = try state.pass(at: 229)
    #expect(events(meanwhile).isEmpty && meanwhile.effects.isEmpty)

    let over = try state.pass(at: 230)
    #expect(events(over) == ["BESTEFFORT_KILL", "FRAG_JOB_REQUEST", "SEND_KILL_JOB"])
    #expect(state.victims == [1])
    #expect(state.nextLook == nil)
  }

  @Test("one that has not begun to run is ended at once") func notRunning() throws {
    var state = try occupiedCluster()
    state.jobs[1]?.state = .launching
    _ = try state.accept(submission("core=1"), by: bob)
    #expect(events(try state.pass(at: 200)).first == "BESTEFFORT_KILL")
  }

  @Test("a job that was told long ago and went on is told anew") func toldAnew() throws {
    var state = try occupiedCluster()
    state.jobs[1]?.checkpointedAt = 200
    _ = try state.accept(submission("core=1"), by: bob)
    #expect(events(try state.pass(at: 1000)) == ["CHECKPOINT"])
    #expect(state.jobs[1]?.checkpointedAt == 1000)
  }

  @Test("a checkpoint that a user asked for is none of the planner's") func usersCheckpoint() throws
  {
    var state = try occupiedCluster()
    var asked = Outcome()
    try state.act(.checkpoint, on: 1, by: alice, settings: settings(), at: 110, &asked)
    #expect(events(asked) == ["CHECKPOINT"] && signals(asked) == [10])
    _ = try state.accept(submission("core=1"), by: bob)
    #expect(events(try state.pass(at: 200)) == ["CHECKPOINT"])
    #expect(state.jobs[1]?.checkpointedAt == 200)
  }

  @Test("a pass over the front forgets no instant at which to look again") func frontPass() throws {
    var state = try occupiedCluster()
    state.nextLook = 150
    _ = try state.accept(submission("core=1"), by: bob)
    var many = submission("core=1")
    many.arraySize = 100
    _ = try state.accept(many, by: bob)
    #expect(try state.pass(at: 140, depth: .front).depth == .front)
    #expect(state.nextLook == 150)
    _ = try state.pass(at: 145)
    #expect(state.nextLook == 170)
  }

  @Test("time alone brings about the pass at which a job's time to save its work is over")
  func timePasses() throws {
    var state = try occupiedCluster()
    state.nextLook = 230
    state.needsPlan = false
    state.heedTime(229)
    #expect(!state.needsPlan)
    state.heedTime(230)
    #expect(state.needsPlan && state.nextLook == nil)
  }

  @Test("after a restart, what a job was told still counts") func restart() async throws {
    var job = heldJob(1, on: [1, 2, 3, 4], .running, types: ["besteffort"])
    job.request = JobRequest(
      user: "alice", moldables: job.request.moldables, directory: "/", checkpoint: 600)
    var record = ClusterState(stored: storedCluster()).record(of: job)
    record.events = [
      JobEvent("CHECKPOINT", job: 1, at: 1050, "[MetaSched] checkpoint of the besteffort job 1"),
      JobEvent("CHECKPOINT", job: 1, at: 1070, "checkpoint of job 1"),
    ]
    let stage = try await Stage(jobs: [job], past: [record])
    #expect(await stage.act { $0.state.jobs[1]?.checkpointedAt } == 1050)
    await stage.end()
  }
}

@Suite("Rules of a site") struct SiteRuleTests {
  /// A cluster with a fifth resource, on a host of its own, that every job gets.
  private func frontalCluster() -> ClusterState {
    var state = smallCluster()
    var frontal = Resource(id: 0)
    frontal.networkAddress = "front"
    frontal.type = "frontal"
    state.resources[0] = frontal
    return state
  }

  @Test("what every job gets is on its last host, and keeps no other from starting or going on")
  func alwaysAssigned() throws {
    var state = frontalCluster()
    let site = try settings(
      "SCHEDULER_JOB_SECURITY_TIME=0\nSCHEDULER_RESOURCES_ALWAYS_ASSIGNED_TYPE=frontal")
    for _ in 1...2 { _ = try state.accept(submission("host=1,walltime=1"), as: site) }
    _ = try state.pass(at: 100, depth: .whole, as: site)
    #expect(state.holding == [1, 2])
    #expect(state.jobs[1]?.assignedResources == [0, 1, 2])
    #expect(state.jobs[1].map { state.hosts(of: $0.assignedResources) } == ["node1", "front"])
    var outcome = Outcome()
    for next in [JobState.launching, .running] { state.move(1, to: next, at: 100, &outcome) }
    try state.act(.hold(running: true), on: 1, by: root, settings: site, at: 110, &outcome)
    try state.act(.resume, on: 1, by: root, settings: site, at: 120, &outcome)
    _ = try state.pass(at: 120, depth: .whole, as: site)
    #expect(state.jobs[1]?.state == .running)
  }

  @Test("a suspended job keeps the resources of types that the site does not name")
  func suspended() throws {
    var state = smallCluster()
    _ = try state.accept(submission("host=2,walltime=1"))
    _ = try state.pass(at: 100)
    var outcome = Outcome()
    for next in [JobState.launching, .running] { state.move(1, to: next, at: 100, &outcome) }
    try state.act(.hold(running: true), on: 1, by: root, settings: settings(), at: 110, &outcome)
    _ = try state.accept(submission("core=1"), by: bob)
    let strict = try settings(
      "SCHEDULER_JOB_SECURITY_TIME=0\nSCHEDULER_AVAILABLE_SUSPENDED_RESOURCE_TYPE=license")
    _ = try state.pass(at: 120, depth: .whole, as: strict)
    #expect(state.holding == [1])
    _ = try state.pass(at: 130)
    #expect(state.holding == [1, 2])
  }

  @Test("passes are as far apart as the site wants") func passInterval() throws {
    #expect(try settings().passInterval == 0)
    #expect(try settings("SCHEDULER_MIN_TIME_BETWEEN_2_CALLS=5").passInterval == 5)
    #expect(throws: ConfigurationError.self) {
      try settings("SCHEDULER_MIN_TIME_BETWEEN_2_CALLS=often")
    }
  }

  @Test("ALL in quotas counts dead resources if the site wants that") func quotas() throws {
    let file = try TemporaryFile(#"{"quotas": {"*,*,*,/": ["ALL", -1, -1]}}"#)
    var state = smallCluster()
    state.resources[1]?.state = .dead
    let site = try settings(
      "QUOTAS=yes\nQUOTAS_CONF_FILE=\(file.path)\nQUOTAS_ALL_NB_RESOURCES_MODE=all")
    #expect(state.quotas(site)?.ruleSets[0].rules[0].limits.resources == 4)
  }
}
