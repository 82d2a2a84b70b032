// Submissions: from what a user sent to jobs that exist, or a reason why not.

import ClusterModel
import Kamelot
import RequestLanguage
import Storage
import Wire

/// Bounds on what one submission may hold.
enum SubmissionLimits {
  static let arraySize = 200_000
  static let moldables = 16
  static let commandBytes = 128 << 10
  static let pathBytes = 4096
  static let nameCharacters = 100
  static let projectCharacters = 255
  static let types = 32
  static let dependencies = 1000
  /// What a server holds in memory; beyond it every submission is refused.
  static let activeJobs = 2_000_000
}

/// A submission that the rules let in.
struct AdmittedSubmission {
  var request: JobRequest
  /// One for each job.
  var commands: [String]
  var queue: String
  var types: [String]
  /// What OAR's message column shows.
  var message: String
  /// What the rules say to the user.
  var remarks: [String]
}

extension ClusterState {
  /// Makes jobs of a submission, or throws the reason why not and changes nothing.
  mutating func submit(
    _ submission: Submission, by asker: Asker, settings: ServerSettings, at now: Instant,
    _ outcome: inout Outcome
  ) throws(Refusal) -> SubmissionResult {
    let admitted = try admit(submission, by: asker, settings: settings)
    let first = create(
      admitted.request, commands: admitted.commands, queue: admitted.queue, types: admitted.types,
      state: submission.hold ? .hold : .waiting, message: admitted.message, at: now, &outcome)
    return SubmissionResult(
      remarks: admitted.remarks, first: first, count: admitted.commands.count, arrayID: first)
  }

  /// What the rules make of a submission, or the reason why it is refused.
  mutating func admit(
    _ submission: Submission, by asker: Asker, settings: ServerSettings
  ) throws(Refusal) -> AdmittedSubmission {
    try checkBounds(of: submission)
    var candidate = Candidate(
      queue: submission.queue, types: submission.types, properties: submission.properties,
      requests: try parseRequests(of: submission, settings: settings), kind: submission.kind,
      reservationStart: submission.reservationStart)
    if submission.properties.isEmpty == false {
      _ = try withRemarks(candidate.remarks) { () throws(Refusal) in
        try expression(submission.properties, of: columns)
      }
    }
    try AdmissionRules(
      defaultWalltime: settings.defaultWalltime, hasQuotas: settings.quotas != nil,
      reservationsLeft: reservationsLeft(to: asker, settings)
    )
    .apply(to: &candidate, asker: asker, count: submission.count)
    guard let queue = queues.first(where: { $0.name == candidate.queue }) else {
      throw Refusal(
        .unknownQueue,
        "ERROR : The queue \(candidate.queue ?? "") does not exist (there are: "
          + "\(queues.map(\.name).sorted().joined(separator: ", ")))", remarks: candidate.remarks)
    }
    let moldables = candidate.requests.map {
      Moldable(walltime: $0.walltime ?? settings.defaultWalltime, groups: $0.groups)
    }
    let count = try withRemarks(candidate.remarks) { () throws(Refusal) in
      try checkPossible(
        moldables, properties: candidate.properties, asked: submission.properties,
        order: settings.resourceOrder)
    }
    let request = request(
      of: submission, by: asker, moldables,
      properties: AddedCondition.both(candidate.properties, candidate.laterProperties))
    let message = Self.jobMessage(
      resources: count, walltime: moldables[0].walltime, kind: request.kind,
      isReservation: request.reservationStart > 0, name: request.name, queue: queue.name,
      project: request.project, types: candidate.types)
    let commands =
      submission.parameters?.map { "\(submission.command) \($0)" }
      ?? Array(repeating: submission.command, count: submission.arraySize)
    return AdmittedSubmission(
      request: request, commands: commands, queue: queue.name, types: candidate.types,
      message: message, remarks: candidate.remarks)
  }

  private func request(
    of submission: Submission, by asker: Asker, _ moldables: [Moldable], properties: String
  ) -> JobRequest {
    JobRequest(
      user: asker.name, name: submission.name, project: submission.project ?? "default",
      kind: submission.kind, properties: properties, moldables: moldables,
      directory: submission.directory,
      stdout: submission.stdout ?? defaultOutput(submission, "stdout"),
      stderr: submission.stderr ?? defaultOutput(submission, "stderr"),
      dependencies: submission.dependencies, checkpoint: submission.checkpoint,
      checkpointSignal: submission.checkpointSignal, notify: submission.notify,
      initialRequest: submission.initialRequest, reservationStart: submission.reservationStart,
      submissionHost: submission.submissionHost)
  }

