// Finds, among free resources, the blocks that one group of a request asks for: OAR's rule is
// first fit in the order of preference, and only the blocks of the last level must be wholly free.

import ClusterModel

/// One part of a request with everything about it that the platform decides.
final class ResolvedGroup: Sendable {
  /// The resources that satisfy its conditions.
  let eligible: ResourceSet
  let tree: BlockTree
  /// How many blocks of each level, outermost first; exact counts are at least 1.
  let counts: [BlockCount]
  /// At least so many resources are taken.
  let need: Int
  /// At least so many resources are taken of one block of each level.
  let needWithin: [Int]
  /// The counts if all are numbers, else empty.
  private let numbers: [Int]

  convenience init(frame: UnitFrame, counts: [BlockCount]) {
    self.init(eligible: frame.eligible, tree: frame.tree, counts: counts)
  }

  init(eligible: ResourceSet, tree: BlockTree, counts: [BlockCount]) {
    var needs: [Int] = []
    var need = tree.smallestLeaf
    var numbers: [Int] = []
    for count in counts.reversed() {
      needs.append(need)
      guard case .exactly(let blocks) = count else { continue }
      need = need.multipliedCapped(by: blocks)
      numbers.append(blocks)
    }
    self.eligible = eligible
    self.tree = tree
    self.counts = counts
    self.need = need
    needWithin = needs.reversed()
    self.numbers = numbers.count == counts.count ? numbers.reversed() : []
  }

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
      let half = best / 2
      guard half > 0 else { return false }
      space.remove(parent, from: &picked)
      return take(half, at: depth, within: parent, space, from: free, into: &picked) == half
    }
  }

  /// Takes the first blocks that serve, at most `limit`; gives how many.
  private func take(
    _ limit: Int, at depth: Int, within parent: BlockTree.Block, _ space: borrowing BlockSpace,
    from free: Span<UInt64>, into picked: inout MutableSpan<UInt64>
  ) -> Int {
    if depth < space.lastLevel {
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
    let isInWords = !numbers.isEmpty
    let need = needWithin[depth]
    let end = parent.children.upperBound
    var next = parent.children.lowerBound
    var taken = 0
    while taken < limit {
      next = space.firstBlock(in: next..<end, withAtLeast: need, of: free)
      if next == end { break }
      let block = space.blocks[next]
      next += 1
      if isInWords, block.word != 0 {
        let part = free[block.firstWord] & block.word
        let chosen = choose(at: depth + 1, within: block, space, from: part)
        if chosen == 0 { continue }
        picked[block.firstWord] |= chosen
      } else if !choose(at: depth + 1, within: block, space, from: free, into: &picked) {
        space.remove(block, from: &picked)
        continue
      }
      taken += 1
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
    if depth < space.lastLevel {
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

// Within a block that lies in one word, which is then all that has to be looked at.
extension ResolvedGroup {
  /// The members that the counts from the level `depth` on, all of them numbers, take of `free`, which is
  /// of `parent`; 0 if they do not suffice.
  private func choose(
    at depth: Int, within parent: BlockTree.Block, _ space: borrowing BlockSpace,
    from free: UInt64
  ) -> UInt64 {
    let wanted = numbers[depth]
    let isLast = depth == space.lastLevel
    if isLast, space.leavesAreSingle {
      return free.nonzeroBitCount >= wanted ? lowestBits(wanted, of: free) : 0
    }
    var chosen: UInt64 = 0
    var taken = 0
    for index in parent.children {
      let block = space.blocks[index]
      var part = free & block.word
      if isLast {
        guard part == block.word else { continue }
      } else {
        guard part.nonzeroBitCount >= needWithin[depth] else { continue }
        part = choose(at: depth + 1, within: block, space, from: part)
        guard part != 0 else { continue }
      }
      chosen |= part
      taken += 1
      if taken == wanted { return chosen }
    }
    return 0
  }
}

/// A tree as the search goes through it: not copied, so that nothing of it is counted on the way.
private struct BlockSpace: ~Copyable {
  let blocks: [BlockTree.Block]
  let masks: [UInt64]
  let lastLevel: Int
  let leavesAreSingle: Bool

  init(_ tree: BlockTree) {
    blocks = tree.blocks
    masks = tree.masks
    lastLevel = tree.depth - 1
    leavesAreSingle = tree.leavesAreSingle
  }
}

// Steps on the words that a block covers.
extension BlockSpace {
  /// The first of some blocks with at least `need` members in `free`; the end of `range` if there is none.
  @inline(__always)
  func firstBlock(
    in range: Range<Int>, withAtLeast need: Int, of free: Span<UInt64>
  ) -> Int {
    let blocks = blocks.span
    var index = range.lowerBound
    while index < range.upperBound {
      let word = blocks[index].word
      let count =
        word == 0
        ? count(of: blocks[index], in: free)
        : (free[blocks[index].firstWord] & word).nonzeroBitCount
      if count >= need { break }
      index += 1
    }
    return index
  }

  @inline(__always)
  func isWhole(_ block: BlockTree.Block, in free: Span<UInt64>) -> Bool {
    if block.word != 0 { return free[block.firstWord] & block.word == block.word }
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
