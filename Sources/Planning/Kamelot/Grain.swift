// Coarser units of search: where requests ask for whole blocks, such as hosts, a set of blocks is much
// shorter than a set of resources.

import ClusterModel

/// A partition of resources into blocks that are taken as a whole.
final class Grain: Sendable {
  /// For each place on the platform the number of its block; -1 for none. Blocks are numbered in the
  /// order of their first members, so that first fit gives the same on any grain.
  let blockOfPlace: [Int32]
  /// The first member of each block.
  let firstPlaces: [Int]
  private let members: [BlockTree.Block]
  private let masks: [UInt64]
  private let wordCount: Int

  /// Makes the blocks out of the last level of a tree.
  init(leavesOf tree: BlockTree, capacity: Int) {
    wordCount = ResourceSet.wordCount(capacity)
    let ordered = tree.blocks[tree.leaves].map { (first: tree.firstPlace(of: $0), block: $0) }
      .sorted { $0.first < $1.first }
    members = ordered.map(\.block)
    firstPlaces = ordered.map(\.first)
    masks = tree.masks
    var blockOfPlace = [Int32](repeating: -1, count: capacity)
    for (number, leaf) in members.enumerated() {
      for place in tree.places(of: leaf) { blockOfPlace[place] = Int32(number) }
    }
    self.blockOfPlace = blockOfPlace
  }

  var blockCount: Int { members.count }

  /// The blocks all members of which are in `places`.
  func wholeBlocks(in places: ResourceSet) -> ResourceSet {
    var result = ResourceSet(capacity: blockCount)
    for (number, block) in members.enumerated() {
      let isWhole = (0..<block.wordCount).allSatisfy { offset in
        let mask = masks[block.maskStart + offset]
        return places.words[block.firstWord + offset] & mask == mask
      }
      if isWhole { result.insert(number) }
    }
    return result
  }

  /// The blocks that have a member in `places`.
  func findBlocks(touchedBy places: UnitSet, into result: inout [UInt64]) {
    let count = ResourceSet.wordCount(blockCount)
    if result.count == count {
      Bits.clear(&result)
    } else {
      result = [UInt64](repeating: 0, count: count)
    }
    for word in places.range {
      var rest = places.words[word]
      while rest != 0 {
        let number = Int(blockOfPlace[word * 64 + rest.trailingZeroBitCount])
        guard number >= 0 else {
          rest &= rest - 1
          continue
        }
        result[number / 64] |= 1 << UInt64(number % 64)
        let block = members[number]
        rest &= ~masks[block.maskStart + word - block.firstWord]
      }
    }
  }

  /// The members of some blocks.
  func places(of blocks: [UInt64]) -> [UInt64] {
    var result = [UInt64](repeating: 0, count: wordCount)
    for word in blocks.indices {
      var rest = blocks[word]
      while rest != 0 {
        let block = members[word * 64 + rest.trailingZeroBitCount]
        rest &= rest - 1
        for offset in 0..<block.wordCount {
          result[block.firstWord + offset] |= masks[block.maskStart + offset]
        }
      }
    }
    return result
  }
}

extension BlockTree {
  /// The members of a block, ascending.
  func places(of block: Block) -> [Int] {
    var places: [Int] = []
    for offset in 0..<block.wordCount {
      var rest = masks[block.maskStart + offset]
      while rest != 0 {
        places.append((block.firstWord + offset) * 64 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return places
  }

  fileprivate func firstPlace(of block: Block) -> Int {
    block.firstWord * 64 + masks[block.maskStart].trailingZeroBitCount
  }
}

/// Grains that cut the resources alike.
struct GrainKey: Hashable, Sendable {
  let blockOfPlace: [Int32]

  /// The last block stands for all of them: there are few grains, and many resources.
  func hash(into hasher: inout Hasher) { hasher.combine(blockOfPlace.last) }
}

extension Platform {
  /// The grain of requests whose last level is that of `tree`; `nil` if its blocks are single resources.
  func grain(of tree: BlockTree) -> Grain? {
    grainsOfTrees.value(for: ObjectIdentifier(tree)) {
      guard !tree.leavesAreSingle, tree.root.wordCount > 0 else {
        return nil
      }
      let grain = Grain(leavesOf: tree, capacity: resources.count)
      // One grain for all lists of levels that end in the same blocks.
      return grains.value(for: GrainKey(blockOfPlace: grain.blockOfPlace)) { grain }
    }
  }

  /// The blocks of `grain` as units, cut by a list of levels.
  func coarseTree(_ levels: [String], of grain: Grain) -> BlockTree {
    BlockTree(
      members: .all(grain.blockCount),
      columns: levels.map { level in
        let column = column(level)
        return grain.firstPlaces.map { column[$0] }
      })
  }
}
