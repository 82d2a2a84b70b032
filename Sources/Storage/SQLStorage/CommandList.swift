// The commands of an array in little room: the beginning that all share once, then the rest of each.

/// Many texts that often begin alike.
struct CommandList {
  /// The shared beginning, then the rest of each command, without anything between.
  private var bytes: [UInt8]
  private var prefixCount: Int
  /// Where the rest of each command ends in `bytes`.
  private var ends: [UInt32]

  var count: Int { ends.count }

  subscript(index: Int) -> String {
    let start = index == 0 ? prefixCount : Int(ends[index - 1])
    let rest = bytes[start..<Int(ends[index])]
    if rest.isEmpty { return String(decoding: bytes[..<prefixCount], as: UTF8.self) }
    return String(decoding: bytes[..<prefixCount] + rest, as: UTF8.self)
  }

  init(_ commands: some Collection<String>) {
    var shared = commands.first.map { Array($0.utf8) } ?? []
    for command in commands where !command.utf8.starts(with: shared) {
      let same = zip(shared, command.utf8).prefix { $0 == $1 }.count
      shared.removeSubrange(same...)
    }
    bytes = shared
    prefixCount = shared.count
    ends = []
    ends.reserveCapacity(commands.count)
    for command in commands {
      bytes.append(contentsOf: command.utf8.dropFirst(prefixCount))
      ends.append(UInt32(clamping: bytes.count))
    }
  }

  // MARK: As bytes: numbers of four bytes (count, prefix, every end), then the texts

  var encoded: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(8 + 4 * ends.count + bytes.count)
    result.append(UInt32(ends.count))
    result.append(UInt32(clamping: prefixCount))
    for end in ends { result.append(end) }
    return result + bytes
  }

  /// `nil` if the bytes are not what ``encoded`` gives.
  init?(encoded: [UInt8]) {
    guard encoded.count >= 8 else { return nil }
    let count = Int(encoded.number(at: 0))
    prefixCount = Int(encoded.number(at: 4))
    let start = 8 + 4 * count
    guard start + prefixCount <= encoded.count else { return nil }
    ends = (0..<count).map { encoded.number(at: 8 + 4 * $0) }
    bytes = Array(encoded[start...])
    var previous = UInt32(prefixCount)
    for end in ends {
      guard end >= previous, Int(end) <= bytes.count else { return nil }
      previous = end
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt32) {
    for shift in stride(from: 0, to: 32, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  fileprivate func number(at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) }
  }
}
