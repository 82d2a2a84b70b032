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
  private let places: PlaceTable

  // What was worked out about the resources so far, by what asked for it.
  let columns = Memo<String, [Int32]>()
  let trees = Memo<TreeKey, BlockTree>()
  let conditions = Memo<String, ConditionResult>()
  let knownColumns = Memo<String, Bool>()
  let grains = Memo<GrainKey, Grain>()
  let grainsOfTrees = Memo<ObjectIdentifier, Grain?>()
  let coarseTrees = Memo<CoarseTreeKey, BlockTree>()
  let families = Counter()
  let frames = Memo<FrameKey, Result<GroupFrame, Refusal>>()
  let requests = Memo<RequestKey, Resolution>()

  /// Indexes resources, which stand in the order of preference (SCHEDULER_RESOURCE_ORDER).
  public init(resources: [Resource]) {
    self.resources = resources
    var ids: [ResourceID] = []
    ids.reserveCapacity(resources.count)
    var states = States(capacity: resources.count)
    let all = resources.span
    for place in all.indices {
      ids.append(all[place].id)
      states.note(
        all[place].state, isOrdinary: all[place].type == "default",
        upto: all[place].availableUpto, at: place)
    }
    self.ids = ids
    places = PlaceTable(ids)
    func set(_ words: [UInt64]) -> ResourceSet {
      ResourceSet(capacity: resources.count, words: words)
    }
    usable = set(states.alive)
    sleeping = states.sleeping
    departing = states.departing
    inService = set(states.inService)
    notDead = set(states.notDead)
    ordinary = set(states.ordinary)
    wakeable = set(states.wakeable)
  }

  /// Where a resource stands in the order of preference.
  public func place(of id: ResourceID) -> Int? { places[id] }

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

/// Where each resource stands, by its id. Ids are mostly small: then it is a plain table.
private struct PlaceTable {
  private var table: [Int32] = []
  private var others: [ResourceID: Int] = [:]

  init(_ ids: [ResourceID]) {
    let limit = 4 * ids.count + 64
    table = [Int32](repeating: -1, count: min(limit, max(0, ids.max() ?? -1) + 1))
    // The first of those with one id.
    for (place, id) in ids.enumerated().reversed() {
      if table.indices.contains(id) { table[id] = Int32(place) } else { others[id] = place }
    }
  }

  subscript(id: ResourceID) -> Int? {
    guard table.indices.contains(id) else { return others[id] }
    return table[id] < 0 ? nil : Int(table[id])
  }
}

/// Resources by what their states allow, 64 to a word.
private struct States {
  var alive: [UInt64]
  var wakeable: [UInt64]
  var inService: [UInt64]
  var notDead: [UInt64]
  var ordinary: [UInt64]
  var sleeping: [(place: Int, until: Instant)] = []
  var departing: [(place: Int, at: Instant)] = []

  init(capacity: Int) {
    alive = [UInt64](repeating: 0, count: ResourceSet.wordCount(capacity))
    wakeable = alive
    inService = alive
    notDead = alive
    ordinary = alive
  }

  /// - Parameter upto: OAR's `available_upto`: 0 and 1 keep a sleeping resource asleep, the two greatest
  ///   values are no date.
  mutating func note(_ state: ResourceState, isOrdinary: Bool, upto: Instant, at place: Int) {
    let word = place / 64
    let bit: UInt64 = 1 << UInt64(place % 64)
    if isOrdinary { ordinary[word] |= bit }
    if state != .dead { notDead[word] |= bit }
    guard state == .alive || state == .absent else { return }
    inService[word] |= bit
    if state == .alive { alive[word] |= bit }
    if state == .absent, upto > 1 { sleeping.append((place, upto)) }
    if state == .alive || upto > 1 { wakeable[word] |= bit }
    if (2..<endOfTime - 1).contains(upto) { departing.append((place, upto)) }
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

/// What a group asks for but for the counts.
struct FrameKey: Hashable, Sendable {
  var levels: [String]
  var jobCondition: String
  var groupCondition: String
  var scope: PlanningScope
}

struct RequestKey: Hashable, Sendable {
  var groups: [RequestGroup]
  var properties: String
  var scope: PlanningScope

  /// By counts and conditions alone: the names of levels are few, and most conditions empty.
  func hash(into hasher: inout Hasher) {
    hasher.combine(scope)
    if !properties.isEmpty { hasher.combine(properties) }
    for group in groups {
      if !group.properties.isEmpty { hasher.combine(group.properties) }
      for level in group.levels { hasher.combine(level.count) }
    }
  }
}
