// Reads JSON (RFC 8259) that may come from anybody, from front to back, value by value, without
// building a tree: a scenario may hold a hundred thousand jobs. Strict; knows where it is, keeps the
// order of keys, and goes on after a value that can't be used.

/// A place in a JSON document. Every function that reads a value begins at its first byte or at
/// blanks before it, and ends behind it.
public struct JSONReader: Sendable {
  public let bytes: [UInt8]
  /// The next byte to be read.
  public internal(set) var offset = 0
  private var depth = 0

  /// Lists and objects that are nested deeper are refused.
  public static let depthLimit = 64

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next byte that is no blank; `nil` at the end.
  public mutating func peek() -> UInt8? {
    while offset < bytes.count {
      let byte = bytes[offset]
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return byte
      }
    }
    return nil
  }

  /// Takes the next byte if it is this one.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    offset += 1
    return true
  }

  /// Takes `null`, if that is next.
  public mutating func takeNull() -> Bool { peek() == UInt8(ascii: "n") && take("null") }

  /// Takes a word, if the next bytes are its.
  mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard bytes.count - offset >= count else { return false }
    for index in 0..<count where bytes[offset + index] != word.utf8Start[index] { return false }
    offset += count
    return true
  }

  /// Makes sure that nothing follows.
  public mutating func end() throws(ReadingError) {
    guard peek() != nil else { return }
    throw broken("the document goes on after its end")
  }

  /// The error that this is no JSON.
  func broken(_ problem: String) -> ReadingError {
    ReadingError(.document, "this is not JSON: \(problem)", at: offset)
  }

  /// The error that the value next can't be used.
  public mutating func unusable(_ rule: String) -> ReadingError {
    let found = excerpt()
    return ReadingError(.value, "\(rule), not \(found)", at: offset)
  }

  /// The value next as a message shows it.
  mutating func excerpt() -> String {
    switch peek() {
    case nil: return "the end of the document"
    case UInt8(ascii: "{"): return "an object"
    case UInt8(ascii: "["): return "a list"
    case UInt8(ascii: "\""):
      let rest = bytes[(offset + 1)...]
      let text = rest.prefix(32).prefix { $0 != UInt8(ascii: "\"") && $0 >= 0x20 }
      return "\"" + String(decoding: text, as: UTF8.self) + (text.count == 32 ? "…" : "") + "\""
    default:
      let stops = Array(",]} \t\r\n".utf8)
      let text = bytes[offset...].prefix(24).prefix { !stops.contains($0) }
      return String(decoding: text, as: UTF8.self)
    }
  }
}

// Lists and objects. A value that can't be used does not end the reading: the rest is looked at for
// what is wrong with the document itself, then the first such value is reported.
extension JSONReader {
  /// Reads an object that may have the keys `Key`. `null` is as good as no value.
  @inlinable
  public mutating func object<Key: RawRepresentable<String> & CaseIterable & Equatable>(
    _ keys: Key.Type, _ read: (inout JSONReader, Key) throws(ReadingError) -> Void
  ) throws(ReadingError) {
    var seen: [Key] = []
    try openObject { reader, name, offset throws(ReadingError) in
      guard let key = Key(rawValue: name) else {
        let allowed = Key.allCases.map(\.rawValue).joined(separator: ", ")
        throw ReadingError(.document, "unknown key \"\(name)\"; allowed: \(allowed)", at: offset)
      }
      guard !seen.contains(key) else {
        throw ReadingError(.document, "the key \"\(name)\" stands there twice", at: offset)
      }
      seen.append(key)
      if reader.takeNull() { return }
      try reader.value(in: name) { reader throws(ReadingError) in try read(&reader, key) }
    }
  }

  /// Reads an object with any keys, in their order.
  public mutating func members(
    _ read: (inout JSONReader, String) throws(ReadingError) -> Void
  ) throws(ReadingError) {
    try openObject { reader, name, _ throws(ReadingError) in
      try reader.value(in: name) { reader throws(ReadingError) in try read(&reader, name) }
    }
  }

  /// Reads a list; the second argument of `read` is the index.
  public mutating func list(
    _ read: (inout JSONReader, Int) throws(ReadingError) -> Void
  ) throws(ReadingError) {
    guard peek() == UInt8(ascii: "[") else { throw unusable("it must be a list") }
    var index = 0
    try items(until: UInt8(ascii: "]")) { reader throws(ReadingError) in
      defer { index += 1 }
      try reader.value(in: "[\(index)]") { reader throws(ReadingError) in try read(&reader, index) }
    }
  }

  /// Passes over a value.
  public mutating func skip() throws(ReadingError) {
    switch peek() {
    case UInt8(ascii: "{"):
      try items(until: UInt8(ascii: "}")) { reader throws(ReadingError) in
        _ = try reader.key()
        try reader.skip()
      }
    case UInt8(ascii: "["):
      try items(until: UInt8(ascii: "]")) { reader throws(ReadingError) in try reader.skip() }
    case UInt8(ascii: "\""): try skipText()
    default:
      if startsNumber {
        _ = try numberText()
        return
      }
      if take("null") || take("true") || take("false") { return }
      let found = excerpt()
      throw broken("a value is expected here, not \(found)")
    }
  }

  /// The bytes of a value as they are.
  public mutating func raw() throws(ReadingError) -> [UInt8] {
    _ = peek()
    let start = offset
    try skip()
    return Array(bytes[start..<offset])
  }

  /// Reads an object; `read` gets every key with the byte where it begins.
  @usableFromInline
  mutating func openObject(
    _ read: (inout JSONReader, String, Int) throws(ReadingError) -> Void
  ) throws(ReadingError) {
    guard peek() == UInt8(ascii: "{") else { throw unusable("it must be an object") }
    try items(until: UInt8(ascii: "}")) { reader throws(ReadingError) in
      _ = reader.peek()
      let start = reader.offset
      let name = try reader.key()
      try read(&reader, name, start)
    }
  }

  private mutating func key() throws(ReadingError) -> String {
    guard peek() == UInt8(ascii: "\"") else {
      let found = excerpt()
      throw broken("a key in quotes is expected here, not \(found)")
    }
    let name = try text()
    guard take(UInt8(ascii: ":")) else { throw broken("a colon must follow the key \"\(name)\"") }
    return name
  }

  /// Reads what stands between brackets. `read` ends behind its item even if it throws an error of
  /// the kind `value`.
  private mutating func items(
    until close: UInt8, _ read: (inout JSONReader) throws(ReadingError) -> Void
  ) throws(ReadingError) {
    offset += 1
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw broken("lists and objects are nested deeper than \(Self.depthLimit)")
    }
    if take(close) { return }
    var firstProblem: ReadingError?
    repeat {
      do throws(ReadingError) { try read(&self) } catch {
        guard error.kind == .value else { throw error }
        firstProblem = firstProblem ?? error
      }
    } while take(UInt8(ascii: ","))
    guard take(close) else {
      let found = excerpt()
      let mark = String(decoding: [close], as: UTF8.self)
      throw broken("a comma or \(mark) is expected here, not \(found)")
    }
    if let firstProblem { throw firstProblem }
  }

  /// Reads one value of a list or an object, and ends behind it even if it can't be used.
  @usableFromInline
  mutating func value(
    in part: @autoclosure () -> String, _ read: (inout JSONReader) throws(ReadingError) -> Void
  ) throws(ReadingError) {
    let start = offset
    do throws(ReadingError) { try read(&self) } catch {
      var problem = error
      if error.kind == .value {
        offset = start
        do throws(ReadingError) { try skip() } catch { problem = error }
      }
      problem.putInside(part())
      throw problem
    }
  }
}
