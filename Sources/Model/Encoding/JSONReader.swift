// Reads JSON (RFC 8259) that may come from anybody: strictly, with bounds, and with errors that name the place.

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

/// Reads one JSON document.
public enum JSONReader {
  /// Arrays and objects nested deeper are refused.
  public static let depthLimit = 64
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
    var cursor = Cursor(bytes: bytes)
    cursor.skipBlanks()
    let value = try cursor.value(depth: 0)
    cursor.skipBlanks()
    guard cursor.index == bytes.count else {
      throw cursor.error("something follows the document; allowed: blanks")
    }
    return value
  }

  /// The value in a text.
  public static func read(_ text: String) throws(JSONError) -> JSONValue {
    try read(Array(text.utf8))
  }
}

private struct Cursor {
  let bytes: [UInt8]
  var index = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  func error(_ problem: String, at place: Int? = nil) -> JSONError {
    let before = bytes[..<min(place ?? index, bytes.count)]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONError(
      problem: problem, line: 1 + before.count { $0 == UInt8(ascii: "\n") },
      column: 1 + before[lineStart...].count { $0 & 0xC0 != 0x80 })
  }

  /// An error about what stands here, or about the end.
  func unexpected(allowed: String) -> JSONError {
    guard let next else { return error("the document ends too early; allowed: \(allowed)") }
    let isPrintable = (0x21..<0x7f).contains(next)
    let what = isPrintable ? "'\(Character(UnicodeScalar(next)))'" : "the byte \(next)"
    return error("\(what) is not expected here; allowed: \(allowed)")
  }

  mutating func skipBlanks() {
    while let next, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { index += 1 }
  }

  mutating func accept(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"): return try number()
    case let byte? where byte.isDigit: return try number()
    default: throw unexpected(allowed: "an object, an array, a string, a number, true, false, null")
    }
  }

  private mutating func word(
    _ text: String, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    guard bytes[index...].starts(with: text.utf8) else {
      throw error("an unknown word; allowed: true, false, null")
    }
    index += text.utf8.count
    return value
  }

  private func check(depth: Int) throws(JSONError) {
    guard depth <= JSONReader.depthLimit else {
      throw error("nested too deep; allowed: \(JSONReader.depthLimit) levels")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    try check(depth: depth)
    index += 1
    var members: [JSONMember] = []
    skipBlanks()
    if accept(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw unexpected(allowed: "a name in quotes") }
      let name = try string()
      skipBlanks()
      guard accept(UInt8(ascii: ":")) else { throw unexpected(allowed: "':' after a name") }
      skipBlanks()
      members.append(JSONMember(name, try value(depth: depth)))
      skipBlanks()
      if accept(UInt8(ascii: "}")) { return .object(members) }
      guard accept(UInt8(ascii: ",")) else { throw unexpected(allowed: "',' or '}'") }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    try check(depth: depth)
    index += 1
    var elements: [JSONValue] = []
    skipBlanks()
    if accept(UInt8(ascii: "]")) { return .array([]) }
    while true {
      skipBlanks()
      elements.append(try value(depth: depth))
      skipBlanks()
      if accept(UInt8(ascii: "]")) { return .array(elements) }
      guard accept(UInt8(ascii: ",")) else { throw unexpected(allowed: "',' or ']'") }
    }
  }
}

// Numbers and strings.
extension Cursor {
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = index
    _ = accept(UInt8(ascii: "-"))
    if !accept(UInt8(ascii: "0")) { try digits() }
    if accept(UInt8(ascii: ".")) { try digits() }
    if accept(UInt8(ascii: "e")) || accept(UInt8(ascii: "E")) {
      if !accept(UInt8(ascii: "+")) { _ = accept(UInt8(ascii: "-")) }
      try digits()
    }
    return .number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  private mutating func digits() throws(JSONError) {
    let start = index
    while let next, next.isDigit { index += 1 }
    guard index > start else { throw unexpected(allowed: "a digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    let opening = index
    index += 1
    var content: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else {
        throw error("a control character in a string; allowed: escapes such as \\n")
      }
      index += 1
      if byte == UInt8(ascii: "\\") { try escape(into: &content) } else { content.append(byte) }
    }
    guard accept(UInt8(ascii: "\"")) else {
      throw error("the string does not end; allowed: '\"' at its end", at: opening)
    }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw error("the string is not UTF-8", at: opening)
    }
    return text
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F,
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
    UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
  ]

  /// What follows a backslash.
  private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
    let place = index - 1
    if let next, let byte = Self.escapes[next] {
      index += 1
      content.append(byte)
      return
    }
    guard accept(UInt8(ascii: "u")) else {
      throw unexpected(allowed: #"\" \\ \/ \b \f \n \r \t \uXXXX"#)
    }
    var code = try hexadecimal()
    if (0xD800..<0xDC00).contains(code), accept(UInt8(ascii: "\\")), accept(UInt8(ascii: "u")) {
      let low = try hexadecimal()
      // A wrong second half leaves a code that is no character.
      if (0xDC00..<0xE000).contains(low) { code = 0x10000 + (code - 0xD800) << 10 + low - 0xDC00 }
    }
    guard let scalar = UnicodeScalar(code) else {
      throw error("an escape of half a character; allowed: both halves", at: place)
    }
    content.append(contentsOf: String(Character(scalar)).utf8)
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let next, let digit = Character(UnicodeScalar(next)).hexDigitValue else {
        throw unexpected(allowed: "four hexadecimal digits after \\u")
      }
      code = code << 4 | UInt32(digit)
      index += 1
    }
    return code
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
