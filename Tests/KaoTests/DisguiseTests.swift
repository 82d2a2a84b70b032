// What must change no plan: the order of what has no order, the names of things, and jobs that no pass
// looks at.

import ClusterModel
import Kamelot
import Kao
import Testing

/// The same scenario in other words.
private struct Disguise {
  var name: String
  var snapshot: Snapshot
  /// A job that was added and must not matter.
  var stranger: JobID?
  /// Whether reasons are told by other names, or for another of several causes.
  var changesReasons = false
}

extension PropertyTests {
  @Test(
    "the order of what has no order, names, and jobs of inactive queues, change nothing",
    arguments: Sample.parts)
  func irrelevantInput(part: UInt64) {
    Sample.checkWithQuotas(part) { snapshot, quotas in
      let plan = Kao.plan(snapshot)
      for disguise in disguises(of: snapshot) + inQuotas(of: snapshot, quotas) {
        var again = Kao.plan(disguise.snapshot)
        if let stranger = disguise.stranger { again.reasons[stranger] = nil }
        if disguise.changesReasons { again.reasons = plan.reasons }
        if !again.isSame(as: plan) {
          return ("\(disguise.name) changes the plan:\n\(again.description)", plan)
        }
      }
      return nil
    }
  }

  private func disguises(of snapshot: Snapshot) -> [Disguise] {
    var holders = snapshot
    holders.holding.reverse()
    for index in holders.holding.indices { holders.holding[index].resources.reverse() }
    var queues = snapshot
    queues.queues.reverse()
    queues.queues.insert(Queue(name: "unused", priority: 7), at: 0)
    var stranger = snapshot
    stranger.queues.append(Queue(name: "shut", priority: 20, isActive: false))
    stranger.waiting.insert(waiting(98, ("/core=1", 100), queue: "shut"), at: 0)
    return [
      Disguise(name: "the order of holding jobs", snapshot: holders),
      Disguise(name: "the order of queues, or one without jobs,", snapshot: queues),
      Disguise(name: "a job of an inactive queue", snapshot: stranger, stranger: 98),
      types(of: snapshot), properties(of: snapshot), rows(of: snapshot), hosts(of: snapshot),
    ]
  }

  /// Quotas compare the names of types in the order of the job's types: there it means something.
  private func types(of snapshot: Snapshot) -> Disguise {
    var types = snapshot
    if snapshot.quotas == nil {
      for index in types.waiting.indices { types.waiting[index].types.reverse() }
      for index in types.holding.indices { types.holding[index].types.reverse() }
    }
    // Of several types that are refused, any may be told.
    return Disguise(name: "the order of types", snapshot: types, changesReasons: true)
  }

  private func properties(of snapshot: Snapshot) -> Disguise {
    var other = snapshot
    other.platform = Platform(
      resources: snapshot.platform.resources.map { resource in
        var other = resource
        other.properties = [:]
        for name in resource.properties.keys.reversed() {
          other.properties[name] = resource.properties[name]
        }
        return other
      })
    return Disguise(name: "the order of properties", snapshot: other)
  }

  /// Rows in any order, as a database gives them, are preferred by SCHEDULER_RESOURCE_ORDER.
  private func rows(of snapshot: Snapshot) -> Disguise {
    var other = snapshot
    let text = "preference ASC"
    let rows = snapshot.platform.resources.enumerated().map { place, resource in
      var row = resource
      row.properties["preference"] = .integer(place)
      return row
    }
    if let order = try? ResourceOrder(text) {
      other.platform = Platform(resources: order.sorted(rows.sorted { $0.id > $1.id }))
    }
    return Disguise(name: "the order of the resources' rows", snapshot: other)
  }

  /// Hosts have other names, in another alphabetical order.
  private func hosts(of snapshot: Snapshot) -> Disguise {
    func renamed(_ text: String) -> String {
      guard text.contains("h") else { return text }
      return (1...9).reduce(text) { text, number in
        text.split(separator: "h\(number)", omittingEmptySubsequences: false)
          .joined(separator: "zone-\(9 - number).x")
      }
    }
    var other = snapshot
    other.platform = Platform(
      resources: snapshot.platform.resources.map { resource in
        var other = resource
        other.networkAddress = renamed(resource.networkAddress)
        other.properties["host"] = .text(other.networkAddress)
        return other
      })
    for job in other.waiting.indices {
      other.waiting[job].properties = renamed(other.waiting[job].properties)
      for moldable in other.waiting[job].moldables.indices {
        for group in other.waiting[job].moldables[moldable].groups.indices {
          let condition = other.waiting[job].moldables[moldable].groups[group].properties
          other.waiting[job].moldables[moldable].groups[group].properties = renamed(condition)
        }
      }
    }
    return Disguise(name: "the names of hosts", snapshot: other, changesReasons: true)
  }

  /// Rules and sections in another order, and rules for people who have no jobs.
  private func inQuotas(of snapshot: Snapshot, _ quotas: RandomQuotas?) -> [Disguise] {
    guard let quotas else { return [] }
    var reversed = snapshot
    reversed.quotas = quotas.quotas(isReversed: true)
    var longer = snapshot
    longer.quotas = quotas.quotas(
      with: "\"*,*,*,nobody\": [0, 0, 0], \"none,/,ghost,*\": [0, 0, 0]")
    return [
      Disguise(name: "the order of the quotas' rules", snapshot: reversed),
      Disguise(name: "a rule for nobody", snapshot: longer),
    ]
  }
}

extension Plan {
  func isSame(as other: Plan) -> Bool {
    starts == other.starts && predictions == other.predictions && reasons == other.reasons
      && victims == other.victims && checkpoints == other.checkpoints
      && nextLook == other.nextLook
  }
}
