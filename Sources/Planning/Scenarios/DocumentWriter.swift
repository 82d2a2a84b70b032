// Writes JSON byte by byte.

import ClusterModel

/// Appends JSON to bytes.
struct DocumentWriter {
  var bytes: [UInt8] = []

  mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// One line an item, so that plans can be compared line by line; or all in one.
  mutating func list<Item>(
    _ items: [Item], isOneLine: Bool = false, _ write: (inout DocumentWriter, Item) -> Void
  ) {
    let lineEnd = isOneLine ? "" : "\n"
    raw("[")
    for (index, item) in items.enumerated() {
      raw((index == 0 ? "" : ",") + lineEnd)
      write(&self, item)
    }
    raw(items.isEmpty ? "]" : lineEnd + "]")
  }

  /// The inside of a text that names ascending ids as ranges.
  mutating func ranges(_ ascending: [ResourceID]) {
    var index = 0
    while index < ascending.count {
      let first = ascending[index]
      while index + 1 < ascending.count, ascending[index + 1] == ascending[index] + 1 { index += 1 }
      if bytes.last != UInt8(ascii: "\"") { raw(",") }
      integer(first)
      if ascending[index] > first {
        raw("-")
        integer(ascending[index])
      }
      index += 1
    }
  }

  mutating func integer(_ number: Int) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = number.magnitude
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  mutating func text(_ text: String) {
    raw("\"")
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0..<0x20:
        raw(byte < 0x10 ? "\\u000" : "\\u001")
        bytes.append(contentsOf: String(byte & 0xF, radix: 16).utf8)
      default: bytes.append(byte)
      }
    }
    raw("\"")
  }
}
