// Which units are free when: slots of time that follow each other without gaps, the last one without
// end, each with the set of its free units. A unit is a resource or, on a coarser grain, a block.

import ClusterModel

/// Slots in parallel arrays; the sets stand in one buffer, so that a slot costs no allocation.
struct Timeline {
  let wordCount: Int
  /// Where each slot begins, ascending; a slot ends where the next one begins.
  private(set) var begins: [Instant]
  /// How many units are free in each slot.
  private(set) var counts: [Int]
  /// The number of the set of each slot within `sets`.
  private var rows: [Int]
  private var sets: [UInt64]

  /// One slot from `now` on, in which `free` is free.
  init(from now: Instant, free: ResourceSet) {
    wordCount = free.words.count
    begins = [now]
    counts = [free.count]
    rows = [0]
    sets = free.words
  }

  /// The slots that there are.
  var slotCount: Int { begins.count }

  /// The instant after the last of a slot; `Instant.max` for the last slot.
  @inline(__always)
  func end(of slot: Int) -> Instant { slot + 1 < begins.count ? begins[slot + 1] : .max }

  /// The slot that holds `instant`; the first if it is earlier than all.
  func slot(at instant: Instant) -> Int {
    var low = 0
    var high = begins.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if begins[middle] <= instant { low = middle } else { high = middle }
    }
    return low
  }

  /// The last slot from `from` on that begins before `instant`; `from` if none does.
  func lastSlot(before instant: Instant, from: Int) -> Int {
    var slot = from
    while slot + 1 < slotCount, begins[slot + 1] < instant { slot += 1 }
    return slot
  }

  /// The last of `slots` in which fewer than `need` units are free.
  func lastSlot(withFewerThan need: Int, in slots: Range<Int>) -> Int? {
    slots.last { counts[$0] < need }
  }

  /// Takes out of `target` what is busy in a slot.
  @inline(__always)
  func intersect(_ target: inout [UInt64], withSlot slot: Int) {
    let start = rows[slot] * wordCount
    Bits.intersect(&target, with: sets.span.extracting(start..<start + wordCount))
  }

  /// Adds to `target` what is free in a slot.
  func add(slot: Int, to target: inout [UInt64]) {
    let start = rows[slot] * wordCount
    for index in 0..<wordCount { target[index] |= sets[start + index] }
  }

  /// Makes units busy, whether they were free or not, from `start` to before `end`; what of it lies
  /// before the beginning does not count.
  mutating func take(_ units: UnitSet, from start: Instant, to end: Instant) {
    change(units, from: start, to: end) { $0 & ~$1 }
  }

  /// Makes units free from `start` to before `end`.
  mutating func give(_ units: UnitSet, from start: Instant, to end: Instant) {
    change(units, from: start, to: end) { $0 | $1 }
  }

  /// Lets a slot begin at `instant`, so that a start is tried there.
  mutating func mark(_ instant: Instant) {
    if instant > begins[0], instant < .max { _ = split(at: instant) }
  }

  @inline(__always)
  private mutating func change(
    _ units: UnitSet, from start: Instant, to end: Instant,
    _ operation: (UInt64, UInt64) -> UInt64
  ) {
    guard end > begins[0], start < end, !units.range.isEmpty else { return }
    let first = split(at: start)
    let last = end == .max ? slotCount : split(at: end)
    let given = units.words.span
    for slot in first..<last {
      let base = rows[slot] * wordCount
      var sets = sets.mutableSpan
      var difference = 0
      for index in units.range {
        let old = sets[base + index]
        let new = operation(old, given[index])
        sets[base + index] = new
        difference += new.nonzeroBitCount - old.nonzeroBitCount
      }
      counts[slot] += difference
    }
  }

  /// The slot that begins at `instant`, made if there is none; the first slot for earlier instants.
  private mutating func split(at instant: Instant) -> Int {
    let slot = slot(at: instant)
    if begins[slot] >= instant { return slot }
    let row = copyRow(rows[slot])
    begins.insert(instant, at: slot + 1)
    counts.insert(counts[slot], at: slot + 1)
    rows.insert(row, at: slot + 1)
    return slot + 1
  }

  /// Appends a copy of a set; gives its number.
  private mutating func copyRow(_ row: Int) -> Int {
    let count = wordCount
    let source = row * count
    let target = sets.count
    // Not a slice of `sets`: it would make the append copy the whole buffer.
    sets.append(contentsOf: repeatElement(0, count: count))
    var words = sets.mutableSpan
    for index in 0..<count { words[target + index] = words[source + index] }
    return target / max(1, count)
  }
}

/// A set of units with the words that are not empty.
struct UnitSet {
  let words: [UInt64]
  /// The words between which all members are.
  let range: Range<Int>

  init(_ words: [UInt64]) {
    self.words = words
    let first = words.firstIndex { $0 != 0 } ?? 0
    let last = words.lastIndex { $0 != 0 } ?? -1
    range = first..<last + 1
  }
}

/// Resources held from the beginning of the timeline.
public struct Hold: Sendable {
  /// Places on the platform.
  public var resources: [Int]
  /// The first instant at which they are free again.
  public var until: Instant

  public init(resources: [Int], until: Instant) {
    self.resources = resources
    self.until = until
  }
}

// Many holds at once, in time that grows with the number of slots rather than with its square.
extension Timeline {
  /// Makes units busy, whether they were free or not, from the beginning to before the end of each
  /// hold.
  mutating func hold(_ holds: [Hold]) {
    let now = begins[0]
    let byEnd = holds.filter { $0.until > now }.sorted { $0.until < $1.until }
    guard !byEnd.isEmpty else { return }
    addBoundaries(byEnd.lazy.map(\.until))
    var held = [UInt64](repeating: 0, count: wordCount)
    var next = byEnd.count - 1
    for slot in stride(from: slotCount - 1, through: 0, by: -1) {
      let end = end(of: slot)
      while next >= 0, byEnd[next].until >= end {
        for place in byEnd[next].resources where place >= 0 && place / 64 < wordCount {
          held[place / 64] |= 1 << UInt64(place % 64)
        }
        next -= 1
      }
      let base = rows[slot] * wordCount
      var free = 0
      for index in 0..<wordCount {
        sets[base + index] &= ~held[index]
        free += sets[base + index].nonzeroBitCount
      }
      counts[slot] = free
    }
  }

  /// Splits slots so that one begins at each of `instants`, which ascend from after the beginning.
  private mutating func addBoundaries(_ instants: some Sequence<Instant>) {
    var newBegins: [Instant] = []
    var newRows: [Int] = []
    var slot = 0
    newBegins.append(begins[0])
    newRows.append(rows[0])
    for instant in instants {
      while slot + 1 < begins.count, begins[slot + 1] <= instant {
        slot += 1
        newBegins.append(begins[slot])
        newRows.append(rows[slot])
      }
      guard newBegins[newBegins.count - 1] < instant, instant < .max else { continue }
      newBegins.append(instant)
      newRows.append(copyRow(rows[slot]))
    }
    while slot + 1 < begins.count {
      slot += 1
      newBegins.append(begins[slot])
      newRows.append(rows[slot])
    }
    begins = newBegins
    rows = newRows
    counts = [Int](repeating: 0, count: newBegins.count)
  }
}
