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
    var picked = picked.mutableSpan
    return choose(at: 0, within: tree.root, from: free.span, into: &picked)
  }

  /// Chooses blocks of the level `depth` within `parent`, outer levels by recursion; no choice is
  /// ever taken back, since what one block takes changes nothing for the next.
  private func choose(
    at depth: Int, within parent: BlockTree.Block, from free: Span<UInt64>,
    into picked: inout MutableSpan<UInt64>
  ) -> Bool {
    switch counts[depth] {
    case .exactly(let count):
      return take(count, at: depth, within: parent, from: free, into: &picked) == count
    case .all:
      let wanted = matching(at: depth, within: parent)
      return wanted > 0
        && take(wanted, at: depth, within: parent, from: free, into: &picked) == wanted
    case .best:
      return take(.max, at: depth, within: parent, from: free, into: &picked) > 0
    case .bestHalf:
      let best = take(.max, at: depth, within: parent, from: free, into: &picked)
      guard best > 1 else { return best == 1 }
      tree.remove(parent, from: &picked)
      return take(best / 2, at: depth, within: parent, from: free, into: &picked) == best / 2
    }
  }

  /// Takes the first blocks that serve, at most `limit`; gives how many.
  private func take(
    _ limit: Int, at depth: Int, within parent: BlockTree.Block, from free: Span<UInt64>,
    into picked: inout MutableSpan<UInt64>
  ) -> Int {
    if depth < tree.depth - 1 {
      return takeNested(limit, at: depth, within: parent, from: free, into: &picked)
    }
    if tree.leavesAreSingle {
      return tree.takeLowest(limit, of: parent, from: free, into: &picked)
    }
    let blocks = tree.levels[depth]
    var taken = 0
    for index in parent.children where tree.isWhole(blocks[index], in: free) {
      tree.add(blocks[index], to: &picked)
      taken += 1
      if taken == limit { break }
    }
    return taken
  }

  private func takeNested(
    _ limit: Int, at depth: Int, within parent: BlockTree.Block, from free: Span<UInt64>,
    into picked: inout MutableSpan<UInt64>
  ) -> Int {
    let blocks = tree.levels[depth]
    let masks = tree.masks
    let need = needWithin[depth]
    var taken = 0
    for index in parent.children {
      let block = blocks[index]
      guard count(block, masks.span, in: free) >= need else { continue }
      if choose(at: depth + 1, within: block, from: free, into: &picked) {
        taken += 1
        if taken == limit { break }
      } else {
        tree.remove(block, from: &picked)
      }
    }
    return taken
  }

  /// How many blocks `ALL` means: of the last level those wholly eligible, else those that have an
  /// eligible resource.
  private func matching(at depth: Int, within parent: BlockTree.Block) -> Int {
    let eligible = eligible.words.span
    if depth < tree.depth - 1 {
      return parent.children.count { tree.count(of: tree.levels[depth][$0], in: eligible) > 0 }
    }
    if tree.leavesAreSingle { return tree.count(of: parent, in: eligible) }
    return parent.children.count { tree.isWhole(tree.levels[depth][$0], in: eligible) }
  }
}

// Steps on the words that a block covers.
extension BlockTree {
  @inline(__always)
  fileprivate func isWhole(_ block: Block, in free: Span<UInt64>) -> Bool {
    for offset in 0..<block.wordCount {
      let mask = masks[block.maskStart + offset]
      if free[block.firstWord + offset] & mask != mask { return false }
    }
    return true
  }

  @inline(__always)
  fileprivate func count(of block: Block, in free: Span<UInt64>) -> Int {
    var sum = 0
    for offset in 0..<block.wordCount {
      sum += (free[block.firstWord + offset] & masks[block.maskStart + offset]).nonzeroBitCount
    }
    return sum
  }

  @inline(__always)
  fileprivate func add(_ block: Block, to picked: inout MutableSpan<UInt64>) {
    for offset in 0..<block.wordCount {
      picked[block.firstWord + offset] |= masks[block.maskStart + offset]
    }
  }

  @inline(__always)
  fileprivate func remove(_ block: Block, from picked: inout MutableSpan<UInt64>) {
    for offset in 0..<block.wordCount {
      picked[block.firstWord + offset] &= ~masks[block.maskStart + offset]
    }
  }

  /// Takes the first free members of a block one by one; gives how many.
  @inline(__always)
  fileprivate func takeLowest(
    _ limit: Int, of block: Block, from free: Span<UInt64>, into picked: inout MutableSpan<UInt64>
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

/// How many members of a block are free.
@inline(__always)
private func count(
  _ block: BlockTree.Block, _ masks: Span<UInt64>, in free: Span<UInt64>
) -> Int {
  var sum = (free[block.firstWord] & masks[block.maskStart]).nonzeroBitCount
  for offset in 1..<max(1, block.wordCount) {
    sum += (free[block.firstWord + offset] & masks[block.maskStart + offset]).nonzeroBitCount
  }
  return sum
}

/// The lowest `count` bits that are set in `word`.
@inline(__always)
private func lowestBits(_ count: Int, of word: UInt64) -> UInt64 {
  var rest = word
  for _ in 0..<count { rest &= rest &- 1 }
  return word & ~rest
}
