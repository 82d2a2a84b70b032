// Reading an object of the API: the fields that are wanted, by name; all others are left alone, since
// every release has more of them.

import Encoding

extension JSONReader {
  /// Reads an object; `read` says whether it took the value. What it did not take is passed over, and
  /// null is as good as no value.
  mutating func fields(
    _ read: (inout JSONReader, String) throws(ReadingError) -> Bool
  ) throws(ReadingError) {
    try members { reader, name throws(ReadingError) in
      if reader.takeNull() { return }
      if try !read(&reader, name) { try reader.skip() }
    }
  }

  mutating func flag() throws(ReadingError) -> Bool {
    let rule = "it must be true or false"
    switch peek() {
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      guard case .bool(let value) = try self.value() else { throw unusable(rule) }
      return value
    default: throw unusable(rule)
    }
  }

  mutating func time() throws(ReadingError) -> Timestamp {
    let start = offset
    guard let time = Timestamp(try text()) else {
      throw ReadingError(.value, "it must be a time such as 2026-01-31T12:00:00Z", at: start)
    }
    return time
  }

  /// An object of texts, such as labels.
  mutating func texts() throws(ReadingError) -> [String: String] {
    var texts: [String: String] = [:]
    try fields { reader, name throws(ReadingError) in
      texts[name] = try reader.text()
      return true
    }
    return texts
  }

  /// A list of what `read` reads.
  mutating func items<Item>(
    _ read: (inout JSONReader) throws(ReadingError) -> Item
  ) throws(ReadingError) -> [Item] {
    var items: [Item] = []
    try list { reader, _ throws(ReadingError) in items.append(try read(&reader)) }
    return items
  }

  /// A text or a number, as text: quantities and percentages are written as either.
  mutating func quantity() throws(ReadingError) -> String {
    guard startsNumber else { return try text(rule: "it must be a quantity") }
    return String(decoding: try raw(), as: UTF8.self)
  }
}
