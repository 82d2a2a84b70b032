// What hosts are told about the confinement of a job.

import ClusterModel
import Testing

@testable import Controller

@Suite("Confinement") struct ConfinementTests {
  private func job(in state: inout ClusterState) throws -> Job {
    _ = try state.accept(submission("host=1/core=2"))
    _ = try state.pass(at: 100)
    return try #require(state.jobs[1])
  }

  @Test("a job is bound to the CPUs of its resources, in a cgroup of its own") func cpus() throws {
    var state = smallCluster()
    let job = try job(in: &state)
    let confinement = state.confinement(of: job, on: "node1", settings: try settings())
    #expect(confinement.path == "oar/alice_1")
    #expect(confinement.cpus == [0, 1])
    #expect(confinement.memoryLimit == nil)
  }

  @Test("where the site says how much memory goes with a resource, a job has its resources' shares")
  func memory() throws {
    var state = smallCluster()
    state.properties.append(PropertyDefinition(name: "mem", kind: .integer))
    for id in 1...4 { state.resources[id]?.properties["mem"] = .integer(512) }
    let job = try job(in: &state)
    let settings = try settings("LIBURNA_MEMORY_PROPERTY=mem")
    #expect(
      state.confinement(of: job, on: "node1", settings: settings).memoryLimit == 1024 << 20)
    state.resources[1]?.properties["mem"] = .null
    #expect(state.confinement(of: job, on: "node1", settings: settings).memoryLimit == nil)
  }
}
