// The pieces of text tables, appended to a buffer of bytes: columns of a fixed width, numbers, dates.

import ClusterModel

extension [UInt8] {
  /// Appends a text as it is.
  public mutating func append(text: String) { append(contentsOf: text.utf8) }

  /// Appends a whole number in decimal.
  public mutating func append(decimal number: Int) {
    append(contentsOf: String(number).utf8)
  }

  /// Appends a byte as two hexadecimal digits.
  mutating func append(hexadecimal byte: UInt8) {
    let digits = Array<UInt8>("0123456789abcdef".utf8)
    append(digits[Int(byte >> 4)])
    append(digits[Int(byte & 15)])
  }

  /// Appends blanks.
  public mutating func append(blanks count: Int) {
    for _ in 0..<Swift.max(0, count) { append(UInt8(ascii: " ")) }
  }

  /// Appends a text cut or filled up to a width in characters, as `%-9.9s` does, made printable.
  public mutating func append(left text: String, width: Int) {
    let length = appendPrintable(text, atMost: width)
    append(blanks: width - length)
  }

  /// Appends a text cut or filled up to a width with blanks before it, as `%10.10s` does.
  public mutating func append(right text: String, width: Int) {
    append(blanks: width - text.count)
    _ = appendPrintable(text, atMost: width)
  }

  /// Appends a text without the control characters that would break a line or steer a terminal:
  /// they are shown as in C, `\n` or `\x1b`.
  public mutating func append(printable text: String) {
    _ = appendPrintable(text, atMost: Int.max)
  }

  /// Appends at most so many characters and returns how many it were.
  private mutating func appendPrintable(_ text: String, atMost limit: Int) -> Int {
    let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    if isPlain {
      let count = Swift.min(limit, text.utf8.count)
      append(contentsOf: text.utf8.prefix(count))
      return count
    }
    let shown = text.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? escaped(text) : text
    let cut = limit == Int.max ? shown[...] : shown.prefix(limit)
    append(contentsOf: cut.utf8)
    return limit == Int.max ? 0 : cut.count
  }

  private func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x0A: bytes.append(text: "\\n")
      case 0x09: bytes.append(text: "\\t")
      case 0x0D: bytes.append(text: "\\r")
      case 0..<0x20, 0x7F:
        bytes.append(text: "\\x")
        bytes.append(hexadecimal: byte)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
