// What became of the load's jobs, from what they wrote themselves and from the server's database.

import LabFixture

struct Verdict {
  struct Job {
    var state: String
    var exitCode: Int
  }

  /// All jobs that the database knows.
  var jobs: [Int: Job] = [:]
  var acknowledged: [Int] = []
  var lost: [Int] = []
  var ranTwice: [Int] = []
  var neverRan: [Int] = []
  var endedWrongly: [String] = []
  /// Exit codes of `oarsub --wait` that are not the job's.
  var toldWrongly: [String] = []
  /// Resources that two jobs had at a time.
  var sharedResources: [String] = []

  init(lab: LabFixture) async throws {
    let log = try await lab.read("torture/log")
    acknowledged = try await lab.read("torture/acknowledged").split(separator: "\n")
      .compactMap { Int($0) }
    let codes = try await lab.read("torture/codes")
    let database = try await DatabaseCopy(of: lab)
    for row in try database.rows("SELECT job_id, state, exit_code FROM jobs") {
      guard let id = row[0].flatMap({ Int($0) }) else { continue }
      jobs[id] = Job(state: row[1] ?? "", exitCode: row[2].flatMap { Int($0) } ?? -1)
    }
    lost = acknowledged.filter { jobs[$0] == nil }
    judgeRuns(log)
    try judgeEnds(database)
    judgeCodes(codes)
    sharedResources = try overlaps(in: database)
    sharedResources += overlaps(try held(in: database, from: log))
  }

  private mutating func judgeRuns(_ log: String) {
    var begins: [Int: Int] = [:]
    var ends: [Int: Int] = [:]
    for line in log.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, let id = Int(words[1]) else { continue }
      if words[0] == "begin" { begins[id, default: 0] += 1 } else { ends[id, default: 0] += 1 }
    }
    ranTwice = begins.filter { $0.value > 1 }.keys.sorted()
    neverRan = jobs.keys.filter { begins[$0] != 1 || ends[$0] != 1 }.filter {
      !ranTwice.contains($0)
    }
    .sorted()
  }

  private mutating func judgeEnds(_ database: DatabaseCopy) throws {
    for (id, job) in jobs.sorted(by: { $0.key < $1.key })
    where job.state != "Terminated" || job.exitCode != (id % 5) << 8 {
      let events = try database.rows(
        "SELECT type || ': ' || description FROM event_logs WHERE job_id = \(id)")
      endedWrongly.append(
        "job \(id): \(job.state), exit code \(job.exitCode), "
          + events.compactMap { $0[0] }.joined(separator: "; "))
    }
  }

  /// Lines of a code and the id that oarsub told last; code 9 means that the server was not found.
  private mutating func judgeCodes(_ text: String) {
    let arrays = 3
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").compactMap { Int($0) }
      guard words.count == 2, words[0] != 9 else { continue }
      let single = words[1] % 5
      // For an array, the code of its first job that failed.
      let array = (words[1] - arrays + 1...words[1]).map { $0 % 5 }.first { $0 != 0 } ?? 0
      if words[0] != single, words[0] != array {
        toldWrongly.append("oarsub --wait ended with \(words[0]) for job \(words[1])")
      }
    }
  }

  // MARK: Resources

  /// A resource that a job had from one moment to another.
  struct Hold {
    var resource: Int
    var job: Int
    var from: Int
    var until: Int
  }

  /// Overlaps by the database's times: from the moment a job got its resources to its end.
  private func overlaps(in database: DatabaseCopy) throws -> [String] {
    let rows = try database.numbers(
      """
      SELECT a.resource_id, j.job_id, MIN(l.date_start), j.stop_time
      FROM jobs j
      JOIN assigned_resources a ON a.moldable_job_id = j.assigned_moldable_job
      JOIN job_state_logs l ON l.job_id = j.job_id
        AND l.job_state IN ('toLaunch', 'Launching', 'Running')
      GROUP BY a.resource_id, j.job_id
      """)
    return overlaps(rows.map { Hold(resource: $0[0], job: $0[1], from: $0[2], until: $0[3]) })
  }

  /// The same by the jobs' own times, which are finer.
  private func held(in database: DatabaseCopy, from log: String) throws -> [Hold] {
    var times: [Int: (from: Int, until: Int)] = [:]
    for line in log.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, let id = Int(words[1]), let time = Int(words[2]) else { continue }
      var entry = times[id] ?? (time, time)
      entry = (min(entry.from, time), max(entry.until, time))
      times[id] = entry
    }
    return try database.numbers(
      """
      SELECT a.resource_id, j.job_id FROM jobs j
      JOIN assigned_resources a ON a.moldable_job_id = j.assigned_moldable_job
      """
    ).compactMap { row in
      times[row[1]].map { Hold(resource: row[0], job: row[1], from: $0.from, until: $0.until) }
    }
  }

  private func overlaps(_ holds: [Hold]) -> [String] {
    var found: [String] = []
    for (resource, list) in Dictionary(grouping: holds, by: \.resource) {
      let sorted = list.sorted { ($0.from, $0.until) < ($1.from, $1.until) }
      for (first, second) in zip(sorted, sorted.dropFirst()) where second.from < first.until {
        found.append("resource \(resource): jobs \(first.job) and \(second.job)")
      }
    }
    return found
  }
}
