// A database that OAR 2's commands and programs read and write as well, and what is asked of it besides what
// every server asks.

import ClusterModel

/// A store that others write as well. Reads are few and indexed; none waits for a lock.
public protocol SharedStorage: Storage {
  /// Everything that a planner depends on, the state and the plan of one instant.
  func loadWithPlan() async throws -> (cluster: StoredCluster, plan: StoredPlan)

  /// What the gantt tables (not their copies for readers) hold now.
  func plan() async throws -> StoredPlan

  /// What was written that nobody has acted upon yet.
  func news(after mark: NewsMark) async throws -> News

  /// Tells what others write to a database of our own, without asking it again and again, until the store is
  /// closed. What the store writes itself is not told. `nil` where nobody tells: in a file, and in the
  /// database of an OAR server.
  func foreignChanges() async throws -> AsyncStream<ForeignChange>?

  /// The jobs that have not ended and have rows, by id.
  func liveJobs() async throws -> [JobID]

  /// Resources and the site's properties as they are now.
  func currentResources() async throws -> (resources: [Resource], properties: [PropertyDefinition])

  /// The secrets of a job (its row of `challenges`); `nil` if it has none.
  func secrets(of job: JobID) async throws -> JobSecrets?

  /// Where somebody may wait for news of a job that has not ended (`jobs.info_type`), of those that are
  /// interactive or reservations.
  func waitingClients() async throws -> [JobID: String]

  /// Whether the end of a job was asked for and Leon has not seen to it.
  func hasDeletionsForLeon() async throws -> Bool
}

/// What whoever lends the hosts of another server's database asks of it.
public protocol HostUseStorage: Storage {
  /// Who has which hosts, and from when others will, as one state of the database.
  func hostUse() async throws -> HostUse

  /// The hosts that an event of one type marks until one of another type.
  func hosts(from begin: String, to end: String) async throws -> Set<String>
}

/// What jobs have of hosts, as whoever lends hosts must know it.
public struct HostUse: Hashable, Sendable {
  /// Every host, and whether all its resources are Alive.
  public var hosts: [String: Bool] = [:]
  /// The hosts of the jobs that have some, from the decision to launch them until nothing of them is left there.
  public var jobs: [JobID: Set<String>] = [:]
  /// When the next job is planned to begin on a host.
  public var starts: [String: Instant] = [:]

  public init() {}
}

/// What is heard of changes that others make.
public enum ForeignChange: Hashable, Sendable {
  /// From now on changes are told; those before must be looked for.
  case listening
  /// Rows of these tables were written.
  case written(Set<String>)
  /// Nothing is told until it is listened again, with the reason.
  case lost(String)
}

/// How far one has read.
public struct NewsMark: Sendable {
  /// Jobs from this id on are new.
  public var nextJob: JobID
  /// Lower ids whose rows were not there, or not all, when they were looked for.
  public var missingJobs: [JobID]
  /// Jobs whose state others write.
  public var watchedJobs: [JobID]

  public init(nextJob: JobID, missingJobs: [JobID] = [], watchedJobs: [JobID] = []) {
    self.nextJob = nextJob
    self.missingJobs = missingJobs
    self.watchedJobs = watchedJobs
  }
}

/// What others wrote.
public struct News: Sendable {
  /// New jobs in one answer at most.
  public static let jobLimit = 2000
  /// Events in one answer at most.
  public static let eventLimit = 1000

  /// New jobs that have all their rows and have not ended, by id.
  public var jobs: [Job] = []
  /// Those of the ids asked for that have rows, but not all yet: their submission is under way.
  public var incompleteJobs: [JobID] = []
  /// Those that have ended already.
  public var endedJobs: [JobID] = []
  /// The greatest id among all of these; 0 for none.
  public var lastJob: JobID = 0
  /// `info_type` of the new jobs.
  public var clients: [JobID: String] = [:]
  /// The watched jobs as their rows are now; those without a row are missing.
  public var watched: [JobID: WatchedJob] = [:]
  /// How far deletions are that are not done.
  public var deletions: [JobID: DeletionState] = [:]
  /// Events that are to be checked, oldest first.
  public var events: [NumberedEvent] = []
  /// The states that admins want resources to have.
  public var wantedStates: [WantedState] = []
  public var queues: [Queue] = []
  /// What is asked of walltimes and not granted.
  public var walltimeChanges: [JobID: WalltimeChange] = [:]
  /// Changes when resources or their properties do.
  public var resourceMark = ResourceMark()
  /// What could not be understood, a sentence each.
  public var problems: [String] = []

  public init() {}
}

/// The row of a job whose state others write.
public struct WatchedJob: Hashable, Sendable {
  public var state: JobState
  public var startTime: Instant
  public var stopTime: Instant
  /// The raw wait status, once it has ended.
  public var exitStatus: Int?

  public init(state: JobState, startTime: Instant, stopTime: Instant, exitStatus: Int?) {
    self.state = state
    self.startTime = startTime
    self.stopTime = stopTime
    self.exitStatus = exitStatus
  }
}

/// A line of the event log with its number.
public struct NumberedEvent: Hashable, Sendable {
  public var id: Int
  public var event: JobEvent

  public init(id: Int, event: JobEvent) {
    self.id = id
    self.event = event
  }
}

/// A state that somebody wants a resource to have (`resources.next_state`).
public struct WantedState: Hashable, Sendable {
  public var resource: ResourceID
  public var state: ResourceState
  /// Whether a program found the host so, and not an admin (`next_finaud_decision`).
  public var byServer: Bool

  public init(resource: ResourceID, state: ResourceState, byServer: Bool) {
    self.resource = resource
    self.state = state
    self.byServer = byServer
  }
}

/// What tells that something about resources was written.
public struct ResourceMark: Hashable, Sendable {
  public var count = 0
  public var lastLog = 0
  /// The names of the columns, joined.
  public var columns = ""

  public init() {}
}

/// A job's row of `challenges`. Never written to a log.
public struct JobSecrets: Sendable, Equatable {
  /// Proves that a word about the job's end is true.
  public var challenge: String
  /// The job's key (`oarsub -k`); empty without one.
  public var privateKey: String
  public var publicKey: String

  public init(challenge: String, privateKey: String = "", publicKey: String = "") {
    self.challenge = challenge
    self.privateKey = privateKey
    self.publicKey = publicKey
  }
}
