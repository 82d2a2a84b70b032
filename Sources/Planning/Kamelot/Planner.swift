// Places one job after another on the timeline, each at its earliest start, never moving one that
// has a place: conservative backfilling.

import ClusterModel

/// Where and when a request fits.
public struct Spot: Sendable {
  public var start: Instant
  /// The first instant after it.
  public var end: Instant
  public var resources: ResourceSet
}

/// The plan in the making: what is free when, and what is known of requests searched before.
public struct Planner {
  public let platform: Platform
  public let now: Instant
  var timeline: Timeline
  var buffers: PickBuffers
  private var known: [ObjectIdentifier: EarliestStarts] = [:]

  /// Starts with all usable resources free from `now` on.
  public init(platform: Platform, now: Instant) {
    self.platform = platform
    self.now = now
    timeline = Timeline(from: now, free: platform.usable)
    buffers = PickBuffers(wordCount: platform.usable.words.count)
  }

  /// Makes resources busy from now on, whether they were free or not.
  public mutating func hold(_ holds: [Hold]) {
    timeline.hold(holds)
  }

  /// Makes the resources of a spot that was just found busy during its time.
  public mutating func take(_ spot: Spot) {
    timeline.take(spot.resources, from: spot.start, to: spot.end)
  }

  /// The earliest spot for `duration` seconds that begins at `notBefore` or later and before
  /// `limit`; the resources are those that OAR's order prefers.
  public mutating func findSpot(
    for request: ResolvedRequest, duration: Seconds, notBefore: Instant,
    before limit: Instant = .max
  ) -> Spot? {
    let id = ObjectIdentifier(request)
    let bound = known[id]?.bound(for: duration) ?? now
    let earliest = max(notBefore, bound)
    let found = earliestStart(for: request, duration: duration, from: earliest, before: limit)
    if notBefore <= bound {
      if bound == known[id]?.bound(for: 1) ?? now {
        known[id, default: EarliestStarts()].note(found.bound, for: 1)
      }
      known[id, default: EarliestStarts()].note(found.start ?? limit, for: duration)
    }
    guard let start = found.start else { return nil }
    return Spot(
      start: start, end: start.addingCapped(duration),
      resources: ResourceSet(capacity: platform.resources.count, words: buffers.picked))
  }

  /// Those resources of the request's reach that are free for `duration` seconds from now on.
  public mutating func freeFromNow(for duration: Seconds, in request: ResolvedRequest)
    -> ResourceSet
  {
    loadWindow(request, slots: 0...timeline.lastSlot(before: now.addingCapped(duration), from: 0))
    return ResourceSet(capacity: platform.resources.count, words: buffers.window)
  }

  /// Those resources of the request's reach that are free at this instant.
  public mutating func freeNow(in request: ResolvedRequest) -> ResourceSet {
    loadWindow(request, slots: 0...0)
    return ResourceSet(capacity: platform.resources.count, words: buffers.window)
  }
}

/// Lower bounds of the start of one request, by duration. They stay true during a pass, because
/// what is free only shrinks: a longer job can't start before a shorter one was able to.
private struct EarliestStarts {
  /// Durations and starts, both ascending.
  private var steps: [(duration: Seconds, start: Instant)] = []

  func bound(for duration: Seconds) -> Instant? {
    steps.last { $0.duration <= duration }?.start
  }

  mutating func note(_ start: Instant, for duration: Seconds) {
    let from = steps.firstIndex { $0.duration >= duration } ?? steps.count
    if from > 0, steps[from - 1].start >= start { return }
    if from < steps.count, steps[from].duration == duration, steps[from].start >= start { return }
    let to = steps[from...].firstIndex { $0.start > start } ?? steps.count
    steps.replaceSubrange(from..<to, with: [(duration, start)])
  }
}
