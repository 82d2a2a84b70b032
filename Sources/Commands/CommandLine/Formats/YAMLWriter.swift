// Writes values as YAML in OAR's layout. Texts that a reader could take for something else are
// quoted, so every YAML version reads back the types that JSON has.

enum YAMLWriter {
  /// Appends a map as a document.
  static func writeDocument(_ entries: some Sequence<OutputEntry>, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "---".utf8)
    let start = bytes.count
    write(map: entries, depth: 0, to: &bytes)
    bytes.append(contentsOf: (bytes.count == start ? " {}\n" : "").utf8)
  }

  /// Appends the lines of a map, each after a newline; nothing for an empty one.
  private static func write(
    map entries: some Sequence<OutputEntry>, depth: Int, to bytes: inout [UInt8]
  ) {
    var isFirst = true
    for entry in entries {
      if isFirst, depth == 0 { bytes.append(UInt8(ascii: "\n")) }
      isFirst = false
      write(entry, depth: depth, to: &bytes)
    }
  }

  private static func write(_ entry: OutputEntry, depth: Int, to bytes: inout [UInt8]) {
    bytes.append(blanks: depth)
    writeText(entry.key, isKey: true, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    writeAfterKey(entry.value, depth: depth, to: &bytes)
  }

  private static func writeAfterKey(_ value: OutputValue, depth: Int, to bytes: inout [UInt8]) {
    switch value {
    case .list(let values) where !values.isEmpty:
      bytes.append(UInt8(ascii: "\n"))
      for value in values { write(item: value, depth: depth + 2, to: &bytes) }
    case .map(let entries) where !entries.isEmpty:
      bytes.append(UInt8(ascii: "\n"))
      write(map: entries, depth: depth + 2, to: &bytes)
    default:
      bytes.append(UInt8(ascii: " "))
      writeScalar(value, to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
    }
  }

  private static func write(item: OutputValue, depth: Int, to bytes: inout [UInt8]) {
    bytes.append(blanks: depth)
    bytes.append(UInt8(ascii: "-"))
    guard case .map(let entries) = item, let first = entries.first else {
      return writeAfterKey(item, depth: depth, to: &bytes)
    }
    bytes.append(UInt8(ascii: " "))
    writeText(first.key, isKey: true, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    writeAfterKey(first.value, depth: depth + 2, to: &bytes)
    write(map: entries.dropFirst(), depth: depth + 2, to: &bytes)
  }

  private static func writeScalar(_ value: OutputValue, to bytes: inout [UInt8]) {
    switch value {
    case .null: bytes.append(UInt8(ascii: "~"))
    case .boolean(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    case .integer(let number): bytes.append(decimal: number)
    case .real(let number): bytes.append(contentsOf: number.description.utf8)
    case .text(let text): writeText(text, isKey: false, to: &bytes)
    case .list: bytes.append(contentsOf: "[]".utf8)
    case .map: bytes.append(contentsOf: "{}".utf8)
    }
  }

  /// Numbers as keys stay bare, as in OAR's output.
  private static func writeText(_ text: String, isKey: Bool, to bytes: inout [UInt8]) {
    if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
      JSONWriter.quote(text, to: &bytes)
    } else if (isKey && Int(text) != nil) || isPlain(text) {
      bytes.append(contentsOf: text.utf8)
    } else {
      bytes.append(UInt8(ascii: "'"))
      for byte in text.utf8 {
        bytes.append(byte)
        if byte == UInt8(ascii: "'") { bytes.append(byte) }
      }
      bytes.append(UInt8(ascii: "'"))
    }
  }

  /// Whether a text without quotes is read as this very text.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.last else { return false }
    let isWordStart = isLetter(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "(")
    guard isWordStart, last != UInt8(ascii: " "), last != UInt8(ascii: ":") else { return false }
    if reservedWords.contains(text.lowercased()) { return false }
    var previous: UInt8 = 0
    for byte in text.utf8 {
      if forbidden.contains(byte) { return false }
      if byte == UInt8(ascii: " "), previous == UInt8(ascii: ":") { return false }
      if byte == UInt8(ascii: "#"), previous == UInt8(ascii: " ") { return false }
      previous = byte
    }
    return true
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
  }

  private static let forbidden = Array("{}[],".utf8)
  private static let reservedWords: Set<String> = [
    "y", "n", "yes", "no", "true", "false", "on", "off", "null", "nan", "inf",
  ]
}
