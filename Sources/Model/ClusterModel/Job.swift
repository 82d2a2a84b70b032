// A job: what was asked for (shared by the jobs of an array) and how far it has come.

/// The number of a job (`jobs.job_id`), from 1, never reused.
public typealias JobID = Int

/// The number of a moldable (`moldable_job_descriptions.moldable_id`), from 1.
public typealias MoldableID = Int

/// Whether a job runs a command or opens a terminal (`jobs.job_type`).
public enum JobKind: String, Codable, Sendable {
  case passive = "PASSIVE"
  case interactive = "INTERACTIVE"
}

/// What the user asked for. Immutable, and one object for all jobs of an array.
public final class JobRequest: Codable, Sendable {
  public let user: String
  public let name: String?
  public let project: String
  public let kind: JobKind
  /// An SQL condition on resources for the whole job (`-p`, with what admission added); empty if none.
  public let properties: String
  /// The shapes that it may run in, at least one.
  public let moldables: [Moldable]
  public let directory: String
  /// File name patterns: `%jobid%` and the like are replaced when the job starts.
  public let stdout: String
  public let stderr: String
  /// Jobs that must end before this one starts.
  public let dependencies: [JobID]
  /// Seconds before the end at which the job is told to save its work; 0 for never.
  public let checkpoint: Seconds
  public let checkpointSignal: Int
  public let notify: String?
  /// The command line as typed, shown to its owner only.
  public let initialRequest: String
  /// The start of an advance reservation; 0 for none.
  public let reservationStart: Instant
  /// The host where it was submitted (`info_type`).
  public let submissionHost: String

  public init(
    user: String, name: String? = nil, project: String = "default", kind: JobKind = .passive,
    properties: String = "", moldables: [Moldable], directory: String = "/", stdout: String = "",
    stderr: String = "", dependencies: [JobID] = [], checkpoint: Seconds = 0,
    checkpointSignal: Int = 12, notify: String? = nil, initialRequest: String = "",
    reservationStart: Instant = 0, submissionHost: String = ""
  ) {
    self.user = user
    self.name = name
    self.project = project
    self.kind = kind
    self.properties = properties
    self.moldables = moldables
    self.directory = directory
    self.stdout = stdout
    self.stderr = stderr
    self.dependencies = dependencies
    self.checkpoint = checkpoint
    self.checkpointSignal = checkpointSignal
    self.notify = notify
    self.initialRequest = initialRequest
    self.reservationStart = reservationStart
    self.submissionHost = submissionHost
  }

  /// The same with other walltimes of its moldables.
  public func with(_ moldables: [Moldable]) -> JobRequest {
    JobRequest(
      user: user, name: name, project: project, kind: kind, properties: properties,
      moldables: moldables, directory: directory, stdout: stdout, stderr: stderr,
      dependencies: dependencies, checkpoint: checkpoint, checkpointSignal: checkpointSignal,
      notify: notify, initialRequest: initialRequest, reservationStart: reservationStart,
      submissionHost: submissionHost)
  }
}

/// A job that has not ended, as the server holds it in memory.
public struct Job: Sendable, Identifiable {
  public let id: JobID
  /// The id of the first job of its array; its own for a single job.
  public var arrayID: JobID
  /// Its place in the array, from 1.
  public var arrayIndex: Int
  public var request: JobRequest
  public var command: String
  public var state: JobState
  public var reservation = ReservationState.none
  public var queue: String
  /// Job types as written, such as `besteffort` or `container=c1`.
  public var types: [String]
  public var submissionTime: Instant
  /// When it started; for an advance reservation that has not, when it is to start; 0 for neither.
  public var startTime: Instant = 0
  /// The number of the first of its moldables; the others follow, unless ``scatteredMoldableIDs`` says
  /// otherwise.
  public var firstMoldableID: MoldableID
  /// The numbers of all its moldables where they don't follow each other: another server gave them, to
  /// several jobs at once. Empty if they do.
  public var scatteredMoldableIDs: [MoldableID] = []
  /// The index, in the request, of the moldable that was chosen.
  public var assignedMoldable: Int?
  public var assignedResources: [ResourceID] = []
  /// What an advance reservation was promised when it was accepted, for its first moldable; empty while it
  /// is not, and for other jobs.
  public var promised: [ResourceID] = []
  /// What its user asked of its walltime while it ran; `nil` if nothing was.
  public var walltimeChange: WalltimeChange?
  /// What OAR's message column shows.
  public var message: String
  /// The job that this one repeats; 0 for none.
  public var resubmittedFrom: JobID = 0
  /// Whether it was ever suspended.
  public var wasSuspended = false
  /// Seconds of its run that it spent suspended, the present suspension excluded.
  public var suspendedSeconds: Seconds = 0
  /// Since when it is suspended; 0 if it is not.
  public var suspendedSince: Instant = 0
  /// When its end was asked for (`frag_jobs.frag_date`); 0 if it was not.
  public var deletionAsked: Instant = 0
  /// When the planner told it to save its work before it gives way to another job; 0 if it did not.
  public var checkpointedAt: Instant = 0

  public init(
    id: JobID, arrayID: JobID, arrayIndex: Int, request: JobRequest, command: String,
    state: JobState, queue: String, types: [String], submissionTime: Instant,
    firstMoldableID: MoldableID, message: String
  ) {
    self.id = id
    self.arrayID = arrayID
    self.arrayIndex = arrayIndex
    self.request = request
    self.command = command
    self.state = state
    self.queue = queue
    self.types = types
    self.submissionTime = submissionTime
    self.firstMoldableID = firstMoldableID
    self.message = message
    guard request.reservationStart > 0 else { return }
    reservation = .toSchedule
    startTime = request.reservationStart
  }

  /// Whether it has the type `name`, with or without a value.
  public func hasType(_ name: String) -> Bool {
    types.contains { $0 == name || $0.hasPrefix(name + "=") }
  }

  /// The walltime of the chosen moldable; of the first if none is chosen yet.
  public var walltime: Seconds { request.moldables[assignedMoldable ?? 0].walltime }

  /// The number of the chosen moldable, if one is.
  public var assignedMoldableID: MoldableID? { assignedMoldable.map { moldableID(at: $0) } }

  /// The number of the moldable at `index` of its request.
  public func moldableID(at index: Int) -> MoldableID {
    scatteredMoldableIDs.indices.contains(index)
      ? scatteredMoldableIDs[index] : firstMoldableID + index
  }

  /// Which of its moldables has a number; `nil` if none has.
  public func moldableIndex(of moldable: MoldableID) -> Int? {
    if !scatteredMoldableIDs.isEmpty { return scatteredMoldableIDs.firstIndex(of: moldable) }
    let index = moldable - firstMoldableID
    return request.moldables.indices.contains(index) ? index : nil
  }
}
