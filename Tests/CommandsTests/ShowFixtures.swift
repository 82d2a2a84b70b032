// The jobs and resources of a session recorded on OAR 2.5.9, and a server that answers from a list.

import ClusterModel
import Wire

@testable import CommandLine

/// The cluster of the recording: two hosts of two cores; all dates are in UTC.
enum Recorded {
  /// 2026-11-20 12:21:03.
  static let now: Instant = 1_795_177_263

  static let properties = [
    PropertyDefinition(name: "core", kind: .integer),
    PropertyDefinition(name: "host", kind: .text),
  ]

  static func resource(_ id: ResourceID, host: String, cpuset: String) -> Resource {
    var resource = Resource(id: id)
    resource.networkAddress = host
    resource.cpuset = cpuset
    resource.properties = ["core": .integer(id), "host": .text(host)]
    return resource
  }

  static let records = [
    ResourceRecord(resource: resource(1, host: "node1", cpuset: "0"), jobs: [50]),
    ResourceRecord(resource: resource(2, host: "node1", cpuset: "1"), jobs: [50]),
    ResourceRecord(resource: resource(3, host: "node2", cpuset: "0"), jobs: [53]),
    ResourceRecord(resource: resource(4, host: "node2", cpuset: "1"), jobs: [53]),
  ]

  static func moldable(_ level: String, _ count: Int, _ walltime: Seconds) -> Moldable {
    Moldable(
      walltime: walltime,
      groups: [
        RequestGroup(
          properties: "type = 'default'", levels: [RequestLevel(level, .exactly(count))])
      ])
  }

  static func job(
    _ id: JobID, _ user: String, _ state: JobState, _ message: String, command: String,
    submitted: Instant, moldables: [Moldable], started: Instant = 0
  ) -> JobRecord {
    JobRecord(
      id: id, arrayID: id, arrayIndex: 1, name: nil, project: "default", user: user, state: state,
      kind: .passive, queue: "default", command: command,
      properties: "(desktop_computing = 'NO') AND drain='NO'", moldables: moldables, types: [],
      dependencies: [], directory: "/home/\(user)", stdout: "OAR.\(id).stdout",
      stderr: "OAR.\(id).stderr", reservation: .none, exitCode: nil, submissionTime: submitted,
      startTime: started, stopTime: 0, message: message, initialRequest: nil, scheduledStart: nil,
      resubmittedFrom: 0)
  }

  static var job50: JobRecord {
    var job = job(
      50, "alice", .running, "R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)",
      command: "sleep 600", submitted: 1_795_177_226, moldables: [moldable("host", 1, 1200)],
      started: 1_795_177_227)
    job.name = "jobA"
    job.stdout = "OAR.jobA.50.stdout"
    job.stderr = "OAR.jobA.50.stderr"
    job.assignedMoldable = 0
    job.assignedResources = [1, 2]
    job.assignedHosts = ["node1"]
    job.initialRequest = "oarsub -l host=1,walltime=0:20 -n jobA sleep 600"
    job.scheduledStart = 1_795_177_227
    return job
  }

  static var job51: JobRecord {
    var job = job(
      51, "bob", .error, "R=1,W=0:30:0,J=B,P=bproj,T=besteffort (Karma=0.000,quota_ok)",
      command: "sleep 600", submitted: 1_795_177_226, moldables: [moldable("core", 1, 1800)],
      started: 1_795_177_227)
    job.project = "bproj"
    job.queue = "besteffort"
    job.types = ["besteffort"]
    job.properties = "((besteffort = 'YES') AND desktop_computing = 'NO') AND drain='NO'"
    job.assignedMoldable = 0
    job.assignedResources = [3]
    job.assignedHosts = ["node2"]
    job.stopTime = 1_795_177_233
    job.events = [
      JobEvent(
        "SCHEDULER_PRIORITY_UPDATED_START", job: 51, at: 1_795_177_226,
        "Scheduler priority for job 51 updated (network_address/resource_id)"),
      JobEvent(
        "BESTEFFORT_KILL", job: 51, at: 1_795_177_233, "[MetaSched] kill the besteffort job 51"),
      JobEvent(
        "FRAG_JOB_REQUEST", job: 51, at: 1_795_177_233, "User root requested to frag the job 51"),
      JobEvent(
        "SEND_KILL_JOB", job: 51, at: 1_795_177_233,
        "[Leon] Send the kill signal to oarexec on node2 for job 51"),
      JobEvent(
        "SWITCH_INTO_ERROR_STATE", job: 51, at: 1_795_177_234,
        "[bipbip 51] Ask to change the job state"),
      JobEvent(
        "SCHEDULER_PRIORITY_UPDATED_STOP", job: 51, at: 1_795_177_234,
        "Scheduler priority for job 51 updated (network_address/resource_id)"),
    ]
    return job
  }

