// What commands and the server say to each other.

import ClusterModel

/// The version of the messages between commands and server.
public let clientProtocolVersion = 2

/// The first message of a command.
public struct ClientHello: Codable, Sendable {
  public var version: Int
  /// The command's name, for the server's log.
  public var program: String
  /// Over TCP: a MUNGE credential whose payload is the nonce of the server's greeting.
  public var credential: String?

  public init(version: Int, program: String, credential: String?) {
    self.version = version
    self.program = program
    self.credential = credential
  }
}

/// The first message of the server.
public struct ServerGreeting: Codable, Sendable {
  public var version: Int
  /// To be sealed with MUNGE by clients that come over TCP.
  public var nonce: String

  public init(version: Int, nonce: String) {
    self.version = version
    self.nonce = nonce
  }
}

/// A submission as `oarsub` sends it: options parsed, requests as text (the server parses them again; it trusts nobody).
public struct Submission: Codable, Sendable {
  /// Each `-l`; empty for the default request.
  public var resources: [String] = []
  public var properties = ""
  public var queue: String?
  public var types: [String] = []
  public var name: String?
  public var project: String?
  public var kind = JobKind.passive
  public var command = ""
  /// With a parameter file: the words after the command, one element a job.
  public var parameters: [String]?
  /// The number of jobs; 1 unless an array was asked for.
  public var arraySize = 1
  public var directory: String
  public var stdout: String?
  public var stderr: String?
  public var dependencies: [JobID] = []
  public var checkpoint: Seconds = 0
  public var checkpointSignal = 12
  public var notify: String?
  public var hold = false
  /// The start of an advance reservation; 0 for none.
  public var reservationStart: Instant = 0
  /// Its end, from which come the walltimes that `resources` do not say.
  public var reservationEnd: Instant?
  public var initialRequest: String
  public var submissionHost: String
  /// For an interactive job: the terminal it is started from.
  public var terminal: TerminalSpecification?

  public init(directory: String, initialRequest: String, submissionHost: String) {
    self.directory = directory
    self.initialRequest = initialRequest
    self.submissionHost = submissionHost
  }
}

/// What became of a submission.
public struct SubmissionResult: Codable, Sendable {
  /// Lines that admission rules print, such as `Set default walltime to 7200.`
  public var remarks: [String]
  /// The ids of the jobs are `first ..< first + count`.
  public var first: JobID
  public var count: Int
  /// The array's id.
  public var arrayID: JobID

  public init(remarks: [String], first: JobID, count: Int, arrayID: JobID) {
    self.remarks = remarks
    self.first = first
    self.count = count
    self.arrayID = arrayID
  }
}

/// Why the server refused a request. Commands turn the kind into OAR's exit code and text.
public struct Refusal: Error, Codable, Sendable, CustomStringConvertible {
  public enum Kind: String, Codable, Sendable {
    /// A `-l` that can't be parsed.
    case badResourceRequest
    /// A property or level that is not a column, or an SQL condition that can't be parsed.
    case badProperty
    /// No set of nodes could ever satisfy the request.
    case notEnoughResources
    /// An admission rule refuses.
    case admission
    case unknownQueue
    case unknownType
    case badDirectory
    case badValue
    case unknownJob
    case unknownResource
    case notOwner
    case notAdministrator
    case wrongState
    case alreadyAsked
    /// The server can't write: the disk is full, or it is stopping.
    case unavailable
    /// The site does not allow it.
    case disabled
    /// Too many of something; the text names the limit.
    case limit
    case protocolError
  }

  public var kind: Kind
  /// What is wrong, with the value, and what is allowed.
  public var message: String
  /// Lines that admission rules printed before the refusal.
  public var remarks: [String]

  public init(_ kind: Kind, _ message: String, remarks: [String] = []) {
    self.kind = kind
    self.message = message
    self.remarks = remarks
  }

  public var description: String { message }
}

/// Which jobs a command is about.
public struct JobSelection: Codable, Sendable {
  public var ids: [JobID] = []
  public var arrays: [JobID] = []
  /// An SQL condition on the columns of `jobs`.
  public var condition: String?

  public init(ids: [JobID] = [], arrays: [JobID] = [], condition: String? = nil) {
    self.ids = ids
    self.arrays = arrays
    self.condition = condition
  }
}

/// Which jobs `oarstat` shows: those selected, else all that have not ended.
public struct JobQuery: Codable, Sendable {
  public var selection: JobSelection?
  public var users: [String]?
  public var states: [JobState]?
  /// With events, wanted resources and everything else of `-f`.
  public var full = false

  public init() {}
}

/// What happened to one job that a command was about.
public struct JobOutcome: Codable, Sendable {
  public var job: JobID
  /// `nil` if it was done.
  public var refusal: Refusal?
  /// The first host of the job, where a signal was sent.
  public var host: String?

