// The few loops over bits that a pass spends its time in, written over spans so that they
// neither allocate nor check bounds twice.

/// Loops over sets of resources, 64 to a word; the sets of one call have the same length.
enum Bits {
  @inline(__always)
  static func copy(_ source: [UInt64], into target: inout [UInt64]) {
    let source = source.span
    var target = target.mutableSpan
    for index in target.indices { target[index] = source[index] }
  }

  @inline(__always)
  static func intersect(_ target: inout [UInt64], with other: Span<UInt64>) {
    var target = target.mutableSpan
    for index in target.indices { target[index] &= other[index] }
  }

  @inline(__always)
  static func intersect(_ target: inout [UInt64], with other: [UInt64]) {
    intersect(&target, with: other.span)
  }

  @inline(__always)
  static func subtract(_ other: [UInt64], from target: inout [UInt64]) {
    let other = other.span
    var target = target.mutableSpan
    for index in target.indices { target[index] &= ~other[index] }
  }

  @inline(__always)
  static func add(_ other: [UInt64], to target: inout [UInt64]) {
    let other = other.span
    var target = target.mutableSpan
    for index in target.indices { target[index] |= other[index] }
  }

  @inline(__always)
  static func clear(_ target: inout [UInt64]) {
    var target = target.mutableSpan
    for index in target.indices { target[index] = 0 }
  }

  @inline(__always)
  static func count(_ set: [UInt64]) -> Int {
    let set = set.span
    var sum = 0
    for index in set.indices { sum += set[index].nonzeroBitCount }
    return sum
  }
}
