// What plug-ins are asked. Places are positions on the platform, whose order is the order of preference.

import ClusterModel

/// What is asked of a finder.
public struct FindQuestion: Sendable {
  public var job: WaitingJob
  public var arguments: PluginArguments
  /// The index of the moldable in the job's request.
  public var moldable: Int
  public var request: ResolvedRequest
  /// The start that is looked at.
  public var start: Instant
  /// For how many seconds the resources are needed, security time included.
  public var duration: Seconds
  /// What is free all that time and matches the conditions of the request.
  public var free: ResourceSet
  public var now: Instant
  public var platform: Platform

  public init(
    job: WaitingJob, arguments: PluginArguments, moldable: Int, request: ResolvedRequest,
    start: Instant, duration: Seconds, free: ResourceSet, now: Instant, platform: Platform
  ) {
    self.job = job
    self.arguments = arguments
    self.moldable = moldable
    self.request = request
    self.start = start
    self.duration = duration
    self.free = free
    self.now = now
    self.platform = platform
  }
}

/// What is asked of an assigner.
public struct AssignQuestion: Sendable {
  public var job: WaitingJob
  public var arguments: PluginArguments
  /// The index of the moldable in the job's request.
  public var moldable: Int
  public var request: ResolvedRequest
  /// For how many seconds the resources are needed, security time included.
  public var duration: Seconds
  /// The job may start at this instant or later.
  public var notBefore: Instant
  /// It must start before this instant; the greatest number for no bound.
  public var limit: Instant
  public var now: Instant
  public var platform: Platform

  public init(
    job: WaitingJob, arguments: PluginArguments, moldable: Int, request: ResolvedRequest,
    duration: Seconds, notBefore: Instant, limit: Instant, now: Instant, platform: Platform
  ) {
    self.job = job
    self.arguments = arguments
    self.moldable = moldable
    self.request = request
    self.duration = duration
    self.notBefore = notBefore
    self.limit = limit
    self.now = now
    self.platform = platform
  }
}

/// What an assigner chooses; the end follows from the duration that the question names.
public struct PluginSpot: Hashable, Sendable {
  public var start: Instant
  public var places: ResourceSet

  public init(start: Instant, places: ResourceSet) {
    self.start = start
    self.places = places
  }
}

/// What is asked of a sorter.
public struct SortQuestion: Sendable {
  /// The names of the queues, which have one priority.
  public var queues: [String]
  /// Their waiting jobs, reservations left out, in the order in which the planner would take them.
  public var jobs: [WaitingJob]
  public var now: Instant
  public var platform: Platform

  public init(queues: [String], jobs: [WaitingJob], now: Instant, platform: Platform) {
    self.queues = queues
    self.jobs = jobs
    self.now = now
    self.platform = platform
  }
}

/// What an extra pass is given.
public struct ExtraQuestion: Sendable {
  /// The names of the queues whose turn it is.
  public var queues: [String]
  /// Their jobs in the order in which they will be planned, then their new reservations.
  public var jobs: [WaitingJob]
  /// What was decided before, in the order in which it was.
  public var placements: [Placement]
  public var now: Instant
  public var platform: Platform

  public init(
    queues: [String], jobs: [WaitingJob], placements: [Placement], now: Instant, platform: Platform
  ) {
    self.queues = queues
    self.jobs = jobs
    self.placements = placements
    self.now = now
    self.platform = platform
  }
}
