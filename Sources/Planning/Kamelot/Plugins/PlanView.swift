// What an assigner sees of the plan in the making: it may look for spots and change nothing.

import ClusterModel

/// The plan so far, as one job with one moldable sees it.
public struct PlanView {
  private var planner: Planner
  /// About the job; the times are put in by each question.
  private let query: SpotQuery

  public init(_ planner: consuming Planner, _ query: SpotQuery) {
    self.planner = planner
    self.query = query
  }

  /// The planner's own choice at the earliest start at `instant` or later and before the job's limit;
  /// `nil` if there is none.
  public mutating func earliestSpot(notBefore instant: Instant) -> PluginSpot? {
    var query = query
    query.notBefore = max(instant, self.query.notBefore)
    guard query.notBefore < query.limit else { return nil }
    return planner.findSpot(query).map { PluginSpot(start: $0.start, places: $0.resources) }
  }

  /// The planner's own choice for a start just then; `nil` if the request does not fit.
  public mutating func spot(at start: Instant) -> PluginSpot? {
    guard start >= query.notBefore, start < query.limit else { return nil }
    var query = query
    query.notBefore = start
    return planner.spot(query).map { PluginSpot(start: start, places: $0.resources) }
  }

  /// What matches the conditions of the request and is free from `start` to before `end`; nothing for
  /// times before the job's lower bound.
  public mutating func free(from start: Instant, to end: Instant) -> ResourceSet {
    guard start >= query.notBefore, end > start else {
      return ResourceSet(capacity: planner.platform.resources.count)
    }
    var query = query
    query.notBefore = start
    query.duration = end - start
    return planner.free(query)
  }

  /// Gives back what it was made with.
  public consuming func end() -> Planner { planner }
}
