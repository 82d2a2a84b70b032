// The resources of the cluster in the form that planning wants.

import ClusterModel

/// All resources and their hierarchy, indexed once and shared by passes until a resource changes.
public final class Platform: Sendable {
  /// In the order in which planning prefers them.
  public let resources: [Resource]
  /// The ids of the resources in the same order.
  public let ids: [ResourceID]
  /// Resources that can be given to a job that starts now.
  public let usable: ResourceSet
  /// Resources that are up or may be woken at some time.
  let wakeable: ResourceSet
  /// Resources that sleep and may be woken, until the instant that each one names.
  let sleeping: [(place: Int, until: Instant)]
  /// Resources that are up, or can be woken, only until an instant, which each one names.
  let departing: [(place: Int, at: Instant)]
  /// Resources that blocks are made of: those in service, whether they are up or asleep.
  let inService: ResourceSet
  /// Resources that may come back some day.
  public let notDead: ResourceSet
  /// Resources of type `default`, which serve requests that do not name a type.
  let ordinary: ResourceSet
  /// How many of them are not dead: the size of the cluster, and what `ALL` means in quotas.
  public var ordinaryCount: Int { ordinary.intersection(notDead).count }
  /// Where each resource stands, worked out when first asked for.
  private let places = Memo<Bool, [ResourceID: Int]>()

  // What was worked out about the resources so far, by what asked for it.
  let columns = Memo<String, [Int32]>()
  let trees = Memo<TreeKey, BlockTree>()
  let conditions = Memo<String, ConditionResult>()
  let knownColumns = Memo<String, Bool>()
  let grains = Memo<[Int32], Grain>()
  let grainsOfTrees = Memo<ObjectIdentifier, Grain?>()
  let coarseTrees = Memo<CoarseTreeKey, BlockTree>()
  let requests = Memo<RequestKey, Resolution>()

  /// Indexes resources, which stand in the order of preference (SCHEDULER_RESOURCE_ORDER).
  public init(resources: [Resource]) {
    self.resources = resources
    ids = resources.map(\.id)
    func select(_ condition: (borrowing Resource) -> Bool) -> ResourceSet {
      var result = ResourceSet(capacity: resources.count)
      for index in resources.indices where condition(resources[index]) { result.insert(index) }
      return result
    }
    usable = select { $0.isUsable }
    wakeable = select { $0.isUsable || ($0.state == .absent && $0.availableUpto > 1) }
    sleeping = resources.indices.filter { resources[$0].state == .absent }
      .map { ($0, resources[$0].availableUpto) }
    departing = resources.indices
      .filter {
        (resources[$0].isUsable || resources[$0].state == .absent)
          && (2..<endOfTime - 1).contains(resources[$0].availableUpto)
      }
      .map { ($0, resources[$0].availableUpto) }
    inService = select { $0.state == .alive || $0.state == .absent }
    notDead = select { $0.state != .dead }
    ordinary = select { $0.type == "default" }
  }

  /// Where a resource stands in the order of preference.
  public func place(of id: ResourceID) -> Int? {
    places.value(for: true) {
      Dictionary(ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }[id]
  }

  /// Resources that a job can be planned on at `now`: those that are usable and, if wanted, those that
  /// can be woken.
  public func plannable(at now: Instant, withSleeping: Bool) -> ResourceSet {
    guard withSleeping else { return usable }
    var result = usable
    for (place, until) in sleeping where until >= now { result.insert(place) }
    return result
  }

  /// Resources that leave, with the instant of each.
  public var departures: [(until: Instant, places: [Int])] {
    Dictionary(grouping: departing, by: \.at).map { ($0.key, $0.value.map(\.place)) }
      .sorted { $0.until < $1.until }
  }

  /// The places of those resources that there are.
  public func places(of ids: some Sequence<ResourceID>) -> ResourceSet {
    ResourceSet(capacity: resources.count, ids.lazy.compactMap(place))
  }

  /// The ids of a set of places, ascending.
  public func ids(of set: ResourceSet) -> [ResourceID] {
    var result: [ResourceID] = []
    result.reserveCapacity(set.count)
    var isSorted = true
    for place in set {
      if let last = result.last, last > ids[place] { isSorted = false }
      result.append(ids[place])
    }
    return isSorted ? result : result.sorted()
  }

  /// Whether `name` is a column of the resources.
  func hasColumn(_ name: String) -> Bool {
    knownColumns.value(for: name) {
      standardResourceColumns.contains(name)
        || resources.contains { $0.properties[name] != nil }
    }
  }
}

/// On which resources a request is looked at.
public enum PlanningScope: Hashable, Sendable {
  /// Those in service, of which those that are up can be had.
  case present
  /// Those in service, whether they are up or asleep.
  case withSleeping
  /// All that may come back, as for a new job.
  case eventual
}

struct TreeKey: Hashable, Sendable {
  var levels: [String]
  var scope: PlanningScope
}

struct CoarseTreeKey: Hashable, Sendable {
  var levels: [String]
  var grain: ObjectIdentifier
}

struct RequestKey: Hashable, Sendable {
  var groups: [RequestGroup]
  var properties: String
  var scope: PlanningScope
}

extension Resource {
  /// Whether a job can be given the resource now.
  var isUsable: Bool { state == .alive }
}
