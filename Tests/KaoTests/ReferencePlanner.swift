// A planner that is as simple as can be, to check the real one against: sets of ids, every start
// tried, nothing remembered. It knows requests on `host` and `core` and no other properties.

import ClusterModel
import Kamelot

/// Conservative backfilling by trying everything.
struct ReferencePlanner {
  struct Allocation {
    var job: JobID
    var start: Instant
    /// The first instant after it.
    var end: Instant
    var resources: Set<ResourceID>
  }

  let resources: [Resource]
  let now: Instant
  var allocations: [Allocation] = []

  init(_ snapshot: Snapshot) {
    resources = snapshot.platform.resources
    now = snapshot.now
  }

  /// The ids that nobody has at any time from `start` to before `end`.
  func free(from start: Instant, to end: Instant) -> Set<ResourceID> {
    var free = Set(resources.filter { $0.state == .alive }.map(\.id))
    for allocation in allocations where allocation.start < end && start < allocation.end {
      free.subtract(allocation.resources)
    }
    return free
  }

  /// The earliest start of any moldable by earliest finish; all moldables if several tie.
  func bestPlace(
    of job: WaitingJob, durations: [Seconds], notBefore: Instant
  ) -> (start: Instant, moldable: Int, resources: Set<ResourceID>)? {
    var best: (start: Instant, moldable: Int, resources: Set<ResourceID>)?
    for (index, moldable) in job.moldables.enumerated() {
      let starts = Set([notBefore] + allocations.map(\.end).filter { $0 > notBefore }).sorted()
      for start in starts {
        if let best, best.start + durations[best.moldable] <= start + durations[index] { break }
        let free = free(from: start, to: start + durations[index])
        if let picked = pick(moldable, of: job, from: free) {
          best = (start, index, picked)
          break
        }
      }
    }
    return best
  }

  /// What a moldable takes of `free` by first fit, its groups one after the other: as written, or
  /// the choosiest first if the whole cluster would not suffice otherwise.
  func pick(
    _ moldable: Moldable, of job: WaitingJob, from free: Set<ResourceID>
  ) -> Set<ResourceID>? {
    let alive = Set(resources.filter { $0.state == .alive }.map(\.id))
    if pick(moldable.groups, of: job, from: alive) != nil {
      return pick(moldable.groups, of: job, from: free)
    }
    let inService = resources.filter { $0.state == .alive || $0.state == .absent }
    func choice(_ group: RequestGroup) -> Int {
      group.levels.contains { $0.count == .best || $0.count == .bestHalf }
        ? .max : inService.count { matches(job.properties, $0) && matches(group.properties, $0) }
    }
    let careful = moldable.groups.sorted { choice($0) < choice($1) }
    guard pick(careful, of: job, from: alive) != nil else { return nil }
    return pick(careful, of: job, from: free)
  }

  private func pick(
    _ groups: [RequestGroup], of job: WaitingJob, from free: Set<ResourceID>
  ) -> Set<ResourceID>? {
    var left = free
    var all: Set<ResourceID> = []
    for group in groups {
      let eligible = resources.filter {
        matches(job.properties, $0) && matches(group.properties, $0)
      }
      let waitsForAll = group.levels.contains { $0.count == .all }
      if waitsForAll, eligible.contains(where: { $0.state == .suspected }) { return nil }
      let members = resources.filter { $0.state == .alive || $0.state == .absent }
      guard
        let picked = pick(
          group.levels[...], of: members, eligible: Set(eligible.map(\.id)), free: left)
      else { return nil }
      all.formUnion(picked)
      left.subtract(picked)
    }
    return all
  }

  private func pick(
    _ levels: ArraySlice<RequestLevel>, of members: [Resource], eligible: Set<ResourceID>,
    free: Set<ResourceID>
  ) -> Set<ResourceID>? {
    guard let level = levels.first else { return nil }
    let isLast = levels.count == 1
    var served: [Set<ResourceID>] = []
    var wanted = 0
    for block in blocks(of: members, by: level.property) {
      let ids = Set(block.map(\.id))
      if isLast {
        if ids.isSubset(of: eligible) { wanted += 1 }
        if ids.isSubset(of: eligible.intersection(free)) { served.append(ids) }
      } else {
        if !ids.isDisjoint(with: eligible) { wanted += 1 }
        let inner = pick(levels.dropFirst(), of: block, eligible: eligible, free: free)
        if let inner { served.append(inner) }
      }
    }
    switch level.count {
    case .exactly(let count): wanted = count
    case .all: break
    case .best: wanted = served.count
    case .bestHalf: wanted = served.count > 1 ? served.count / 2 : served.count
    }
    guard wanted > 0, served.count >= wanted else { return nil }
    return served.prefix(wanted).reduce(into: []) { $0.formUnion($1) }
  }

  private func blocks(of members: [Resource], by property: String) -> [[Resource]] {
    var values: [PropertyValue] = []
    for member in members {
      if let value = member.value(of: property), !values.contains(value) { values.append(value) }
    }
    return values.map { value in members.filter { $0.value(of: property) == value } }
  }

  /// Understands nothing, `host='…'` and `core<=…`.
  private func matches(_ condition: String, _ resource: Resource) -> Bool {
    if condition.hasPrefix("host='") {
      return resource.networkAddress == condition.dropFirst(6).dropLast()
    }
    if condition.hasPrefix("core<=") { return resource.id <= Int(condition.dropFirst(6)) ?? 0 }
    return true
  }
}
