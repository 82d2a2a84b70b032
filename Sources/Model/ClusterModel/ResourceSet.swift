// A set of small numbers as one bit each: the resources of a cluster by their place on the platform,
// or by their ids when written as ranges.

/// A set of the numbers from 0 to below `capacity`.
public struct ResourceSet: Hashable, Sendable {
  /// The number after the greatest that fits.
  public let capacity: Int
  /// Bit `i % 64` of word `i / 64` says whether `i` is in the set; bits from `capacity` on are 0.
  public private(set) var words: [UInt64]

  /// The empty set of numbers below `capacity`, which is at least 0.
  public init(capacity: Int) {
    self.capacity = capacity
    words = [UInt64](repeating: 0, count: ResourceSet.wordCount(capacity))
  }

  /// The set of those `members` that are below `capacity` and not negative.
  public init(capacity: Int, _ members: some Sequence<Int>) {
    self.init(capacity: capacity)
    for member in members { insert(member) }
  }

  /// The set with the given bits; missing words are 0, bits from `capacity` on are dropped.
  public init(capacity: Int, words: [UInt64]) {
    self.capacity = capacity
    self.words = words
    let count = ResourceSet.wordCount(capacity)
    if words.count < count {
      self.words += repeatElement(0, count: count - words.count)
    } else if words.count > count {
      self.words.removeLast(words.count - count)
    }
    dropBitsBeyondCapacity()
  }

  /// All numbers below `capacity`.
  public static func all(_ capacity: Int) -> ResourceSet {
    let ones = [UInt64](repeating: .max, count: wordCount(capacity))
    return ResourceSet(capacity: capacity, words: ones)
  }

  /// How many words hold `capacity` bits.
  public static func wordCount(_ capacity: Int) -> Int { (capacity + 63) / 64 }

  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// The smallest member.
  public var first: Int? {
    for (index, word) in words.enumerated() where word != 0 {
      return index * 64 + word.trailingZeroBitCount
    }
    return nil
  }

  public func contains(_ member: Int) -> Bool {
    guard member >= 0, member < capacity else { return false }
    return words[member / 64] & (1 << UInt64(member % 64)) != 0
  }

  /// Adds `member`; numbers that do not fit are ignored.
  public mutating func insert(_ member: Int) {
    guard member >= 0, member < capacity else { return }
    words[member / 64] |= 1 << UInt64(member % 64)
  }

  public mutating func remove(_ member: Int) {
    guard member >= 0, member < capacity else { return }
    words[member / 64] &= ~(1 << UInt64(member % 64))
  }

  public mutating func removeAll() {
    for index in words.indices { words[index] = 0 }
  }

  private mutating func dropBitsBeyondCapacity() {
    guard capacity % 64 != 0, let last = words.last else { return }
    let kept = last & ((1 << UInt64(capacity % 64)) - 1)
    // Only if need be, since the words may be shared.
    if kept != last { words[words.count - 1] = kept }
  }
}

// Set algebra. Sets of different capacities mix; what does not fit into the left one is dropped.
extension ResourceSet {
  private func sharedWords(with other: ResourceSet) -> Int {
    Swift.min(words.count, other.words.count)
  }

  public mutating func formUnion(_ other: ResourceSet) {
    for index in 0..<sharedWords(with: other) { words[index] |= other.words[index] }
    if other.capacity > capacity { dropBitsBeyondCapacity() }
  }

  public mutating func formIntersection(_ other: ResourceSet) {
    let shared = sharedWords(with: other)
    for index in 0..<shared { words[index] &= other.words[index] }
    for index in shared..<words.count { words[index] = 0 }
  }

  public mutating func subtract(_ other: ResourceSet) {
    for index in 0..<sharedWords(with: other) { words[index] &= ~other.words[index] }
  }

  public func union(_ other: ResourceSet) -> ResourceSet {
    var result = self
    result.formUnion(other)
    return result
  }

  public func intersection(_ other: ResourceSet) -> ResourceSet {
    var result = self
    result.formIntersection(other)
    return result
  }

  public func subtracting(_ other: ResourceSet) -> ResourceSet {
    var result = self
    result.subtract(other)
    return result
  }

  public func isDisjoint(with other: ResourceSet) -> Bool {
    for index in 0..<sharedWords(with: other)
    where words[index] & other.words[index] != 0 {
      return false
    }
    return true
  }

  public func isSubset(of other: ResourceSet) -> Bool {
    for (index, word) in words.enumerated() {
      if word & ~(index < other.words.count ? other.words[index] : 0) != 0 { return false }
    }
    return true
  }
}

extension ResourceSet: Sequence {
  /// The members in ascending order.
  public struct Iterator: IteratorProtocol {
    private let words: [UInt64]
    private var index = 0
    private var rest: UInt64

    init(_ words: [UInt64]) {
      self.words = words
      rest = words.first ?? 0
    }

    public mutating func next() -> Int? {
      while rest == 0 {
        index += 1
        guard index < words.count else { return nil }
        rest = words[index]
      }
      let bit = rest.trailingZeroBitCount
      rest &= rest - 1
      return index * 64 + bit
    }
  }

  public func makeIterator() -> Iterator { Iterator(words) }

  public var underestimatedCount: Int { count }
}

// The text form: ascending ranges such as `1-4,7`; empty for the empty set.
extension ResourceSet: CustomStringConvertible {
  public var description: String { rangesText(of: self) }

  /// The set that `text` names; `nil` if it is malformed or a number is not below `capacity`.
  public init?(capacity: Int, ranges text: String) {
    self.init(capacity: capacity)
    for part in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
      let bounds = part.split(separator: "-", omittingEmptySubsequences: false)
      guard bounds.count <= 2, let low = bounds.first.flatMap({ Int($0) }),
        let high = bounds.last.flatMap({ Int($0) }), low >= 0, low <= high, high < capacity
      else { return nil }
      for member in low...high { insert(member) }
    }
  }
}

/// Ascending numbers as ranges, such as `1-4,7`.
public func rangesText(of ascending: some Sequence<Int>) -> String {
  var text = ""
  var run: (first: Int, last: Int)?
  func close() {
    guard let run else { return }
    if !text.isEmpty { text += "," }
    text += run.first == run.last ? "\(run.first)" : "\(run.first)-\(run.last)"
  }
  for number in ascending {
    if let open = run, number == open.last + 1 {
      run = (open.first, number)
    } else {
      close()
      run = (number, number)
    }
  }
  close()
  return text
}
