// Finds, among free resources, the blocks that one group of a request asks for: OAR's rule is
// first fit in the order of preference, and only the blocks of the last level must be wholly free.

import ClusterModel

/// One part of a request with everything about it that the platform decides.
struct ResolvedGroup: Sendable {
  /// The resources that satisfy its conditions.
  let eligible: ResourceSet
  let tree: BlockTree
  /// How many blocks of each level, outermost first; exact counts are at least 1.
  let counts: [BlockCount]
  /// At least so many resources are taken.
  let need: Int
  /// At least so many resources are taken of one block of each level but the last.
  let needWithin: [Int]

  /// Adds to `picked` (empty before) the resources that it takes out of `free`, all of them
  /// eligible; false, and `picked` to be thrown away, if they do not suffice.
  func pick(from free: [UInt64], into picked: inout [UInt64]) -> Bool {
    let space = BlockSpace(tree)
    var picked = picked.mutableSpan
    return choose(at: 0, within: tree.root, space, from: free.span, into: &picked)
  }

  /// Chooses blocks of the level `depth` within `parent`, outer levels by recursion; no choice is
  /// ever taken back, since what one block takes changes nothing for the next.
  private func choose(
    at depth: Int, within parent: BlockTree.Block, _ space: borrowing BlockSpace,
    from free: Span<UInt64>, into picked: inout MutableSpan<UInt64>
  ) -> Bool {
    switch counts[depth] {
    case .exactly(let count):
      return take(count, at: depth, within: parent, space, from: free, into: &picked) == count
    case .all:
      let wanted = matching(at: depth, within: parent, space)
      return wanted > 0
        && take(wanted, at: depth, within: parent, space, from: free, into: &picked) == wanted
    case .best:
      return take(.max, at: depth, within: parent, space, from: free, into: &picked) > 0
    case .bestHalf:
      let best = take(.max, at: depth, within: parent, space, from: free, into: &picked)
      guard best > 1 else { return best == 1 }
      space.remove(parent, from: &picked)
      let half = best / 2
      return take(half, at: depth, within: parent, space, from: free, into: &picked) == half
    }
  }

  /// Takes the first blocks that serve, at most `limit`; gives how many.
  private func take(
    _ limit: Int, at depth: Int, within parent: BlockTree.Block, _ space: borrowing BlockSpace,
    from free: Span<UInt64>, into picked: inout MutableSpan<UInt64>
  ) -> Int {
    if depth < space.depth - 1 {
      return takeNested(limit, at: depth, within: parent, space, from: free, into: &picked)
    }
    if space.leavesAreSingle {
      return space.takeLowest(limit, of: parent, from: free, into: &picked)
    }
    var taken = 0
    for index in parent.children where space.isWhole(space.blocks[index], in: free) {
      space.add(space.blocks[index], to: &picked)
      taken += 1
      if taken == limit { break }
    }
    return taken
  }

  private func takeNested(
    _ limit: Int, at depth: Int, within parent: BlockTree.Block, _ space: borrowing BlockSpace,
    from free: Span<UInt64>, into picked: inout MutableSpan<UInt64>
  ) -> Int {
    let need = needWithin[depth]
    var taken = 0
    for index in parent.children {
      let block = space.blocks[index]
      guard space.count(of: block, in: free) >= need else { continue }
      if choose(at: depth + 1, within: block, space, from: free, into: &picked) {
        taken += 1
        if taken == limit { break }
      } else {
        space.remove(block, from: &picked)
      }
    }
    return taken
  }

  /// How many blocks `ALL` means: of the last level those wholly eligible, else those that have an
  /// eligible resource.
  private func matching(
    at depth: Int, within parent: BlockTree.Block, _ space: borrowing BlockSpace
  ) -> Int {
    let eligible = eligible.words
    var count = 0
    if depth < space.depth - 1 {
      for index in parent.children
      where space.count(of: space.blocks[index], in: eligible.span) > 0 {
        count += 1
      }
      return count
    }
    if space.leavesAreSingle { return space.count(of: parent, in: eligible.span) }
    for index in parent.children where space.isWhole(space.blocks[index], in: eligible.span) {
      count += 1
    }
    return count
  }
}

/// A tree as the search goes through it: not copied, so that nothing of it is counted on the way.
private struct BlockSpace: ~Copyable {
  let blocks: [BlockTree.Block]
  let masks: [UInt64]
  let depth: Int
  let leavesAreSingle: Bool

  init(_ tree: BlockTree) {
    blocks = tree.blocks
    masks = tree.masks
    depth = tree.depth
    leavesAreSingle = tree.leavesAreSingle
  }
}

// Steps on the words that a block covers.
extension BlockSpace {
  @inline(__always)
  func isWhole(_ block: BlockTree.Block, in free: Span<UInt64>) -> Bool {
    for offset in 0..<block.wordCount {
      let mask = masks[block.maskStart + offset]
      if free[block.firstWord + offset] & mask != mask { return false }
    }
    return true
  }

  @inline(__always)
  func count(of block: BlockTree.Block, in free: Span<UInt64>) -> Int {
    var sum = 0
    for offset in 0..<block.wordCount {
      sum += (free[block.firstWord + offset] & masks[block.maskStart + offset]).nonzeroBitCount
    }
    return sum
  }

  @inline(__always)
  func add(_ block: BlockTree.Block, to picked: inout MutableSpan<UInt64>) {
    for offset in 0..<block.wordCount {
      picked[block.firstWord + offset] |= masks[block.maskStart + offset]
    }
  }

  @inline(__always)
  func remove(_ block: BlockTree.Block, from picked: inout MutableSpan<UInt64>) {
    for offset in 0..<block.wordCount {
      picked[block.firstWord + offset] &= ~masks[block.maskStart + offset]
    }
  }

  /// Takes the first free members of a block one by one; gives how many.
  @inline(__always)
  func takeLowest(
    _ limit: Int, of block: BlockTree.Block, from free: Span<UInt64>,
    into picked: inout MutableSpan<UInt64>
  ) -> Int {
    var taken = 0
    for offset in 0..<block.wordCount {
      var word = free[block.firstWord + offset] & masks[block.maskStart + offset]
      let count = word.nonzeroBitCount
      if taken + count > limit { word = lowestBits(limit - taken, of: word) }
      picked[block.firstWord + offset] |= word
      taken += min(count, limit - taken)
      if taken == limit { break }
    }
    return taken
  }
}

/// The lowest `count` bits that are set in `word`.
@inline(__always)
private func lowestBits(_ count: Int, of word: UInt64) -> UInt64 {
  var rest = word
  for _ in 0..<count { rest &= rest &- 1 }
  return word & ~rest
}
