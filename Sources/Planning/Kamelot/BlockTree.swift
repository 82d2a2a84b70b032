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
  /// Those of the last level; of no use if `leavesAreSingle`.
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
  /// The members, those of one part together, each part ascending.
  private var members: [Int32]
  /// Where each part begins in `members`, and the end of the last.
  private var bounds: [Int]
  var blocks: [BlockTree.Block] = []
  /// The blocks of the level that was built last.
  var level = 0..<0
  var root = BlockTree.Block(firstWord: 0, wordCount: 0, maskStart: 0)
  var masks: [UInt64] = []
  var leavesAreSingle = false
  var smallestLeaf = Int.max
  /// For each value of a column the part that it is the value of; -1 for none.
  private var partOfValue: [Int32] = []

  init(members: ResourceSet, columns: [[Int32]]) {
    self.members = members.map { Int32($0) }
    self.columns = columns
    bounds = [0, self.members.count]
  }

  mutating func build() {
    root = block(of: 0..<members.count)
    for (depth, column) in columns.enumerated() {
      prepareTable(for: column)
      let isLast = depth == columns.count - 1
      if isLast, !members.isEmpty, partsAreDistinct(in: column) {
        leavesAreSingle = true
        smallestLeaf = 1
        return
      }
      let first = blocks.count
      var newBounds = [0]
      var children: [Range<Int>] = []
      for part in bounds.indices.dropLast() {
        let before = newBounds.count - 1
        cut(bounds[part]..<bounds[part + 1], by: column, into: &newBounds)
        children.append(first + before..<first + newBounds.count - 1)
      }
      bounds = newBounds
      for part in bounds.indices.dropLast() {
        let range = bounds[part]..<bounds[part + 1]
        if isLast { smallestLeaf = min(smallestLeaf, range.count) }
        blocks.append(block(of: range))
      }
      link(children)
      level = first..<blocks.count
    }
    if smallestLeaf == .max { smallestLeaf = 1 }
  }

  /// Tells the blocks of the level above, or the root, which blocks are theirs.
  private mutating func link(_ children: [Range<Int>]) {
    if level.isEmpty {
      root.children = children.first ?? 0..<0
    } else {
      for (index, range) in zip(level, children) { blocks[index].children = range }
    }
  }

  private mutating func prepareTable(for column: [Int32]) {
    let greatest = column.max() ?? 0
    partOfValue = [Int32](repeating: -1, count: Int(greatest) + 1)
  }

  /// Whether within each part each member has another value, as cores mostly have.
  private mutating func partsAreDistinct(in column: [Int32]) -> Bool {
    var table = partOfValue
    for part in bounds.indices.dropLast() {
      for member in members[bounds[part]..<bounds[part + 1]] {
        let value = Int(column[Int(member)])
        if table[value] == Int32(part) { return false }
        table[value] = Int32(part)
      }
    }
    return true
  }

  /// Puts the members of a part in the order of new parts of equal values, which stand in the order in
  /// which the values come, and notes where they end.
  private mutating func cut(_ part: Range<Int>, by column: [Int32], into newBounds: inout [Int]) {
    var sizes: [Int] = []
    var isSorted = true
    var last: Int32 = 0
    for index in part {
      let value = Int(column[Int(members[index])])
      if partOfValue[value] < 0 {
        partOfValue[value] = Int32(sizes.count)
        sizes.append(0)
      }
      let number = partOfValue[value]
      sizes[Int(number)] += 1
      if number < last { isSorted = false }
      last = number
    }
    let starts = sizes.reduce(into: [part.lowerBound]) { $0.append(($0.last ?? 0) + $1) }
    if !isSorted { sort(part, by: column, starts) }
    newBounds += starts.dropFirst()
    for start in starts.dropLast() { partOfValue[Int(column[Int(members[start])])] = -1 }
  }

  private mutating func sort(_ part: Range<Int>, by column: [Int32], _ starts: [Int]) {
    var next = starts
    for member in Array(members[part]) {
      let number = Int(partOfValue[Int(column[Int(member)])])
      members[next[number]] = member
      next[number] += 1
    }
  }

  private mutating func block(of part: Range<Int>) -> BlockTree.Block {
    guard !part.isEmpty else {
      return BlockTree.Block(firstWord: 0, wordCount: 0, maskStart: masks.count)
    }
    let firstWord = Int(members[part.lowerBound]) / 64
    let wordCount = Int(members[part.upperBound - 1]) / 64 - firstWord + 1
    let maskStart = masks.count
    masks.append(contentsOf: repeatElement(0, count: wordCount))
    for index in part {
      let member = Int(members[index])
      masks[maskStart + member / 64 - firstWord] |= 1 << UInt64(member % 64)
    }
    var block = BlockTree.Block(
      firstWord: firstWord, wordCount: wordCount, maskStart: maskStart)
    if wordCount == 1 { block.word = masks[maskStart] }
    return block
  }
}
