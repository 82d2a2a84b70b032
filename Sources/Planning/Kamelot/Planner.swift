// Places one job after another, each at its earliest start, never moving one that has a place:
// conservative backfilling.

import ClusterModel

/// Where and when a request fits.
public struct Spot: Sendable {
  public var start: Instant
  /// The first instant after it.
  public var end: Instant
  public var resources: ResourceSet

  public init(start: Instant, end: Instant, resources: ResourceSet) {
    self.start = start
    self.end = end
    self.resources = resources
  }
}

/// What a search is about.
public struct SpotQuery {
  public var request: ResolvedRequest
  public var duration: Seconds
  /// The earliest start that is wanted.
  public var notBefore: Instant
  /// The start must be before it.
  public var limit = Instant.max
  public var space: SpaceName = nil
  public var sharing = Sharing.none

  public init(_ request: ResolvedRequest, duration: Seconds, notBefore: Instant) {
    self.request = request
    self.duration = duration
    self.notBefore = notBefore
  }
}

/// The plan in the making: what is free when, in the cluster and in its containers.
public struct Planner {
  public let platform: Platform
  public private(set) var now: Instant
  private var cluster: Space
  private var containers: [String: Space] = [:]

  /// Starts with `free` free from `now` on.
  ///
  /// - Parameter requests: those that will be searched, so far as known; others are found as well, but
  ///   slower.
  package init(
    platform: Platform, now: Instant, free: ResourceSet, requests: some Sequence<ResolvedRequest>,
    shortcuts: Shortcuts = .all
  ) {
    self.platform = platform
    self.now = now
    cluster = Space(platform, from: now, free: free, shortcuts)
    cluster.prepare(requests.compactMap { $0.coarse?.grain }, from: now, free: free)
  }

  /// The first instant after now at which what is free may change, in the cluster or in a container.
  public var firstTurn: Instant {
    containers.values.reduce(cluster.firstTurn(after: now)) { min($0, $1.firstTurn(after: now)) }
  }

  /// The first instant after another at which what is free in a space may change; `Instant.max` for never.
  public func firstTurn(after instant: Instant, in space: SpaceName) -> Instant {
    guard let space else { return cluster.firstTurn(after: instant) }
    return containers[space]?.firstTurn(after: instant) ?? .max
  }

  /// Goes on at a later `now`, which is before ``firstTurn``.
  public mutating func advance(to now: Instant) {
    self.now = now
    cluster.advance(to: now)
    for name in containers.keys { containers[name]?.advance(to: now) }
  }

  /// Makes resources of the cluster busy from now on, whether they were free or not.
  public mutating func hold(_ holds: [Hold]) { cluster.hold(holds) }

  /// Lets nobody have resources from an instant on. To be called before anything else is held.
  public mutating func depart(_ resources: ResourceSet, from instant: Instant) {
    cluster.depart(resources, from: instant)
  }

  /// Whether there is a space of that name.
  public func hasSpace(_ name: SpaceName) -> Bool {
    name.map { containers[$0] != nil } ?? true
  }

  /// Makes the resources of a spot busy during its time.
  ///
  /// - Parameter isLate: whether some of them may have been promised to others.
  public mutating func take(
    _ spot: Spot, in space: SpaceName = nil, sharing: Sharing = .none,
    isLate: Bool = false
  ) {
    change(space) {
      $0.take(
        spot.resources.words, from: spot.start, to: spot.end, sharing: sharing,
        isLate: isLate)
    }
  }

  /// Gives the resources of a spot to a container during its time.
  public mutating func open(_ container: String, with spot: Spot) {
    containers[container, default: Space(containerIn: cluster, from: now)]
      .open(spot.resources, from: spot.start, to: spot.end)
  }

  /// The earliest spot; its resources are those that OAR's order prefers.
  public mutating func findSpot(_ query: SpotQuery) -> Spot? {
    // Not as the others: to give the query to a closure would copy it, in the hottest of calls.
    let found =
      query.space == nil
      ? cluster.findStart(query) : change(query.space) { $0.findStart(query) }
    return found.map { spot($0.resources, from: $0.start, for: query.duration) }
  }

  /// The spot that begins just at `query.notBefore`; `nil` if there is none.
  public mutating func spot(_ query: SpotQuery) -> Spot? {
    let start = query.notBefore
    let resources = change(query.space) {
      $0.pick(
        for: query.request, from: start, to: start.addingCapped(query.duration),
        sharing: query.sharing)
    }
    return resources.map { spot($0, from: start, for: query.duration) }
  }

  private func spot(_ words: [UInt64], from start: Instant, for duration: Seconds) -> Spot {
    Spot(
      start: start, end: start.addingCapped(duration),
      resources: ResourceSet(capacity: platform.resources.count, words: words))
  }

  /// Those resources of the request's reach that are to be had from `query.notBefore` on.
  public mutating func free(_ query: SpotQuery) -> ResourceSet {
    let start = query.notBefore
    let free = change(query.space) {
      $0.free(
        for: query.request, from: start, to: start.addingCapped(query.duration),
        sharing: query.sharing)
    }
    return free ?? ResourceSet(capacity: platform.resources.count)
  }

  @discardableResult
  private mutating func change<Result>(
    _ space: SpaceName, _ body: (inout Space) -> Result?
  ) -> Result? {
    guard let space else { return body(&cluster) }
    guard containers[space] != nil else { return nil }
    return body(&containers[space, default: Space(containerIn: cluster, from: now)])
  }
}
