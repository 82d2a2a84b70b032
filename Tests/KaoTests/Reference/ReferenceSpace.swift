// Where jobs are placed: the whole cluster, or the resources that containers of one name offer.

import ClusterModel

/// A job that has resources for some time.
struct ReferenceClaim {
  var job: JobID
  var traits: ReferenceTraits
  var start: Instant
  /// The first instant after it.
  var end: Instant
  var resources: Set<ResourceID>
}

/// Resources that a container offers for some time.
struct ReferenceOffer {
  var start: Instant
  var end: Instant
  var resources: Set<ResourceID>
  /// Whether the container runs or starts in this pass.
  var isReady: Bool
}

/// The whole cluster, or one name's containers.
struct ReferenceSpace {
  var claims: [ReferenceClaim] = []
  /// `nil` for the whole cluster, which offers everything for ever.
  var offers: [ReferenceOffer]?

  /// The instants at which something begins or ends.
  var instants: [Instant] {
    claims.flatMap { [$0.start, $0.end] } + (offers ?? []).flatMap { [$0.start, $0.end] }
  }

  /// Those who have some of `resources` at any time from `start` to before `end`, and may not be
  /// joined by a job with `traits`.
  func obstacles(
    to traits: ReferenceTraits, on resources: Set<ResourceID>, from start: Instant, to end: Instant
  ) -> [ReferenceClaim] {
    claims.filter {
      $0.start < end && start < $0.end && !$0.resources.isDisjoint(with: resources)
        && !traits.mayJoin($0.traits)
    }
  }

  /// Whether a resource is offered all the time from `start` to before `end`.
  func offers(_ resource: ResourceID, from start: Instant, to end: Instant) -> Bool {
    guard let offers else { return true }
    var reached = start
    while reached < end {
      let next = offers.filter {
        $0.resources.contains(resource) && $0.start <= reached && reached < $0.end
      }
      guard let furthest = next.map(\.end).max() else { return false }
      reached = furthest
    }
    return true
  }

  /// Whether all of `resources` are offered at `now` by containers that run then.
  func isReady(_ resources: Set<ResourceID>, at now: Instant) -> Bool {
    guard let offers else { return true }
    return resources.allSatisfy { resource in
      offers.contains {
        $0.isReady && $0.start <= now && now < $0.end && $0.resources.contains(resource)
      }
    }
  }
}
