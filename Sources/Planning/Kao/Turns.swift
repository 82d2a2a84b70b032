// When something may become free: a start that a finder refused need not be looked at again before.

import ClusterModel

/// Instants, in the order of time when they are asked for.
struct Turns {
  private var ascending: [Instant] = []
  private var isSorted = true

  mutating func note(_ instants: [Instant]) {
    ascending += instants
    isSorted = false
  }

  /// The first one after an instant.
  mutating func next(after instant: Instant) -> Instant? {
    if !isSorted {
      ascending = Set(ascending).sorted()
      isSorted = true
    }
    var low = 0
    var high = ascending.count
    while low < high {
      let middle = (low + high) / 2
      if ascending[middle] <= instant { low = middle + 1 } else { high = middle }
    }
    return low < ascending.count ? ascending[low] : nil
  }
}
