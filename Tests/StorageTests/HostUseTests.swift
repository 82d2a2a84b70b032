// Who has which hosts, as a lender of another server's hosts reads it.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import Storage

@Suite("Who has which hosts", .onEachStore)
struct HostUseTests {
  let place: Place
  let store: DatabaseStorage

  init() async throws {
    place = try Place()
    store = try await newStore(in: place)
    try await store.commit([
      .resourceAdded(sampleResource(1, host: "node1")),
      .resourceAdded(sampleResource(2, host: "node1")),
      .resourceAdded(sampleResource(3, host: "node2")), .resourceAdded(sampleResource(4, host: "")),
    ])
    try await store.commit((1...4).map { .jobsSubmitted([sampleJob($0)]) })
  }

  @Test("a host is alive if all its resources are; those without a name are nobody's")
  func hosts() async throws {
    var second = sampleResource(2, host: "node1")
    second.state = .suspected
    try await store.commit([.resourceChanged(second, column: "state", at: 5)])
    #expect(try await store.hostUse().hosts == ["node1": false, "node2": true])
  }

  @Test("a job has its hosts from the decision to launch it until it has ended")
  func jobs() async throws {
    try await store.commit([
      .jobAssigned(1, moldable: 10, index: 0, resources: [2, 3, 4], at: 200),
      .jobAssigned(2, moldable: 20, index: 0, resources: [3], at: 200),
    ])
    #expect(try await store.hostUse().jobs == [1: ["node1", "node2"], 2: ["node2"]])
    for state in [JobState.launching, .running, .suspended, .resuming, .running, .finishing] {
      try await store.commit([.jobState(1, state, at: 201)])
      #expect(try await store.hostUse().jobs[1] == ["node1", "node2"], "\(state)")
    }
    try await store.commit([.jobEnded(1, .terminated, exitStatus: 0, at: 210)])
    #expect(try await store.hostUse().jobs == [2: ["node2"]])
  }

  @Test("the plan tells the next start on each host")
  func starts() async throws {
    try await store.commit([
      .predictions(
        [
          Prediction(moldable: 10, start: 900, resources: [1]),
          Prediction(moldable: 20, start: 700, resources: [2, 3, 4]),
          Prediction(moldable: 30, start: 100, resources: [3]),
        ], at: 50)
    ])
    // One that runs has begun.
    try await store.commit([.jobAssigned(3, moldable: 30, index: 0, resources: [3], at: 100)])
    #expect(try await store.hostUse().starts == ["node1": 700, "node2": 700])
  }

  @Test("the log tells which hosts are marked")
  func marks() async throws {
    func event(_ type: String, _ hosts: String...) -> Change {
      .event(JobEvent(type, job: 0, at: 1, "", hosts: hosts))
    }
    try await store.commit([
      event("OUT", "a", "b", "c"), event("IN", "a"), event("ELSE", "b"), event("OUT", "a"),
      event("IN", "c"),
    ])
    #expect(try await store.hosts(from: "OUT", to: "IN") == ["a", "b"])
  }

  @Test("the state that is wished of a host is found by its server, for all its resources")
  func wishes() async throws {
    try await store.commit([.stateWished(.suspected, host: "node1")])
    let mark = NewsMark(nextJob: 5)
    #expect(
      try await store.news(after: mark).wantedStates == [
        WantedState(resource: 1, state: .suspected, byServer: false),
        WantedState(resource: 2, state: .suspected, byServer: false),
      ])
  }
}
