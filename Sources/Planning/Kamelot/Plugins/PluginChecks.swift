// Whether what a plug-in chose can be had.

import ClusterModel

extension ResolvedRequest {
  /// What is wrong with a choice of places; `nil` if it can be had.
  ///
  /// - Parameters:
  ///   - free: what is free of the request's reach during the whole job.
  ///   - keepsCounts: whether it must be just what was asked for.
  public func problem(
    with places: ResourceSet, free: ResourceSet, keepsCounts: Bool, on platform: Platform
  ) -> String? {
    guard places.capacity == platform.resources.count else {
      return "its set is for \(places.capacity) resources, and the platform has "
        + "\(platform.resources.count)"
    }
    guard !places.isEmpty else { return "it chose no resource" }
    let foreign = places.subtracting(reach)
    if !foreign.isEmpty {
      return "it chose resources that do not match: \(text(foreign, platform))"
    }
    let busy = places.subtracting(free)
    if !busy.isEmpty { return "it chose resources that are not free: \(text(busy, platform))" }
    // What the planner would choose is right in any case.
    if keepsCounts, !isFilled(by: places), pick(from: free) != places {
      return "its choice of \(counted(places.count, "resource")) is not \(self.text)"
    }
    return nil
  }

  /// Whether places are just what the request asks for: nothing is missing and nothing is left over. Of
  /// several groups one of which asks for BESTHALF, only whether nothing is missing: what is half shows
  /// only while it is known which group took what.
  private func isFilled(by places: ResourceSet) -> Bool {
    let takesHalf = fine.groups.contains { $0.counts.contains(.bestHalf) }
    if takesHalf, fine.groups.count > 1 { return pick(from: places) != nil }
    let groups = fine.groups.map { group in
      // Half of the blocks that were free: of those that are left, all are taken.
      let counts = group.counts.map { $0 == .bestHalf ? .best : $0 }
      return ResolvedGroup(eligible: group.eligible, tree: group.tree, counts: counts)
    }
    return UnitRequest(groups: groups, capacity: places.capacity, family: fine.family)
      .pick(from: places) == places
  }

  /// At most the first few, so that a message stays short.
  private func text(_ places: ResourceSet, _ platform: Platform) -> String {
    let ids = platform.ids(of: places)
    return rangesText(of: ids.prefix(16)) + (ids.count > 16 ? ", …" : "")
  }
}

extension Platform {
  /// The blocks of a property within some places, in the order of preference: what has one value of it.
  /// Empty if no resource has the property.
  public func blocks(of property: String, within places: ResourceSet) -> [ResourceSet] {
    guard hasColumn(property) else { return [] }
    let values = column(property)
    var indices: [Int32: Int] = [:]
    var blocks: [[Int]] = []
    for place in places {
      let index = indices[values[place]] ?? blocks.count
      if index == blocks.count {
        indices[values[place]] = index
        blocks.append([])
      }
      blocks[index].append(place)
    }
    return blocks.map { ResourceSet(capacity: resources.count, $0) }
  }
}
