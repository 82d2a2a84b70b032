// The blocks that a list of levels cuts the resources into: for `host/cpu`, the hosts and within
// each host its cpus. Built once per list of levels and platform.

import ClusterModel

/// Resources cut into blocks of equal values, level within level.
final class BlockTree: Sendable {
  /// The resources with one value per level so far.
  struct Block: Sendable {
    /// Its members if they are all in one word, which most blocks are; else 0.
    fileprivate(set) var word: UInt64 = 0
    private let first: Int32
    private let count: Int32
    private let start: Int32
    private var childStart: Int32 = 0
    private var childEnd: Int32 = 0

    init(firstWord: Int, wordCount: Int, maskStart: Int) {
      first = Int32(firstWord)
      count = Int32(wordCount)
      start = Int32(maskStart)
    }

    /// Its members: `masks[maskStart ..< maskStart + wordCount]`, the first of which is word
    /// `firstWord` of a set.
    var firstWord: Int { Int(first) }
    var wordCount: Int { Int(count) }
    var maskStart: Int { Int(start) }

    /// Its blocks in the level below, by their place in `blocks`; empty below the last level and where
    /// `leavesAreSingle`.
    var children: Range<Int> {
      get { Int(childStart)..<Int(childEnd) }
      set {
        childStart = Int32(newValue.lowerBound)
        childEnd = Int32(newValue.upperBound)
      }
    }
  }

  /// The blocks, level after level, outermost first, those of one parent together, in order of
  /// preference. If `leavesAreSingle` the last level is left out.
  let blocks: [Block]
  /// Those of the last level.
  let leaves: Range<Int>
  /// All members: the parent of the outermost blocks.
  let root: Block
  let masks: [UInt64]
  /// Whether each block of the last level is one resource, as cores mostly are.
  let leavesAreSingle: Bool
  /// The members of the smallest block of the last level, at least 1.
  let smallestLeaf: Int
  let depth: Int

  /// Cuts `members` by `columns`: for each level, a number for the value of each resource.
  init(members: ResourceSet, columns: [[Int32]]) {
    var builder = BlockTreeBuilder(members: members, columns: columns)
    builder.build()
    blocks = builder.blocks
    leaves = builder.level
    root = builder.root
    masks = builder.masks
    leavesAreSingle = builder.leavesAreSingle
    smallestLeaf = max(1, builder.smallestLeaf)
    depth = columns.count
  }
}

/// Builds a tree level by level.
private struct BlockTreeBuilder {
  let columns: [[Int32]]
  let members: [Int]
  var blocks: [BlockTree.Block] = []
  /// The blocks of the level that was built last.
  var level = 0..<0
  var root = BlockTree.Block(firstWord: 0, wordCount: 0, maskStart: 0)
  var masks: [UInt64] = []
  var leavesAreSingle = false
  var smallestLeaf = Int.max
  /// For each value of a column the part that it is the value of; -1 for none.
  private var partOfValue: [Int] = []

  init(members: ResourceSet, columns: [[Int32]]) {
    self.members = Array(members)
    self.columns = columns
  }

  mutating func build() {
    root = block(of: members)
    var parts = [members]
    for (depth, column) in columns.enumerated() {
      let isLast = depth == columns.count - 1
      if isLast, !members.isEmpty, parts.allSatisfy({ isDistinct($0, in: column) }) {
        leavesAreSingle = true
        smallestLeaf = 1
        return
      }
      var nextParts: [[Int]] = []
      var children: [Range<Int>] = []
      let first = blocks.count
      for part in parts {
        let cut = cut(part, by: column)
        children.append(first + nextParts.count..<first + nextParts.count + cut.count)
        nextParts += cut
      }
      if isLast { smallestLeaf = nextParts.lazy.map(\.count).min() ?? 1 }
      for part in nextParts { blocks.append(block(of: part)) }
      link(children)
      level = first..<blocks.count
      parts = nextParts
    }
  }

  /// Tells the blocks of the level above, or the root, which blocks are theirs.
  private mutating func link(_ children: [Range<Int>]) {
    if level.isEmpty {
      root.children = children.first ?? 0..<0
    } else {
      for (index, range) in zip(level, children) { blocks[index].children = range }
    }
  }

  /// Whether each member has another value, as cores mostly have.
  private mutating func isDistinct(_ part: [Int], in column: [Int32]) -> Bool {
    var count = 0
    for member in part {
      let value = Int(column[member])
      growTable(to: value)
      if partOfValue[value] >= 0 { break }
      partOfValue[value] = 0
      count += 1
    }
    for member in part.prefix(count) { partOfValue[Int(column[member])] = -1 }
    return count == part.count
  }

  private mutating func growTable(to value: Int) {
    guard value >= partOfValue.count else { return }
    partOfValue += repeatElement(-1, count: max(64, 2 * value) - partOfValue.count + 1)
  }

  /// Parts of equal values in the order in which the values come.
  private mutating func cut(_ part: [Int], by column: [Int32]) -> [[Int]] {
    var parts: [[Int]] = []
    for member in part {
      let value = Int(column[member])
      growTable(to: value)
      if partOfValue[value] >= 0 {
        parts[partOfValue[value]].append(member)
      } else {
        partOfValue[value] = parts.count
        parts.append([member])
      }
    }
    for one in parts { partOfValue[Int(column[one[0]])] = -1 }
    return parts
  }

  private mutating func block(of part: [Int]) -> BlockTree.Block {
    guard let first = part.first, let last = part.last else {
      return BlockTree.Block(firstWord: 0, wordCount: 0, maskStart: masks.count)
    }
    let firstWord = first / 64
    let wordCount = last / 64 - firstWord + 1
    let maskStart = masks.count
    masks.append(contentsOf: repeatElement(0, count: wordCount))
    for member in part { masks[maskStart + member / 64 - firstWord] |= 1 << UInt64(member % 64) }
    var block = BlockTree.Block(
      firstWord: firstWord, wordCount: wordCount, maskStart: maskStart)
    if wordCount == 1 { block.word = masks[maskStart] }
    return block
  }
}
