// A scenario: everything that a planning pass depends on, as one JSON document (Docs/Scenarios.md).

import ClusterModel
import Encoding
import Kamelot

/// What a scenario document says.
public struct Scenario: Sendable {
  /// The past use of the cluster's users and projects, for fair orders.
  public struct Karma: Hashable, Sendable {
    public var users: [String: Double] = [:]
    public var projects: [String: Double] = [:]

    public init() {}
  }

  /// A job that is in no plan, and why.
  public struct SetAside: Hashable, Sendable {
    /// `nil` if not even its id could be read.
    public var job: JobID?
    public var reason: Reason
  }

  /// Free text.
  public var name = ""
  /// The clock of the pass.
  public var now: Instant = 0
  /// In the order in which planning prefers them.
  public var resources: [Resource] = []
  /// The properties that requests use as levels, outermost first; empty if the document names none.
  public var hierarchy: [String] = []
  /// The variables of `oar.conf` that the document sets.
  public var configuration = Configuration()
  /// What the variables mean for planning.
  public var settings = PlanningSettings()
  /// In which order new reservations prefer resources; `nil` for the usual one.
  public var reservationOrder: ResourceOrder?
  /// Those of the document, then those that only its jobs name.
  public var queues: [Queue] = []
  public var karma = Karma()
  /// The text of the PRIORITY_CONF_FILE; `nil` if the document has none.
  public var priorityFile: String?
  /// How jobs of queues of equal priority are sorted.
  public var order = JobOrderPolicy.fifo
  /// `nil` if the document has none.
  public var quotas: Quotas?
  public var holding: [HoldingJob] = []
  /// In order of submission.
  public var waiting: [WaitingJob] = []
  /// Jobs that are left out of the plan: they can't be understood, or are on hold.
  public var setAside: [SetAside] = []

  /// The priority of a queue that only jobs name.
  static let ordinaryPriority = 3

  /// Reads a document.
  ///
  /// - Throws: ``ScenarioError`` for what is not JSON or not a scenario. A job that can't be understood
  ///   throws nothing: it is set aside.
  public init(parsing bytes: [UInt8]) throws(ScenarioError) {
    do throws(ReadingError) {
      var reader = JSONReader(bytes)
      var document = DocumentReader()
      try document.read(&reader)
      self = document.scenario
    } catch {
      throw error.located(in: bytes)
    }
  }

  init() {}

  /// What a planning pass is given. Each has a platform of its own, so that nothing which one pass
  /// works out about the platform is there for the next.
  public func snapshot() -> Snapshot {
    var snapshot = Snapshot(
      now: now, platform: Platform(resources: resources), settings: settings, queues: queues,
      holding: holding, waiting: waiting, quotas: quotas, order: order)
    snapshot.reservationPlatform = reservationOrder.map {
      Platform(resources: $0.sorted(resources))
    }
    return snapshot
  }
}
