// What requests take of free resources, by first fit: blocks cut anew each time. It knows requests on
// any property, and of conditions `host='…'` and `core<=…` only.

import ClusterModel
import Kamelot

/// First fit on sets of ids.
struct ReferenceRequests {
  /// In the order in which they are preferred.
  let resources: [Resource]
  let now: Instant

  init(_ snapshot: Snapshot) {
    resources = snapshot.platform.resources
    now = snapshot.now
  }

  /// The groups of a moldable in the order in which they choose: as written, or the choosiest first
  /// if the whole cluster would not suffice otherwise; `nil` if it never suffices.
  func order(
    of moldable: Moldable, for job: WaitingJob, _ traits: ReferenceTraits
  ) -> [RequestGroup]? {
    let whole = Set(resources.filter { $0.serves(traits, at: now) }.map(\.id))
    if pick(moldable.groups, for: job, traits, from: whole) != nil { return moldable.groups }
    let members = members(for: traits)
    func choice(_ group: RequestGroup) -> Int {
      group.levels.contains { $0.count == .best || $0.count == .bestHalf }
        ? .max : members.count { isEligible($0, group, job) }
    }
    let careful = moldable.groups.sorted { choice($0) < choice($1) }
    return pick(careful, for: job, traits, from: whole) == nil ? nil : careful
  }

  /// What the groups take of `free`, one after the other.
  func pick(
    _ groups: [RequestGroup], for job: WaitingJob, _ traits: ReferenceTraits,
    from free: Set<ResourceID>
  ) -> Set<ResourceID>? {
    var left = free
    var all: Set<ResourceID> = []
    for group in groups {
      let eligible = resources.filter { isEligible($0, group, job) }
      let picked = pick(
        group.levels[...], of: members(for: traits), eligible: Set(eligible.map(\.id)), free: left)
      guard let picked else { return nil }
      all.formUnion(picked)
      left.subtract(picked)
    }
    return all
  }

  /// Whether a request may take more or less depending on what is free.
  func varies(_ moldable: Moldable, _ traits: ReferenceTraits) -> Bool {
    moldable.groups.contains { group in
      let counts = group.levels.map(\.count)
      if counts.contains(.best) || counts.contains(.bestHalf) || counts.contains(.all) {
        return true
      }
      let last = group.levels.last.map { blocks(of: members(for: traits), by: $0.property) } ?? []
      return Set(last.map(\.count)).count > 1
    }
  }

  /// The resources that blocks are made of.
  private func members(for traits: ReferenceTraits) -> [Resource] {
    resources.filter {
      traits.isPermissive ? $0.state != .dead : $0.state == .alive || $0.state == .absent
    }
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
    case .bestHalf: wanted = served.count / 2
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

  /// Whether a resource satisfies the conditions of a job and of a part of its request.
  func isEligible(_ resource: Resource, _ group: RequestGroup, _ job: WaitingJob) -> Bool {
    matches(job.properties, resource) && matches(group.properties, resource)
  }

  private func matches(_ condition: String, _ resource: Resource) -> Bool {
    if condition.hasPrefix("host='") {
      return resource.networkAddress == condition.dropFirst(6).dropLast()
    }
    if condition.hasPrefix("core<=") { return resource.id <= Int(condition.dropFirst(6)) ?? 0 }
    return true
  }
}
