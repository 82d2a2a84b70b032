// Jobs as a story sees them: submitted with oarsub, looked at with oarstat --json, awaited with
// oarstat --follow.

import FoundationEssentials
import Testing

/// A job as `oarstat --json` tells of it.
package struct JobView: Decodable, Sendable {
  package struct Event: Decodable, Sendable {
    package var type: String
    package var text: String
  }
  package var id: Int
  package var arrayID: Int
  package var state: String
  package var user: String
  package var queue: String
  package var assignedHosts: [String]
  package var assignedResources: [Int]
  package var walltime: Int?
  package var startTime: Int?
  package var stopTime: Int?
  package var scheduledStart: Int?
  package var waitStatus: Int?
  package var exitCode: Int?
  package var message: String
  package var resubmittedFrom: Int?
  package var events: [Event]?

  package func has(event type: String) -> Bool { events?.contains { $0.type == type } == true }
  package var eventTypes: [String] { events?.map(\.type) ?? [] }

  enum CodingKeys: String, CodingKey {
    case id, state, user, queue, walltime, message, events
    case arrayID = "array_id"
    case assignedHosts = "assigned_hosts"
    case assignedResources = "assigned_resources"
    case startTime = "start_time"
    case stopTime = "stop_time"
    case scheduledStart = "scheduled_start"
    case waitStatus = "wait_status"
    case exitCode = "exit_code"
    case resubmittedFrom = "resubmitted_from"
  }
}

private struct JobList: Decodable {
  var jobs: [JobView]
}

extension LabFixture {
  /// Submits with these words for oarsub and gives the id of the job, the first of an array's.
  package func submit(_ words: String..., as user: String = "user1") async throws -> Int {
    let ids = try await submitAll(words, as: user)
    return ids[0]
  }

  /// Submits and gives the ids of all jobs of the array.
  package func submitAll(_ words: [String], as user: String = "user1") async throws -> [Int] {
    let result = try await run(["oarsub"] + words, as: user)
    let ids = result.lines.compactMap { line in
      line.hasPrefix("OAR_JOB_ID=") ? Int(line.dropFirst("OAR_JOB_ID=".count)) : nil
    }
    guard result.exitCode == 0, !ids.isEmpty else {
      throw StoryError("oarsub \(words.joined(separator: " ")): \(result)")
    }
    return ids
  }

  /// The jobs that options of oarstat choose.
  package func jobs(_ options: String..., as user: String = "user1") async throws -> [JobView] {
    let result = try await run(["oarstat", "--json"] + options, as: user)
    guard result.exitCode == 0 else { throw StoryError("oarstat \(options): \(result)") }
    return try JSONDecoder().decode(JobList.self, from: Data(result.stdout.utf8)).jobs
  }

  package func job(_ id: Int) async throws -> JobView {
    guard let job = try await jobs("-f", "-j", String(id)).first else {
      throw StoryError("oarstat knows no job \(id)")
    }
    return job
  }

  /// Waits until a job has ended.
  @discardableResult
  package func end(of id: Int, within seconds: Int = 180) async throws -> JobView {
    let result = try await run("oarstat", "--follow=\(id)", within: seconds)
    guard result.exitCode == 0 else { throw StoryError("oarstat --follow \(id): \(result)") }
    return try await job(id)
  }

  /// Waits until a job is in a state, as oarstat --follow tells it.
  package func await(_ state: String, of id: Int, within seconds: Int = 120) async throws {
    let script = """
      coproc changes { exec oarstat --follow=\(id); }
      while read -r day time job state rest; do
        [ "$state" = \(state) ] && kill $changes_PID && exit 0
      done <&${changes[0]}
      exit 1
      """
    let result = try await run("bash", "-c", script, within: seconds)
    guard result.exitCode == 0 else {
      throw StoryError("job \(id) never was \(state): \(try await job(id))")
    }
  }
}

extension LabFixture {
  /// Waits until a condition of the shell holds on a host, for what no command can follow.
  package func eventually(
    _ condition: String, as user: String = "user1", on host: String = "frontend",
    within seconds: Int = 120
  ) async throws {
    let script = "until \(condition); do sleep 0.05; done"
    let result = try await run(
      "timeout", String(seconds), "bash", "-c", script, as: user, on: host)
    guard result.exitCode == 0 else {
      throw StoryError("\(host): for \(seconds) s it did not hold that \(condition)\n\(result)")
    }
  }

  /// Ends all jobs of everybody and waits until they have ended.
  package func endAllJobs() async throws {
    let ids = try await jobs("--sql", "state NOT IN ('Terminated', 'Error')", as: "root").map(\.id)
    guard !ids.isEmpty else { return }
    try await run(["oardel"] + ids.map(String.init), as: "root")
    for id in ids { try await end(of: id) }
  }
}