  static var job52: JobRecord {
    var job = job(
      52, "alice", .waiting, "R=4,W=0:10:0,J=B (Karma=0.000,quota_ok)", command: "sleep 600",
      submitted: 1_795_177_232, moldables: [moldable("host", 2, 600)])
    job.properties = "((host like 'node%') AND desktop_computing = 'NO') AND drain='NO'"
    job.initialRequest = "oarsub -l host=2,walltime=0:10 -p host like 'node%' sleep 600"
    job.scheduledStart = 1_795_178_429
    return job
  }

  static func arrayJob(_ index: Int) -> JobRecord {
    var job = job(
      52 + index, "bob", index == 1 ? .running : .waiting,
      "R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)", command: "sleep 100", submitted: 1_795_177_232,
      moldables: [moldable("core", 1, 600), moldable("core", 2, 300)])
    job.arrayID = 53
    job.arrayIndex = index
    // The plan has chosen the second shape of all of them.
    job.assignedMoldable = 1
    return job
  }

  static var job53: JobRecord {
    var job = arrayJob(1)
    job.startTime = 1_795_177_235
    job.scheduledStart = 1_795_177_235
    job.assignedResources = [3, 4]
    job.assignedHosts = ["node2"]
    return job
  }

  static var job54: JobRecord {
    var job = arrayJob(2)
    job.scheduledStart = 1_795_177_537
    return job
  }

  static var job56: JobRecord {
    job(
      56, "alice", .hold, "R=1,W=2:0:0,J=B", command: "sleep 1", submitted: 1_795_177_233,
      moldables: [moldable("core", 1, 7200)])
  }

  static var job57: JobRecord {
    var job = job(
      57, "alice", .waiting, "R=1,W=2:0:0,J=B,T=noop (Karma=0.000,quota_ok)", command: "sleep 1",
      submitted: 1_795_177_233, moldables: [moldable("core", 1, 7200)])
    job.types = ["noop"]
    job.dependencies = [52]
    job.initialRequest = "oarsub -t noop -a 52 -l core=1 sleep 1"
    job.scheduledStart = 1_795_179_031
    return job
  }

  /// The jobs that have not ended, as plain `oarstat` lists them.
  static var activeJobs: [JobRecord] {
    [job50, job52, job53, job54, arrayJob(3), job56, job57]
  }
}

/// A server that answers each request with what a function returns, and remembers the requests.
final class RecordedServer: ServerLink {
  private let answer: (ClientRequest) -> [ServerReply]
  private var waiting: [ServerEvent] = []
  private var lastID = 0
  private(set) var requests: [ClientRequest] = []

  init(answer: @escaping (ClientRequest) -> [ServerReply]) {
    self.answer = answer
  }

  var descriptor: Int32 { -1 }
  var hasEvent: Bool { !waiting.isEmpty }

  func send(_ request: ClientRequest) throws -> Int {
    lastID += 1
    requests.append(request)
    waiting += answer(request).map { .reply(id: lastID, $0) }
    return lastID
  }

  func send(_ bytes: [UInt8], channel: Int) throws {}

  func receive() throws -> ServerEvent {
    guard !waiting.isEmpty else { throw ConnectionLost(reason: "no more answers") }
    return waiting.removeFirst()
  }
}

/// What a call of a command did.
struct Call {
  var exitCode: Int32
  var output: String
  var errors: String
  var requests: [ClientRequest]
}

/// Calls a command with words as typed after its name; `answer` is the server.
func recordedCall(
  _ command: (some Command).Type, _ words: [String], input: Int32 = -1,
  environment: [String: String] = [:],
  answer: @escaping (ClientRequest) -> [ServerReply] = { _ in [.done] }
) -> Call {
  nonisolated(unsafe) let server = RecordedServer(answer: answer)
  let context = CommandContext(
    words: [command.definition.name] + words, output: TextStream(), errors: TextStream(),
    input: input, variable: { environment[$0] }, connect: { _ in server })
  let code = command.call(in: context)
  return Call(
    exitCode: code, output: context.output.captured, errors: context.errors.captured,
    requests: server.requests)
}
