// Writes values as JSON, indented as OAR indents it or in our own, more usual way.

/// How JSON is laid out.
public struct JSONWriter: Sendable {
  /// Blanks for each level; 0 writes everything on one line.
  private let indentation: Int
  private let colon: String

  /// As OAR's `-J`: three blanks a level, blanks around the colon.
  public static let oar = JSONWriter(indentation: 3, colon: " : ")
  /// As our own `--json`.
  public static let own = JSONWriter(indentation: 2, colon: ": ")
  /// One line, for one record a line.
  public static let line = JSONWriter(indentation: 0, colon: ":")

  /// Appends a value that stands at the given depth of nesting.
  public func write(_ value: OutputValue, depth: Int = 0, to bytes: inout [UInt8]) {
    switch value {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .boolean(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    case .integer(let number): bytes.append(decimal: number)
    case .real(let number):
      bytes.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
    case .text(let text): Self.quote(text, to: &bytes)
    case .list(let values): write(list: values, depth: depth, to: &bytes)
    case .map(let entries): write(map: entries, depth: depth, to: &bytes)
    }
  }

  /// Appends an object.
  public func write(
    map entries: some Sequence<OutputEntry>, depth: Int, to bytes: inout [UInt8]
  ) {
    bytes.append(UInt8(ascii: "{"))
    var isEmpty = true
    for entry in entries {
      if !isEmpty { bytes.append(UInt8(ascii: ",")) }
      isEmpty = false
      breakLine(depth: depth + 1, in: &bytes)
      Self.quote(entry.key, to: &bytes)
      bytes.append(contentsOf: colon.utf8)
      write(entry.value, depth: depth + 1, to: &bytes)
    }
    if !isEmpty { breakLine(depth: depth, in: &bytes) }
    bytes.append(UInt8(ascii: "}"))
  }

  /// Appends a list.
  func write(list values: some Sequence<OutputValue>, depth: Int, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "["))
    var isEmpty = true
    for value in values {
      if !isEmpty { bytes.append(UInt8(ascii: ",")) }
      isEmpty = false
      breakLine(depth: depth + 1, in: &bytes)
      write(value, depth: depth + 1, to: &bytes)
    }
    if !isEmpty { breakLine(depth: depth, in: &bytes) }
    bytes.append(UInt8(ascii: "]"))
  }

  private func breakLine(depth: Int, in bytes: inout [UInt8]) {
    guard indentation > 0 else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(blanks: depth * indentation)
  }

  /// Appends a text between quotes, control characters and quotes escaped.
  static func quote(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes.append(contentsOf: "\\n".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0x0D: bytes.append(contentsOf: "\\r".utf8)
      case 0..<0x20, 0x7F:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(hexadecimal: byte)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
