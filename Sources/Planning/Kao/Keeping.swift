// What jobs really keep from others: suspended jobs give up some of their resources, and what every job gets
// besides its own is nobody's alone.

import ClusterModel
import Kamelot

extension Snapshot {
  /// The same, with of each job's resources only those that it keeps from others. A suspended job that
  /// keeps none counts no more.
  func withWhatJobsKeep() -> Snapshot {
    let shared = settings.alwaysAssignedTypes
    // By place: to copy a job means to count all that it holds.
    let hasSuspended = holding.indices.contains { holding[$0].isSuspended }
    guard hasSuspended || !shared.isEmpty else { return self }
    let ofNobody = platform.resources(ofTypes: shared)
    let given = ofNobody.union(
      hasSuspended ? platform.resources(ofTypes: settings.suspendedTypes) : [])
    var snapshot = self
    for index in holding.indices {
      let gone = holding[index].isSuspended ? given : ofNobody
      if !gone.isEmpty { snapshot.holding[index].resources.removeAll(where: gone.contains) }
    }
    snapshot.holding.removeAll { $0.isSuspended && $0.resources.isEmpty }
    guard !ofNobody.isEmpty else { return snapshot }
    for index in waiting.indices where waiting[index].reservation?.promised != nil {
      snapshot.waiting[index].reservation?.promised?.resources.removeAll(where: ofNobody.contains)
    }
    return snapshot
  }
}

extension Plan {
  /// Gives each job the resources that every job gets, those that are up, besides its own.
  mutating func addAlwaysAssigned(in snapshot: Snapshot) {
    let types = snapshot.settings.alwaysAssignedTypes
    guard !types.isEmpty else { return }
    let platform = snapshot.platform
    let shared = platform.places(of: platform.resources(ofTypes: types))
      .intersection(platform.usable)
    guard !shared.isEmpty else { return }
    for index in starts.indices { starts[index].places.formUnion(shared) }
    for index in predictions.indices { predictions[index].places.formUnion(shared) }
  }
}

extension Platform {
  fileprivate func resources(ofTypes types: Set<String>) -> Set<ResourceID> {
    if types.isEmpty { return [] }
    return Set(resources.lazy.filter { types.contains($0.type) }.map(\.id))
  }
}
