// Whole JSON documents as values, for those that are small.

/// Why bytes are no JSON document.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and what is allowed there.
  public let problem: String
  /// The line where it is, from 1.
  public let line: Int
  /// The character in that line, from 1.
  public let column: Int

  public var description: String { "line \(line), character \(column): \(problem)" }
}

extension JSONReader {
  /// Documents with more bytes are refused unless the caller says otherwise.
  public static let sizeLimit = 16 << 20

  /// The value in `bytes`, with nothing but blanks around it.
  public static func read(
    _ bytes: [UInt8], sizeLimit: Int = JSONReader.sizeLimit
  ) throws(JSONError) -> JSONValue {
    guard bytes.count <= sizeLimit else {
      let problem = "the document has \(bytes.count) bytes; allowed: \(sizeLimit)"
      throw JSONError(problem: problem, line: 1, column: 1)
    }
    var reader = JSONReader(bytes)
    do throws(ReadingError) {
      let value = try reader.value()
      try reader.end()
      return value
    } catch {
      throw error.inCharacters(of: bytes)
    }
  }

  /// The value in a text.
  public static func read(_ text: String) throws(JSONError) -> JSONValue {
    try read(Array(text.utf8))
  }

  /// A value with all that is in it.
  public mutating func value() throws(ReadingError) -> JSONValue {
    switch peek() {
    case UInt8(ascii: "{"):
      var members: [JSONMember] = []
      try self.members { reader, name throws(ReadingError) in
        members.append(JSONMember(name, try reader.value()))
      }
      return .object(members)
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try list { reader, _ throws(ReadingError) in elements.append(try reader.value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try text())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    default:
      let start = offset
      try skip()
      return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }
  }
}

extension ReadingError {
  /// The error with the line and the character within the document that it was found in.
  fileprivate func inCharacters(of bytes: [UInt8]) -> JSONError {
    let before = bytes.prefix(offset)
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONError(
      problem: problem, line: 1 + before.count { $0 == UInt8(ascii: "\n") },
      column: 1 + before[lineStart...].count { $0 & 0xC0 != 0x80 })
  }
}