  public init(job: JobID, refusal: Refusal? = nil, host: String? = nil) {
    self.job = job
    self.refusal = refusal
    self.host = host
  }
}

/// What is to be done to jobs.
public enum JobAction: Codable, Sendable {
  case delete
  /// A signal by name or number, as the user wrote it.
  case signal(String)
  case checkpoint
  case hold(running: Bool)
  case resume
  /// Toggles the type besteffort.
  case toggleBesteffort
  /// Ends a job that hangs in Finishing.
  case forceTerminate
}

/// A resource with the jobs on it.
public struct ResourceRecord: Codable, Sendable {
  public var resource: Resource
  public var jobs: [JobID]
  /// How its host stands between Kubernetes and jobs, as `PHASE, reason`; `nil` where nothing is lent.
  public var lending: String?

  public init(resource: Resource, jobs: [JobID], lending: String? = nil) {
    self.resource = resource
    self.jobs = jobs
    self.lending = lending
  }
}

/// Which resources a command is about: those that any of the lists names; all if none is given.
public struct ResourceSelection: Codable, Sendable {
  public var ids: [ResourceID] = []
  public var hosts: [String] = []
  /// An SQL condition on the columns of `resources`.
  public var condition: String?

  public init(ids: [ResourceID] = [], hosts: [String] = [], condition: String? = nil) {
    self.ids = ids
    self.hosts = hosts
    self.condition = condition
  }

  /// Whether nothing is named.
  public var isEmpty: Bool { ids.isEmpty && hosts.isEmpty && condition == nil }
}

/// What `oarnodesetting` changes on the selected resources.
public struct ResourceSetting: Codable, Sendable {
  public var state: ResourceState?
  public var maintenance: Bool?
  public var drain: Bool?
  /// Columns and values as written, in order.
  public var properties: [(name: String, value: String)] {
    get { zip(propertyNames, propertyValues).map { ($0, $1) } }
    set {
      propertyNames = newValue.map(\.name)
      propertyValues = newValue.map(\.value)
    }
  }
  private var propertyNames: [String] = []
  private var propertyValues: [String] = []

  public init() {}
}

/// What became of a resource setting.
public struct ResourceSettingResult: Codable, Sendable {
  /// The resources concerned.
  public var resources: [ResourceID]
  /// For each property of the setting: on how many resources the value changed.
  public var updated: [Int]
  /// The jobs that are being ended because their resources went away.
  public var endedJobs: [JobID]

  public init(resources: [ResourceID], updated: [Int], endedJobs: [JobID]) {
    self.resources = resources
    self.updated = updated
    self.endedJobs = endedJobs
  }
}

/// What an admin asks about properties.
public enum PropertyAction: Codable, Sendable {
  case list
  case add(PropertyDefinition)
  case remove(String)
  case rename(String, to: String)
}

/// What an admin asks about queues.
public enum QueueAction: Codable, Sendable {
  case list
  case add(Queue)
  case change(Queue)
  case remove(String)
  case setActive(String, Bool)
  case setAllActive(Bool)
}

/// A bar of the Gantt chart: a job that runs or is planned.
public struct GanttBar: Codable, Sendable {
  public var job: JobID
  public var user: String
  public var state: JobState
  public var start: Instant
  /// The first second after it.
  public var end: Instant
  public var resources: [ResourceID]

  public init(
    job: JobID, user: String, state: JobState, start: Instant, end: Instant,
    resources: [ResourceID]
  ) {
    self.job = job
    self.user = user
    self.state = state
    self.start = start
    self.end = end
    self.resources = resources
  }
}

/// What subscribers hear of a job.
public struct JobNotice: Codable, Sendable {
  public var job: JobID
  public var user: String
  public var state: JobState
  public var date: Instant
  /// The raw wait status, once it ended.
  public var exitCode: Int?
  /// A sentence: where it runs, why it waits, why it ended.
  public var text: String
  /// When it is planned to start, while it waits.
  public var plannedStart: Instant?
  /// How far it has come as an advance reservation; `nil` if it is none.
  public var reservation: ReservationState?

  /// The text about a waiting job that no pass has come to yet.
  public static let unplanned = "waits to be planned"

  public init(
    job: JobID, user: String, state: JobState, date: Instant, exitCode: Int?, text: String,
    plannedStart: Instant? = nil, reservation: ReservationState? = nil
  ) {
    self.job = job
    self.user = user
    self.state = state
    self.date = date
    self.exitCode = exitCode
    self.text = text
    self.plannedStart = plannedStart
    self.reservation = reservation
  }
}

/// What the server says of itself (`liburna status`).
public struct ServerStatus: Codable, Sendable {
  public var version: String
  public var startedAt: Instant
  public var jobsWaiting: Int
  public var jobsRunning: Int
  public var resources: Int
  /// Hosts whose agent answers, and those whose agent does not.
  public var hostsConnected: [String]
  public var hostsLost: [String]
  public var passes: Int
  public var lastPassMilliseconds: Double
  public var commits: Int
  public var residentBytes: Int

