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
  /// Resources that blocks are made of: those in service, whether they are up or asleep.
  let inService: ResourceSet
  /// Resources that may come back some day.
  let notDead: ResourceSet
  /// Resources of type `default`, which serve requests that do not name a type.
  let ordinary: ResourceSet
  /// The site's own properties that some resource has.
  let siteProperties: Set<String>
  private let places: [ResourceID: Int]

  // What was worked out about the resources so far, by what asked for it.
  let columns = Memo<String, [Int32]>()
  let trees = Memo<TreeKey, BlockTree>()
  let conditions = Memo<String, ConditionResult>()
  let requests = Memo<RequestKey, Resolution>()

  /// Indexes resources, which stand in the order of preference (SCHEDULER_RESOURCE_ORDER).
  public init(resources: [Resource]) {
    self.resources = resources
    ids = resources.map(\.id)
    places = Dictionary(ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    siteProperties = resources.reduce(into: []) { $0.formUnion($1.properties.keys) }
    func select(_ condition: (Resource) -> Bool) -> ResourceSet {
      let members = resources.indices.filter { condition(resources[$0]) }
      return ResourceSet(capacity: resources.count, members)
    }
    usable = select(\.isUsable)
    inService = select { $0.state == .alive || $0.state == .absent }
    notDead = select { $0.state != .dead }
    ordinary = select { $0.type == "default" }
  }

  /// Where a resource stands in the order of preference.
  public func place(of id: ResourceID) -> Int? { places[id] }

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
    siteProperties.contains(name) || standardResourceColumns.contains(name)
  }
}

/// On which resources a request is looked at.
enum PlanningScope: Hashable, Sendable {
  /// Those in service, as for a plan.
  case present
  /// All that may come back, as for a new job.
  case eventual
}

struct TreeKey: Hashable, Sendable {
  var levels: [String]
  var scope: PlanningScope
}

struct RequestKey: Hashable, Sendable {
  var groups: [RequestGroup]
  var properties: String
  var scope: PlanningScope
}

extension Resource {
  /// Whether a job can be given the resource now. Sleeping resources that can be woken belong
  /// here once nodes are woken on demand.
  var isUsable: Bool { state == .alive }
}
