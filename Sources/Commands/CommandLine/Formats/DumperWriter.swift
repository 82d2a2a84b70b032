// Writes values as Perl's Data::Dumper does: an expression that Perl evaluates to the same data.

/// The layout of a Perl dump.
public struct DumperWriter: Sendable {
  /// Two blanks a level, as `oarstat -D`; otherwise one line, as `oarnodes -D`.
  private let isIndented: Bool

  public init(isIndented: Bool) {
    self.isIndented = isIndented
  }

  /// Appends a hash.
  public func write(
    map entries: some Sequence<OutputEntry>, depth: Int, to bytes: inout [UInt8]
  ) {
    bytes.append(UInt8(ascii: "{"))
    var isEmpty = true
    for entry in entries {
      if !isEmpty { bytes.append(UInt8(ascii: ",")) }
      isEmpty = false
      breakLine(depth: depth + 1, in: &bytes)
      quote(entry.key, to: &bytes)
      bytes.append(contentsOf: " => ".utf8)
      write(entry.value, depth: depth + 1, to: &bytes)
    }
    if !isEmpty { breakLine(depth: depth, in: &bytes) }
    bytes.append(UInt8(ascii: "}"))
  }

  private func write(_ value: OutputValue, depth: Int, to bytes: inout [UInt8]) {
    switch value {
    case .null: bytes.append(contentsOf: "undef".utf8)
    case .boolean(let flag): bytes.append(contentsOf: (flag ? "1" : "0").utf8)
    case .integer(let number): bytes.append(decimal: number)
    case .real(let number): quote(number.description, to: &bytes)
    case .text(let text): quote(text, to: &bytes)
    case .map(let entries): write(map: entries, depth: depth, to: &bytes)
    case .list(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        breakLine(depth: depth + 1, in: &bytes)
        write(value, depth: depth + 1, to: &bytes)
      }
      if !values.isEmpty { breakLine(depth: depth, in: &bytes) }
      bytes.append(UInt8(ascii: "]"))
    }
  }

  private func breakLine(depth: Int, in bytes: inout [UInt8]) {
    guard isIndented else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(blanks: depth * 2)
  }

  private func quote(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "'"))
    for byte in text.utf8 {
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") {
        bytes.append(UInt8(ascii: "\\"))
      }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "'"))
  }
}
