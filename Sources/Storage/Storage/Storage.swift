// What the server asks of its store. The stores hold OAR's schema; nobody else sees SQL.

import ClusterModel
import RequestLanguage

/// A durable store of the cluster's state. Calls are made by one server at a time.
public protocol Storage: Sendable {
  /// Everything the server needs in memory: resources, queues and the jobs that have not ended.
  func load() async throws -> StoredCluster

  /// Makes the changes durable, all or nothing: when it returns they survive a crash.
  ///
  /// - Throws: ``StorageError``; then nothing of the list was written.
  func commit(_ changes: [Change]) async throws

  /// Jobs that match, ended ones included, by id; `limit` bounds the answer.
  func jobs(matching filter: JobFilter, limit: Int) async throws -> [JobRecord]

  /// Those of these jobs that there are, ended or not.
  func existing(_ jobs: [JobID]) async throws -> Set<JobID>

  /// What a job asked for, ended or not, with its file names as patterns; `nil` if there is no such job.
  func request(of job: JobID) async throws -> JobRequest?

  /// Lines of the event log of a job or a host, oldest first.
  func events(_ filter: EventFilter) async throws -> [JobEvent]

  /// What jobs that ended had between two instants, by user, project and queue.
  func pastUse(from begin: Instant, to end: Instant) async throws -> [PastUse]

  /// Numbers for new jobs and moldables, each without gaps, which nobody else gets: from the sequences of a
  /// database that others write too, after the greatest known otherwise.
  ///
  /// - Returns: the first of each; of no use where none were asked for.
  func reserve(
    jobs: Int, moldables: Int
  ) async throws -> (job: JobID, moldable: MoldableID)

  /// Closes the store after the last commit.
  func close() async
}

extension Storage {
  public func existing(_ jobs: [JobID]) async throws -> Set<JobID> {
    var filter = JobFilter()
    filter.ids = jobs
    return Set(try await self.jobs(matching: filter, limit: jobs.count).map(\.id))
  }
}

/// The state at start.
public struct StoredCluster: Sendable {
  public var resources: [Resource] = []
  public var properties: [PropertyDefinition] = []
  public var queues: [Queue] = []
  /// Jobs whose state is not final, by id.
  public var jobs: [Job] = []
  /// The first ids never used.
  public var nextJob: JobID = 1
  public var nextMoldable: MoldableID = 1
  public var nextResource: ResourceID = 1
  /// What could not be understood and was left out, a sentence each, for the server's log.
  public var problems: [String] = []

  public init() {}
}

/// A plan as the gantt tables hold it.
public struct StoredPlan: Hashable, Sendable {
  /// The time that it was made for (row 0); 0 if there is no such row.
  public var date: Instant
  /// By moldable, ascending; one of a moldable that nobody knows may be among them.
  public var predictions: [Prediction]

  public init(date: Instant = 0, predictions: [Prediction] = []) {
    self.date = date
    self.predictions = predictions
  }
}

/// Which jobs are asked for; all given conditions must hold.
public struct JobFilter: Sendable {
  public var ids: [JobID]?
  public var arrays: [JobID]?
  public var users: [String]?
  public var states: [JobState]?
  /// A condition on the columns of `jobs`, parsed.
  public var condition: PropertyExpression?

  public init() {}
}

/// What the ended jobs of a user for a project in a queue had in a span of time.
public struct PastUse: Hashable, Sendable {
  public var user: String
  public var project: String
  public var queue: String
  /// Resources × seconds that the jobs ran.
  public var used: Int
  /// Resources × seconds of their walltimes.
  public var asked: Int

  public init(user: String, project: String, queue: String, used: Int, asked: Int) {
    self.user = user
    self.project = project
    self.queue = queue
    self.used = used
    self.asked = asked
  }
}

/// Which events are asked for.
public enum EventFilter: Sendable {
  case job(JobID)
  case host(String, limit: Int)
}

/// Why the store did not do what was asked.
public enum StorageError: Error, CustomStringConvertible, Sendable {
  /// The store takes nothing now (the disk is full, the database is away or read-only, a lock is held):
  /// nothing was written; later commits may succeed.
  case full(String)
  /// The database is damaged or not OAR's: the server must not start on it.
  case unusable(String)
  /// A condition that the database does not accept.
  case badCondition(String)
  /// Anything else, with the database's text.
  case failed(String)

  public var description: String {
    switch self {
    case .full(let text), .unusable(let text), .badCondition(let text), .failed(let text): text
    }
  }
}