  /// How many more reservations a user may have that wait; `nil` for any number.
  private func reservationsLeft(to asker: Asker, _ settings: ServerSettings) -> Int? {
    if settings.unlimitedReservationUsers.contains(asker.name) { return nil }
    let present = reserved.count { jobs[$0]?.request.user == asker.name }
    return max(0, AdmissionRules.reservationLimit - present)
  }

  /// A new job with the request of another one, at its place in its array, as OAR does.
  mutating func resubmit(
    _ record: JobRecord, request: JobRequest, message: String, at now: Instant,
    _ outcome: inout Outcome
  ) -> JobID {
    create(
      request, commands: [record.command], queue: record.queue, types: record.types,
      state: .waiting, message: message, at: now, &outcome, repeating: record)
  }

  /// What a user submits again must still be possible.
  mutating func repeatJob(
    _ record: JobRecord, request: JobRequest, _ settings: ServerSettings, at now: Instant,
    _ outcome: inout Outcome
  ) throws(Refusal) -> JobID {
    try require(jobs.count + 1, atMost: SubmissionLimits.activeJobs, "jobs that have not ended")
    guard queues.contains(where: { $0.name == record.queue }) else {
      throw Refusal(.unknownQueue, "ERROR : The queue \(record.queue) does not exist")
    }
    let count = try checkPossible(
      request.moldables, properties: request.properties, asked: "",
      order: settings.resourceOrder)
    let message = Self.jobMessage(
      resources: count, walltime: request.moldables[0].walltime, kind: request.kind,
      isReservation: false, name: request.name, queue: record.queue, project: request.project,
      types: record.types)
    return resubmit(record, request: request, message: message, at: now, &outcome)
  }

  /// Creates the jobs of one submission with consecutive ids and returns the first.
  private mutating func create(
    _ request: JobRequest, commands: [String], queue: String, types: [String], state: JobState,
    message: String, at now: Instant, _ outcome: inout Outcome, repeating original: JobRecord? = nil
  ) -> JobID {
    let ids = takeIDs()
    let first = ids.job
    var created: [Job] = []
    created.reserveCapacity(commands.count)
    for (index, command) in commands.enumerated() {
      var job = Job(
        id: first + index, arrayID: original?.arrayID ?? first,
        arrayIndex: original?.arrayIndex ?? index + 1, request: request,
        command: command, state: state, queue: queue, types: types, submissionTime: now,
        firstMoldableID: ids.moldable + index * request.moldables.count, message: message)
      job.resubmittedFrom = original?.id ?? 0
      created.append(job)
      jobs[job.id] = job
      if job.reservation == .none {
        lines[queue, default: WaitingLine()].append(job.id)
      } else {
        reserved.insert(job.id)
      }
    }
    nextJob = max(nextJob, first + commands.count)
    nextMoldable = max(nextMoldable, ids.moldable + commands.count * request.moldables.count)
    outcome.changes.append(.jobsSubmitted(created))
    outcome.effects.append(.jobsDurable(below: nextJob))
    tell(first, at: now, &outcome)
    return first
  }

  /// Takes back jobs whose submission could not be made durable.
  mutating func undoSubmission(of ids: Range<JobID>) {
    for id in ids { jobs[id] = nil }
    reserved.subtract(ids)
  }

  private func defaultOutput(_ submission: Submission, _ suffix: String) -> String {
    submission.name.map { "OAR.\($0).%jobid%.\(suffix)" } ?? "OAR.%jobid%.\(suffix)"
  }

  private func parseRequests(
    of submission: Submission, settings: ServerSettings
  ) throws(Refusal) -> [(groups: [RequestGroup], walltime: Seconds?)] {
    let texts = submission.resources.isEmpty ? [settings.defaultResources] : submission.resources
    var requests: [(groups: [RequestGroup], walltime: Seconds?)] = []
    for text in texts {
      do {
        let nodes = settings.nodesProperty
        var parsed = try ResourceRequestParser.parse(text, nodesProperty: nodes)
        if parsed.groups.isEmpty {
          parsed.groups =
            try ResourceRequestParser.parse(settings.defaultResources, nodesProperty: nodes).groups
        }
        requests.append((parsed.groups, try walltime(parsed.walltime, of: submission)))
      } catch let refusal as Refusal {
        throw refusal
      } catch {
        throw Refusal(.badResourceRequest, "\(error)")
      }
    }
    return requests
  }

  /// The walltime that a request says, or the length of the reservation.
  private func walltime(
    _ walltime: Seconds?, of submission: Submission
  ) throws(Refusal) -> Seconds? {
    guard let end = submission.reservationEnd else { return walltime }
    let length = end - submission.reservationStart
    guard walltime == nil || walltime == length else {
      throw Refusal(
        .badValue,
        "the walltime is \(walltime ?? 0) s, and from the start to the end of the reservation it "
          + "is \(length) s: leave one of them out")
    }
    return length
  }

