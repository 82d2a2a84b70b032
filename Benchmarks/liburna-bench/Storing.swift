// How fast a PostgreSQL database is read and written. `Benchmarks/storage` starts a server for it.

import ClusterModel
import Glibc
import PostgreSQLStorage
import SQLStorage
import Storage

/// A snapshot of a large cluster, and the results of a pass. `--socket` names the folder of the server's
/// socket, `--jobs` and `--resources` the size; the database `bench` must be empty.
func measureStorage(_ arguments: Arguments) async throws -> [Figure] {
  guard let socket = arguments.text("socket") else {
    throw BenchmarkError("the folder of a server's socket is needed: --socket FOLDER")
  }
  let jobCount = try arguments.integer("jobs", default: 10_000)
  let resourceCount = try arguments.integer("resources", default: 10_000)
  let rounds = try arguments.integer("rounds", default: 10)
  let settings = PostgreSQLSettings(host: socket, database: "bench", user: "postgres")
  let ours = try await PostgreSQLStorage.open(settings, .ours)
  var figures = [
    try await figure("resources written", rounds: 1) {
      try await ours.commit(resources(resourceCount))
    },
    try await figure("jobs of all sizes written", rounds: 1) {
      try await ours.commit(jobs(jobCount))
    },
  ]
  await ours.close()
  let store = try await PostgreSQLStorage.open(settings, .shared)
  let size = "\(jobCount) jobs, \(resourceCount) resources"
  figures.append(
    try await figure("snapshot: \(size)", .atMost(150), rounds: rounds) {
      guard try await store.load().jobs.count == jobCount else {
        throw BenchmarkError("jobs are missing")
      }
    })
  var places = (1...jobCount).map { job in
    Prediction(
      moldable: 2 * job, start: 1000 + job,
      resources: (0..<4).map { (job + $0) % resourceCount + 1 })
  }
  let messages = (1...jobCount).map { Change.jobMessage($0, "R=4,W=1:0:0,J=B (Karma=0.\($0))") }
  figures += [
    try await figure("a pass: all placed, all messages", rounds: 3) {
      try await store.commit([.placed(places)] + messages)
    },
    try await figure("a plan over that of others", rounds: 1) {
      try await store.commit([.predictions(places, at: 1)])
    },
    try await figure("the same plan, one job moved", rounds: rounds) {
      places[0].start += 1
      try await store.commit([.predictions(places, at: 2)])
    },
    try await figure("the plan read", rounds: rounds) { _ = try await store.plan() },
    try await figure("one small commit", rounds: 100) {
      try await store.commit([.event(JobEvent("BENCH", job: 0, at: 1, "one"))])
    },
  ]
  await store.close()
  return figures
}

private func figure(
  _ name: String, _ target: Target = .none, rounds: Int, _ body: () async throws -> Void
) async throws -> Figure {
  var samples = Samples()
  for _ in 0..<rounds {
    let began = Clock.milliseconds
    try await body()
    samples.append(Clock.milliseconds - began)
  }
  return Figure(
    name: name, value: samples.median, unit: "ms", target: target, detail: samples.detail)
}

private func resources(_ count: Int) -> [Change] {
  (1...count).map { number in
    var resource = Resource(id: number)
    resource.networkAddress = "node\((number - 1) / 16 + 1)"
    resource.cpuset = String((number - 1) % 16)
    return .resourceAdded(resource)
  }
}

/// No two of the same request; one in four has two moldables.
private func jobs(_ count: Int) -> [Change] {
  (1...count).map { id in
    let moldables = (id % 4 == 0 ? [60 + id, 120 + id] : [60 + id]).map { walltime in
      Moldable(
        walltime: walltime,
        groups: [
          RequestGroup(
            properties: "type = 'default'",
            levels: [
              RequestLevel("network_address", .exactly(id % 7 + 1)),
              RequestLevel("resource_id", .exactly(id % 16 + 1)),
            ])
        ])
    }
    let request = JobRequest(
      user: "user\(id % 50)", name: "job\(id)", project: "default", properties: "",
      moldables: moldables, directory: "/home/user\(id % 50)", stdout: "OAR.%jobid%.stdout",
      stderr: "OAR.%jobid%.stderr", initialRequest: "oarsub -l nodes=\(id % 7 + 1) ./job \(id)",
      submissionHost: "frontend")
    return .jobsSubmitted([
      Job(
        id: id, arrayID: id, arrayIndex: 1, request: request, command: "./job \(id)",
        state: .waiting, queue: "default", types: id % 3 == 0 ? ["besteffort"] : [],
        submissionTime: 500 + id, firstMoldableID: 2 * id - 1, message: "R=4,W=1:0:0,J=B")
    ])
  }
}
