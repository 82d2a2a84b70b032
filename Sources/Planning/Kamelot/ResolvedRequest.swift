// A request with everything that the platform decides about it worked out: which resources may
// serve, and how the levels cut them into blocks.

import ClusterModel

/// What one moldable asks for, ready to be placed. Shared by all jobs that ask for the same.
public final class ResolvedRequest: Sendable {
  /// In resources.
  let fine: UnitRequest
  /// In whole blocks, where all its groups end in the same ones.
  let coarse: CoarseRequest?
  /// The request as users write it.
  public let text: String

  init(fine: UnitRequest, coarse: CoarseRequest?, text: String) {
    self.fine = fine
    self.coarse = coarse
    self.text = text
  }

  /// All resources that could ever be part of it.
  public var reach: ResourceSet { fine.reach }

  /// At least so many resources are taken.
  public var need: Int { fine.need }

  /// The resources that it takes out of `free`; `nil` if they do not suffice.
  public func pick(from free: ResourceSet) -> ResourceSet? { fine.pick(from: free) }
}

/// A request in blocks of one grain.
final class CoarseRequest: Sendable {
  let grain: Grain
  let request: UnitRequest

  init(grain: Grain, request: UnitRequest) {
    self.grain = grain
    self.request = request
  }
}

/// A request in units: resources, or blocks of a grain.
final class UnitRequest: Sendable {
  let groups: [ResolvedGroup]
  private let onlyGroup: ResolvedGroup?
  /// All units that could ever be part of it.
  let reach: ResourceSet
  /// At least so many units are taken.
  let need: Int
  let family: RequestFamily

  init(groups: [ResolvedGroup], capacity: Int, family: RequestFamily) {
    self.groups = groups
    onlyGroup = groups.count == 1 ? groups[0] : nil
    self.family = family
    reach = groups.dropFirst().reduce(groups.first?.eligible ?? ResourceSet(capacity: capacity)) {
      $0.union($1.eligible)
    }
    need = groups.reduce(0) { $0.addingCapped($1.need) }
  }

  /// Whether more that is free never makes it fail. First fit may let one of several groups take what
  /// another can't do without.
  var isMonotone: Bool { onlyGroup != nil }

  /// The units that it takes out of `free`; `nil` if they do not suffice.
  func pick(from free: ResourceSet) -> ResourceSet? {
    if let onlyGroup {
      var picked = [UInt64](repeating: 0, count: reach.words.count)
      guard onlyGroup.pick(from: reach.intersection(free).words, into: &picked) else { return nil }
      return ResourceSet(capacity: reach.capacity, words: picked)
    }
    var buffers = PickBuffers(wordCount: reach.words.count)
    Bits.copy(reach.words, into: &buffers.window)
    Bits.intersect(&buffers.window, with: free.words.span)
    guard pick(using: &buffers) else { return nil }
    return ResourceSet(capacity: reach.capacity, words: buffers.picked)
  }

  /// Takes units out of `buffers.window`, a part of `reach`, into `buffers.picked`.
  func pick(using buffers: inout PickBuffers) -> Bool {
    Bits.clear(&buffers.picked)
    if let onlyGroup { return onlyGroup.pick(from: buffers.window, into: &buffers.picked) }
    for group in groups {
      guard pick(group, using: &buffers) else { return false }
    }
    return true
  }

  /// Takes one of several groups out of what the ones before it left.
  private func pick(_ group: ResolvedGroup, using buffers: inout PickBuffers) -> Bool {
    Bits.copy(buffers.window, into: &buffers.groupFree)
    Bits.intersect(&buffers.groupFree, with: group.eligible.words)
    Bits.subtract(buffers.picked, from: &buffers.groupFree)
    Bits.clear(&buffers.groupPicked)
    guard group.pick(from: buffers.groupFree, into: &buffers.groupPicked) else { return false }
    Bits.add(buffers.groupPicked, to: &buffers.picked)
    return true
  }
}

/// Sets that a search works on, kept from search to search.
struct PickBuffers {
  /// What is free during the whole of a job.
  var window: [UInt64]
  /// What is free during a part of it.
  var saved: [UInt64]
  /// What was taken of the window.
  var picked: [UInt64]
  var groupFree: [UInt64]
  var groupPicked: [UInt64]
  /// What is free in one slot, others' shares included.
  var slot: [UInt64]

  init(wordCount: Int) {
    window = [UInt64](repeating: 0, count: wordCount)
    saved = window
    picked = window
    groupFree = window
    groupPicked = window
    slot = window
  }

  mutating func intersectWindowWithSlot() { Bits.intersect(&window, with: slot) }
}
