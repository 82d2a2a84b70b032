// What a planning pass decides.

import ClusterModel

/// When and where a waiting job will run.
public struct Placement: Hashable, Sendable {
  public var job: JobID
  public var start: Instant
  /// The last second held: start + walltime + security time − 1; for a besteffort job with the
  /// time that it is assumed to run instead of a longer walltime.
  public var end: Instant
  /// The index of the chosen moldable in the job's request.
  public var moldable: Int
  /// Its resources by their place on the platform.
  public var places: ResourceSet
  let platform: Platform

  public init(job: JobID, spot: Spot, moldable: Int, on platform: Platform) {
    self.job = job
    start = spot.start
    end = spot.end - 1
    self.moldable = moldable
    places = spot.resources
    self.platform = platform
  }

  /// - Parameter end: the last second held.
  public init(
    job: JobID, start: Instant, end: Instant, moldable: Int, resources: [ResourceID],
    on platform: Platform
  ) {
    self.job = job
    self.start = start
    self.end = end
    self.moldable = moldable
    places = platform.places(of: resources)
    self.platform = platform
  }

  /// Its resources, ascending.
  public var resources: [ResourceID] {
    get { platform.ids(of: places) }
    set { places = platform.places(of: newValue) }
  }

  public static func == (left: Placement, right: Placement) -> Bool {
    left.job == right.job && left.start == right.start && left.end == right.end
      && left.moldable == right.moldable && left.places == right.places
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(job)
    hasher.combine(start)
  }
}

/// Which constraint keeps a job from starting now.
public struct Reason: Hashable, Codable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// Its resources are held by other jobs, or promised to jobs ahead of it.
    case resources
    /// It waits for another job.
    case dependency
    /// Its queue starts nothing.
    case queue
    /// It runs in a container that has no room for it, or is not there.
    case container
    /// A quota of its user, project, queue or type is used up.
    case quota
    /// It is a reservation: its start is not yet, or can't be had.
    case reservation
    /// What it needs is free now, but a reservation that was accepted begins before it would end. Only an
    /// explanation tells this from `resources`.
    case reservationAhead = "reservation_ahead"
    /// It may not start yet, or any more, by its own wish (postpone, deadline, expire).
    case date
    /// Nothing in the cluster, as it is now, could ever run it.
    case impossible
    /// Its plug-in has no place for it yet, or gave an answer that can't be used; or an extra pass of
    /// the site's left it out.
    case plugin
    /// The pass did not come to it: too many jobs ahead.
    case order
    /// Its request can't be understood.
    case malformed
  }

  public var kind: Kind
  /// A sentence for the user.
  public var text: String
  /// The jobs that hold what it waits for, nearest end first, at most 20.
  public var blockers: [JobID]
  /// The quota that forbade the first start that resources allowed; `nil` unless it waits for a quota.
  public var quota: QuotaExcess? { quotas.first }
  /// At most one, in an array so that the many reasons without a quota stay small.
  private var quotas: [QuotaExcess] = []

  public init(_ kind: Kind, _ text: String, blockers: [JobID] = []) {
    self.kind = kind
    self.text = text
    self.blockers = blockers
  }

  /// It waits for a quota.
  public init(_ excess: QuotaExcess) {
    self.init(.quota, excess.text)
    quotas = [excess]
  }
}

/// The decisions of one pass over the cluster.
public struct Plan: Sendable {
  /// Jobs to start now, in the order of their priority.
  public var starts: [Placement] = []
  /// Jobs that will start later, or must wait for victims to end.
  public var predictions: [Placement] = []
  /// Why each planned or unplanned waiting job does not start now.
  public var reasons = Reasons()
  /// Besteffort jobs to end now, because a job above needs their resources.
  public var victims: [JobID] = []
  /// Besteffort jobs to tell now that they are to save their work, because a job above needs their
  /// resources: they end when their time for it is over.
  public var checkpoints: [JobID] = []
  /// When the next pass is due though nothing may have happened until then; `nil` for whenever something
  /// happens or a prediction comes true.
  public private(set) var nextLook: Instant?
  /// The jobs that were planned, in that order: each took precedence over those after it.
  public var order: [JobID] = []
  /// New reservations that can be kept; their placements are among `starts` and `predictions`.
  public var accepted: [JobID] = []
  /// New reservations that can't be kept; their reasons say why and what would be possible.
  public var refused: [JobID] = []
  /// Which hosts to wake and which to put to sleep; `nil` unless the snapshot asks for it.
  public var energy: EnergyPlan?
  /// What the order of the waiting jobs is made of; `nil` if they are taken as they came.
  public var priorities: JobPriorities?
  /// What went wrong with plug-ins that serve no single job, such as those that sort.
  public var pluginProblems: [String] = []

  public init() {}

  /// Adds what was decided about jobs that joined the pass.
  public mutating func join(_ added: Plan) {
    starts += added.starts
    predictions += added.predictions
    order += added.order
    reasons.join(added.reasons)
  }

  /// Notes that a pass is due at an instant.
  public mutating func lookAgain(at instant: Instant) {
    nextLook = min(nextLook ?? instant, instant)
  }
}