  public init(
    version: String, startedAt: Instant, jobsWaiting: Int, jobsRunning: Int, resources: Int,
    hostsConnected: [String], hostsLost: [String], passes: Int, lastPassMilliseconds: Double,
    commits: Int, residentBytes: Int
  ) {
    self.version = version
    self.startedAt = startedAt
    self.jobsWaiting = jobsWaiting
    self.jobsRunning = jobsRunning
    self.resources = resources
    self.hostsConnected = hostsConnected
    self.hostsLost = hostsLost
    self.passes = passes
    self.lastPassMilliseconds = lastPassMilliseconds
    self.commits = commits
    self.residentBytes = residentBytes
  }
}

/// A session that a command opens in a job.
public struct SessionRequest: Codable, Sendable {
  public var job: JobID
  /// The host; `nil` for the first of the job.
  public var host: String?
  /// The words of the command; `nil` for a login shell.
  public var command: [String]?
  public var terminal: TerminalSpecification?

  public init(
    job: JobID, host: String?, command: [String]?, terminal: TerminalSpecification?
  ) {
    self.job = job
    self.host = host
    self.command = command
    self.terminal = terminal
  }
}

/// Command → server, after the hello.
public enum ClientRequest: Codable, Sendable {
  case submit(Submission)
  /// What would become of a submission; it is not made.
  case rehearse(Submission)
  /// A new job with the request of an ended one (`oarsub --resubmit`).
  case resubmit(JobID)
  case jobs(JobQuery)
  case act(JobAction, JobSelection)
  case resources(ResourceSelection)
  case setResources(ResourceSelection, ResourceSetting)
  /// A new resource on a host, with a setting.
  case addResource(host: String, ResourceSetting)
  case removeResources([ResourceID])
  case properties(PropertyAction)
  case queues(QueueAction)
  case explain(JobID)
  /// How changes of a job's walltime stand.
  case walltime(JobID)
  case changeWalltime(JobID, WalltimeOrder)
  /// The plan between two instants.
  case gantt(from: Instant, to: Instant)
  /// The event log of a host.
  case hostEvents(String, limit: Int)
  case status
  /// Notices of the selected jobs (all the asker's for `nil`) until the connection closes; each comes as `notice`.
  /// The present state of every selected job comes first.
  case follow(JobSelection?)
  /// Opens a session in a running job; answered by `channelOpened`, then channel frames both ways.
  case open(SessionRequest)
  /// Joins the terminal of one's own interactive job, as soon as it runs: `notice`s until then, then `channelOpened`.
  case attach(JobID, TerminalSize)
  case resize(channel: Int, TerminalSize)
  /// The command has consumed so many bytes of the channel: as many more may come (``channelWindow``).
  case grant(channel: Int, bytes: Int)
  /// No more input on the channel.
  case endInput(channel: Int)
  /// Asks the server to plan at once (`oarnotify Term`).
  case plan
  /// How hosts are lent to Kubernetes, or a word about it; answered by `lending` or `done`.
  case lending(LendingRequest)
}

/// Server → command.
public enum ServerReply: Codable, Sendable {
  case done
  case refused(Refusal)
  case submitted(SubmissionResult)
  /// Jobs by id; `last` is false when more frames of the same answer follow.
  case jobs([JobRecord], last: Bool)
  case outcomes([JobOutcome])
  case resources([ResourceRecord], properties: [PropertyDefinition])
  case setResources(ResourceSettingResult)
  case added(ResourceID)
  case properties([PropertyDefinition])
  case queues([Queue])
  case explanation(Explanation)
  case forecast(Forecast)
  case walltime(WalltimeStatus)
  /// A change of a walltime is asked for, in place of a former one if there was one.
  case walltimeChange(isUpdate: Bool)
  case gantt([GanttBar], resources: [ResourceRecord], now: Instant)
  case events([JobEvent])
  case status(ServerStatus)
  case lending(LendingStatus)
  case lendingFindings([LendingFinding])
  case notice(JobNotice)
  case channelOpened(channel: Int, host: String)
  /// The session has consumed so many bytes of its input: as many more may be sent (``channelWindow``).
  case grant(channel: Int, bytes: Int)
  /// The session is over, with a raw wait status.
  case channelEnded(channel: Int, status: Int)
}

/// A request with the number that its answers carry; requests may be sent without waiting for answers.
public struct NumberedRequest: Codable, Sendable {
  public var id: Int
  public var request: ClientRequest

  public init(id: Int, request: ClientRequest) {
    self.id = id
    self.request = request
  }
}

/// An answer with the number of its request.
public struct NumberedReply: Codable, Sendable {
  public var id: Int
  public var reply: ServerReply

  public init(id: Int, reply: ServerReply) {
    self.id = id
    self.reply = reply
  }
}
