// Whether a request could ever run, and what can't be understood about one.

import ClusterModel
import Kamelot
import Testing

private let cluster = TestCluster(hosts: 3, cpusPerHost: 1, coresPerCPU: 4)

private func feasibility(
  _ requests: [String], properties: String = "", on resources: [Resource] = cluster.resources
) throws -> Kamelot.Feasibility {
  let moldables = try requests.map { Moldable(walltime: 3600, groups: try groups($0)) }
  return Kamelot.canEverRun(
    moldables: moldables, properties: properties, platform: Platform(resources: resources))
}

struct FeasibilityTests {
  @Test(
    "the number of resources that a request takes is told",
    arguments: [
      ("/host=2/core=3", 6), ("/core=12", 12), ("/host=ALL", 12), ("/host=BESTHALF", 4),
      ("{host='h2'}/core=1+/host=1", 5),
    ])
  func numberOfResources(request: String, count: Int) throws {
    #expect(try feasibility([request]) == .possible(moldable: 0, resources: count))
  }

  @Test("the first moldable that fits is the one that counts")
  func firstFittingMoldable() throws {
    #expect(
      try feasibility(["/host=4", "/host=2", "/host=1"]) == .possible(moldable: 1, resources: 8))
  }

  @Test(
    "more than the cluster has is impossible",
    arguments: [
      "/host=4", "/core=13", "/host=1/core=5", "/host=1+/host=3", "{host='h9'}/core=1",
      "/host=2147483647/cpu=2147483647/core=2147483647",
    ])
  func tooMuch(request: String) throws {
    guard case .impossible(let text) = try feasibility([request]) else {
      Issue.record("\(request) was found possible")
      return
    }
    #expect(text.contains("No set of the"))
  }

  @Test("the job's own condition narrows the choice")
  func jobProperties() throws {
    #expect(
      try feasibility(["/host=1"], properties: "host = 'h2'")
        == .possible(moldable: 0, resources: 4)
    )
    guard case .impossible = try feasibility(["/host=2"], properties: "host = 'h2'") else {
      Issue.record("two hosts of one were found possible")
      return
    }
  }

  @Test("resources that are only absent or suspected count, dead ones do not")
  func statesOfResources() throws {
    var resources = cluster.resources
    for index in 0..<4 { resources[index].state = .suspected }
    for index in 4..<8 { resources[index].state = .absent }
    #expect(try feasibility(["/host=3"], on: resources) == .possible(moldable: 0, resources: 12))
    for index in 0..<4 { resources[index].state = .dead }
    #expect(
      try feasibility(["/host=3", "/host=2"], on: resources)
        == .possible(moldable: 1, resources: 8))
  }

  @Test(
    "unknown properties and conditions that make no sense are malformed",
    arguments: [("/nowhere=1", ""), ("{nothing=1}/core=1", ""), ("/core=1", "core >< 3")])
  func malformed(request: String, properties: String) throws {
    guard case .malformed(let text) = try feasibility([request], properties: properties) else {
      Issue.record("\(request) with \(properties) was understood")
      return
    }
    #expect(!text.isEmpty)
  }

  @Test("an empty cluster can run nothing, and an empty request is malformed")
  func nothingAtAll() throws {
    guard case .impossible = try feasibility(["/resource_id=1"], on: []) else {
      Issue.record("a cluster without resources was found to run a job")
      return
    }
    #expect(try feasibility([]) == .malformed("The request is empty."))
  }
}
