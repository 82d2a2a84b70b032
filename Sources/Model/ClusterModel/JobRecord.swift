// What is said about a job to people and programs, whether it waits, runs or ended long ago.

/// A job with everything that `oarstat -f` shows.
public struct JobRecord: Codable, Sendable, Identifiable {
  public var id: JobID
  public var arrayID: JobID
  public var arrayIndex: Int
  public var name: String?
  public var project: String
  public var user: String
  public var state: JobState
  public var kind: JobKind
  public var queue: String
  public var command: String
  public var properties: String
  public var moldables: [Moldable]
  public var types: [String]
  public var dependencies: [JobID]
  public var assignedMoldable: Int?
  /// Those of its run; of a reservation that waits, those that it was promised.
  public var assignedResources: [ResourceID] = []
  public var assignedHosts: [String] = []
  public var directory: String
  /// File names with `%jobid%` and the like replaced.
  public var stdout: String
  public var stderr: String
  public var reservation: ReservationState
  /// The raw wait status: code × 256 + signal; `nil` until it ended.
  public var exitCode: Int?
  public var submissionTime: Instant
  public var startTime: Instant
  public var stopTime: Instant
  public var message: String
  /// `nil` when the asker may not see it.
  public var initialRequest: String?
  /// When the plan lets it start; `nil` if the plan does not say.
  public var scheduledStart: Instant?
  public var resubmittedFrom: JobID
  public var events: [JobEvent] = []
  /// What its user asked of its walltime while it ran; `nil` if nothing was.
  public var walltimeChange: WalltimeChange?

  public init(
    id: JobID, arrayID: JobID, arrayIndex: Int, name: String?, project: String, user: String,
    state: JobState, kind: JobKind, queue: String, command: String, properties: String,
    moldables: [Moldable], types: [String], dependencies: [JobID], directory: String,
    stdout: String, stderr: String, reservation: ReservationState, exitCode: Int?,
    submissionTime: Instant, startTime: Instant, stopTime: Instant, message: String,
    initialRequest: String?, scheduledStart: Instant?, resubmittedFrom: JobID
  ) {
    self.id = id
    self.arrayID = arrayID
    self.arrayIndex = arrayIndex
    self.name = name
    self.project = project
    self.user = user
    self.state = state
    self.kind = kind
    self.queue = queue
    self.command = command
    self.properties = properties
    self.moldables = moldables
    self.types = types
    self.dependencies = dependencies
    self.directory = directory
    self.stdout = stdout
    self.stderr = stderr
    self.reservation = reservation
    self.exitCode = exitCode
    self.submissionTime = submissionTime
    self.startTime = startTime
    self.stopTime = stopTime
    self.message = message
    self.initialRequest = initialRequest
    self.scheduledStart = scheduledStart
    self.resubmittedFrom = resubmittedFrom
  }

  /// The walltime of the chosen moldable; of the first if none is chosen yet.
  public var walltime: Seconds {
    let index = assignedMoldable ?? 0
    return moldables.indices.contains(index) ? moldables[index].walltime : 0
  }

  /// The name of its cgroup on its hosts, as OAR names cpusets: `user_id`.
  public var cpusetName: String { "\(user)_\(id)" }

  /// How long it ran, or runs by `now`; 0 if it did not start.
  public func duration(at now: Instant) -> Seconds {
    guard startTime > 0, state.isFinal || state.holdsResources else { return 0 }
    return max(0, (stopTime > 0 ? stopTime : now) - startTime)
  }
}
