// A small cluster in memory, for tests of decisions.

import ClusterModel
import Storage
import Wire

@testable import Controller

let alice = Asker(uid: 4_000_001, name: "alice")
let bob = Asker(uid: 4_000_002, name: "bob")
let root = Asker(uid: 0, name: "root")

/// Two hosts of two cores, with the properties host and core.
func smallCluster() -> ClusterState { ClusterState(stored: storedCluster()) }

/// The same, as a store holds it.
func storedCluster() -> StoredCluster {
  var stored = StoredCluster()
  stored.queues = Queue.standard
  stored.properties = [
    PropertyDefinition(name: "core", kind: .integer),
    PropertyDefinition(name: "host", kind: .text),
  ]
  for id in 1...4 {
    var resource = Resource(id: id)
    resource.networkAddress = "node\((id + 1) / 2)"
    resource.cpuset = String((id + 1) % 2)
    resource.properties = ["core": .integer(id), "host": .text(resource.networkAddress)]
    stored.resources.append(resource)
  }
  stored.nextResource = 5
  return stored
}

func settings(_ text: String = "SCHEDULER_JOB_SECURITY_TIME=0") throws -> ServerSettings {
  try ServerSettings(Configuration(parsing: text))
}

func submission(_ resources: String..., command: String = "true") -> Submission {
  var submission = Submission(
    directory: "/home/alice", initialRequest: "oarsub \(command)", submissionHost: "frontend")
  submission.resources = resources
  submission.command = command
  return submission
}

/// The usual settings, where something else is called `settings`.
private func testSettings() throws -> ServerSettings { try settings() }

extension ClusterState {
  /// Submits, and makes the jobs plannable as if they were committed.
  mutating func accept(
    _ submission: Submission, by asker: Asker = alice, at now: Instant = 100,
    as settings: ServerSettings? = nil
  ) throws -> SubmissionResult {
    var outcome = Outcome()
    let result = try submit(
      submission, by: asker, settings: try settings ?? testSettings(), at: now, &outcome)
    durableBelow = nextJob
    return result
  }

  /// Runs a planning pass, over the front of the waiting jobs if asked to; `depth` tells what it was.
  mutating func pass(
    at now: Instant, depth: PassDepth, as settings: ServerSettings? = nil
  ) throws -> (outcome: Outcome, depth: PassDepth) {
    var outcome = Outcome()
    var depth = depth
    if depth == .whole { needsPlan = true }
    let settings = try settings ?? testSettings()
    resumeJobs(as: settings.planning, at: now, &outcome)
    apply(plan(settings: settings, at: now, &depth), depth, at: now, &outcome)
    return (outcome, depth)
  }

  /// What is told of a job that waits.
  mutating func explain(
    _ job: JobID, at now: Instant = 101, as settings: ServerSettings? = nil
  ) throws -> Explanation {
    try explain(job, settings: settings ?? testSettings(), at: now)
  }

  /// Runs a whole planning pass.
  mutating func pass(at now: Instant) throws -> Outcome {
    try pass(at: now, depth: .whole).outcome
  }
}

/// A stored job of alice with resources (ids as in ``smallCluster()``), in some state.
func heldJob(
  _ id: JobID, on resources: [ResourceID], _ state: JobState, types: [String] = [],
  deletionAsked: Instant = 0, startTime: Instant = 1000
) -> Job {
  let group = RequestGroup(levels: [RequestLevel("core", .exactly(resources.count))])
  let request = JobRequest(
    user: "alice", moldables: [Moldable(walltime: 3600, groups: [group])], directory: "/home/alice")
  var job = Job(
    id: id, arrayID: id, arrayIndex: 1, request: request, command: "true", state: state,
    queue: types.contains("besteffort") ? "besteffort" : "default", types: types,
    submissionTime: 900, firstMoldableID: id, message: "R=\(resources.count),W=1:0:0,J=B")
  job.assignedMoldable = 0
  job.assignedResources = resources
  job.startTime = startTime
  job.deletionAsked = deletionAsked
  return job
}