  /// The number of resources of the first shape that the cluster could ever run. `asked` is the user's own
  /// part of `properties`.
  private mutating func checkPossible(
    _ moldables: [Moldable], properties: String, asked: String, order: ResourceOrder
  ) throws(Refusal) -> Int {
    for group in moldables.flatMap(\.groups) {
      if !group.properties.isEmpty { _ = try expression(group.properties, of: columns) }
      for level in group.levels where !columns.contains(level.property) {
        throw Refusal(
          .badProperty,
          "\"\(level.property)\" is no property of resources; known are: "
            + columns.sorted().joined(separator: ", "))
      }
    }
    switch Kamelot.canEverRun(
      moldables: moldables, properties: properties, platform: platform(order: order))
    {
    case .possible(_, let count): return count
    case .impossible(let text):
      let condition = asked.isEmpty ? "" : " The condition is: \(shortened(asked))"
      throw Refusal(.notEnoughResources, text + condition)
    case .malformed(let text): throw Refusal(.badProperty, text)
    }
  }

  private func checkBounds(of submission: Submission) throws(Refusal) {
    try require(submission.resources.count, atMost: SubmissionLimits.moldables, "requests (-l)")
    try require(submission.types.count, atMost: SubmissionLimits.types, "types (-t)")
    try require(
      submission.dependencies.count, atMost: SubmissionLimits.dependencies, "dependencies (-a)")
    try require(
      submission.command.utf8.count, atMost: SubmissionLimits.commandBytes, "bytes of command")
    try require(
      submission.initialRequest.utf8.count, atMost: 2 * SubmissionLimits.commandBytes,
      "bytes of command line")
    for path in [submission.directory, submission.stdout ?? "", submission.stderr ?? ""] {
      try require(path.utf8.count, atMost: SubmissionLimits.pathBytes, "bytes of path")
    }
    try require(
      submission.name?.count ?? 0, atMost: SubmissionLimits.nameCharacters, "characters of name")
    try require(
      submission.project?.count ?? 0, atMost: SubmissionLimits.projectCharacters,
      "characters of project")
    let count = submission.count
    guard count > 0 else {
      throw Refusal(.badValue, "an array of \(count) jobs: it must have at least one")
    }
    try require(count, atMost: SubmissionLimits.arraySize, "jobs in an array")
    try require(jobs.count + count, atMost: SubmissionLimits.activeJobs, "jobs that have not ended")
    guard submission.directory.hasPrefix("/") else {
      throw Refusal(.badDirectory, "the directory \"\(submission.directory)\" is not absolute")
    }
    guard (0...endOfTime).contains(submission.checkpoint) else {
      throw Refusal(
        .badValue, "checkpoint \(submission.checkpoint): allowed are 0 to \(endOfTime) seconds")
    }
    guard (0...64).contains(submission.checkpointSignal) else {
      throw Refusal(.badValue, "signal \(submission.checkpointSignal): allowed are 0 to 64")
    }
    if submission.reservationStart != 0 { try checkReservation(submission) }
    for job in submission.dependencies where job < 1 || job >= nextJob {
      throw Refusal(.unknownJob, "there is no job \(job) to wait for (-a)")
    }
  }

  private func checkReservation(_ submission: Submission) throws(Refusal) {
    let start = submission.reservationStart
    guard (1...endOfTime).contains(start) else {
      throw Refusal(.badValue, "a reservation from \(start) on: allowed are 1 to \(endOfTime)")
    }
    if let end = submission.reservationEnd, !(start + 1...endOfTime).contains(max(end, start)) {
      throw Refusal(.badValue, "a reservation must end after it starts")
    }
    guard submission.kind == .passive else {
      throw Refusal(.badValue, "An advance reservation cannot be interactive.")
    }
    guard !submission.hold else {
      throw Refusal(.badValue, "a reservation starts at its date: it can't be held (--hold)")
    }
    guard submission.dependencies.isEmpty else {
      throw Refusal(
        .badValue, "a reservation starts at its date: it can't wait for other jobs (-a)")
    }
  }

  private func require(_ count: Int, atMost limit: Int, _ what: String) throws(Refusal) {
    guard count <= limit else {
      throw Refusal(.limit, "\(count) \(what): at most \(limit) are allowed")
    }
  }
}

extension Submission {
  /// The number of jobs.
  var count: Int { parameters?.count ?? arraySize }
}

/// Adds the remarks so far to a refusal.
private func withRemarks<Value>(
  _ remarks: [String], _ body: () throws(Refusal) -> Value
) throws(Refusal) -> Value {
  do {
    return try body()
  } catch {
    throw Refusal(error.kind, error.message, remarks: remarks)
  }
}
