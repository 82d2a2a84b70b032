// The placements of a pass in the order in which they were made. A plan keeps them, and the pass may go on:
// then the long list is not copied, but goes on in another piece.

import ClusterModel

/// Placements, those that were made later after those that were made before.
public struct PlacementList: Sendable {
  /// From so many pieces on they are made one.
  private static let pieceLimit = 128

  private var pieces: [[Placement]] = [[]]
  private var isShared = false
  public private(set) var count = 0

  public init() {}

  public var all: [Placement] { pieces.count == 1 ? pieces[0] : Array(pieces.joined()) }

  public mutating func append(_ placement: Placement) {
    if isShared {
      if pieces.count >= Self.pieceLimit { pieces = [all] }
      pieces.append([])
      isShared = false
    }
    pieces[pieces.count - 1].append(placement)
    count += 1
  }

  /// The list as it is now, for somebody who keeps it.
  public mutating func share() -> PlacementList {
    isShared = true
    return self
  }

  /// Those of the first so many that start within a span of time. The others are not copied on the way.
  func prefix(_ count: Int, startingIn time: Range<Instant>) -> [Placement] {
    var found: [Placement] = []
    var left = count
    for piece in pieces where left > 0 {
      let all = piece.span
      for index in 0..<min(left, all.count) where time.contains(all[index].start) {
        found.append(all[index])
      }
      left -= all.count
    }
    return found
  }
}
