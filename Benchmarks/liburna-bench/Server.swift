// The server as the benchmarks see it: one connection, requests in flight, and its state.

import ClusterModel
import Glibc
import Wire

struct Server {
  private let connection: ServerConnection
  /// How many requests may be under way at a time.
  private static let window = 1000

  init() throws {
    connection = try ServerConnection.open(
      program: "liburna-bench", configuration: try .ofThisHost(),
      seal: { _ in throw BenchmarkError("run this on the server's host, through its socket") })
  }

  func status() throws -> ServerStatus {
    guard case .status(let status) = try connection.ask(.status) else {
      throw BenchmarkError("the server did not say how it is")
    }
    return status
  }

  /// A submission as `oarsub` would send it from this process's directory.
  static func submission(
    _ command: String, resources: String, array: Int = 1, hold: Bool = false
  ) throws -> Submission {
    guard let directory = getcwd(nil, 0) else { throw BenchmarkError("there is no directory here") }
    defer { free(directory) }
    var submission = Submission(
      directory: String(cString: directory), initialRequest: "oarsub -l \(resources) \(command)",
      submissionHost: "server")
    submission.resources = [resources]
    submission.command = command
    submission.arraySize = array
    submission.hold = hold
    return submission
  }

  func submit(_ submission: Submission) throws -> SubmissionResult {
    try Self.result(of: try connection.ask(.submit(submission)))
  }

  private static func result(of reply: ServerReply) throws -> SubmissionResult {
    switch reply {
    case .submitted(let result): return result
    case .refused(let refusal): throw BenchmarkError("refused: \(refusal.message)")
    default: throw BenchmarkError("the server did not answer a submission")
    }
  }

  /// Sends a submission so many times over the one connection, and waits until all are acknowledged.
  func submit(_ submission: Submission, times count: Int) throws {
    var sent = 0
    var acknowledged = 0
    while acknowledged < count {
      while sent < count, sent - acknowledged < Self.window {
        try connection.send(.submit(submission))
        sent += 1
      }
      guard case .reply(_, let reply) = try connection.receive() else { continue }
      _ = try Self.result(of: reply)
      acknowledged += 1
    }
  }

  /// Waits until no job is left, looking every `interval` milliseconds; calls `look` each time.
  func awaitIdleness(
    interval: Int, patience seconds: Double, look: (ServerStatus) -> Void = { _ in }
  ) throws {
    let end = Clock.milliseconds + seconds * 1000
    while true {
      let status = try status()
      look(status)
      if status.jobsWaiting + status.jobsRunning == 0 { return }
      guard Clock.milliseconds < end else {
        throw BenchmarkError(
          "after \(decimal(seconds)) s, \(status.jobsWaiting) jobs wait and "
            + "\(status.jobsRunning) run")
      }
      Clock.sleep(milliseconds: interval)
    }
  }

  func jobs(_ query: JobQuery) throws -> [JobRecord] {
    let id = try connection.send(.jobs(query))
    var jobs: [JobRecord] = []
    while true {
      switch try connection.receive() {
      case .reply(id, .jobs(let some, let last)):
        jobs += some
        if last { return jobs }
      case .reply(id, .refused(let refusal)):
        throw BenchmarkError("refused: \(refusal.message)")
      default: continue
      }
    }
  }

  func delete(_ selection: JobSelection) throws {
    _ = try connection.ask(.act(.delete, selection))
  }
}
