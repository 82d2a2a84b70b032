// Reads Codable values from CBOR (RFC 8949) that may come from anybody: every length and depth is checked.

/// Why bytes are not the value that was expected.
public struct CBORError: Error, CustomStringConvertible, Sendable {
  /// What is wrong.
  public let text: String
  /// Where, in bytes from the start.
  public let offset: Int

  public var description: String { "\(text) at byte \(offset)" }
}

/// Decodes values from CBOR. Unknown keys are ignored; missing ones are errors unless optional.
public struct CBORDecoder {
  /// Containers nested deeper are refused.
  public static let depthLimit = 64

  public init() {}

  /// The value in `bytes`, all of which must belong to it.
  ///
  /// - Throws: ``CBORError`` or `DecodingError`; never traps, whatever the bytes are.
  public func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
    let source = Source(bytes: bytes)
    let end = try source.skip(0, depth: 0)
    guard end == bytes.count else { throw CBORError(text: "bytes after the value", offset: end) }
    return try source.value(type, at: 0)
  }
}

/// An item's first byte and argument.
private struct Head {
  var type: MajorType
  /// The value, the length or the bits of a number; `nil` for indefinite length.
  var argument: UInt64?
  /// Where its content begins.
  var content: Int
}

private final class Source {
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  func head(_ offset: Int) throws -> Head {
    guard offset < bytes.count else { throw CBORError(text: "ends too early", offset: offset) }
    let first = bytes[offset]
    guard let type = MajorType(rawValue: first >> 5) else {
      throw CBORError(text: "no CBOR item", offset: offset)
    }
    let short = first & 31
    let width: Int
    switch short {
    case 0..<24: return Head(type: type, argument: UInt64(short), content: offset + 1)
    case 24: width = 1
    case 25: width = 2
    case 26: width = 4
    case 27: width = 8
    case 31: return Head(type: type, argument: nil, content: offset + 1)
    default: throw CBORError(text: "a reserved item", offset: offset)
    }
    guard bytes.count - offset > width else {
      throw CBORError(text: "ends too early", offset: offset)
    }
    var argument: UInt64 = 0
    for index in 1...width { argument = argument << 8 | UInt64(bytes[offset + index]) }
    return Head(type: type, argument: argument, content: offset + 1 + width)
  }

  func isBreak(_ offset: Int) -> Bool { offset < bytes.count && bytes[offset] == 0xFF }

  func isNull(_ offset: Int) -> Bool {
    offset < bytes.count && (bytes[offset] == 0xF6 || bytes[offset] == 0xF7)
  }

  /// Where the item at `offset` ends, everything in it checked.
  func skip(_ offset: Int, depth: Int) throws -> Int {
    guard depth <= CBORDecoder.depthLimit else {
      throw CBORError(text: "nested deeper than \(CBORDecoder.depthLimit)", offset: offset)
    }
    let head = try head(offset)
    switch head.type {
    case .unsigned, .negative: return head.content
    case .simple:
      guard head.argument != nil else { throw CBORError(text: "a stray break", offset: offset) }
      return head.content
    case .bytes, .text: return try span(head, offset).upperBound
    case .tag: return try skip(head.content, depth: depth + 1)
    case .array: return try skipItems(head, perItem: 1, offset, depth)
    case .map: return try skipItems(head, perItem: 2, offset, depth)
    }
  }

  private func skipItems(_ head: Head, perItem: UInt64, _ offset: Int, _ depth: Int) throws -> Int {
    var next = head.content
    guard let count = head.argument else {
      while !isBreak(next) {
        for _ in 0..<perItem { next = try skip(next, depth: depth + 1) }
      }
      return next + 1
    }
    // Every item takes a byte at least, so a count beyond the rest is a lie.
    guard count <= UInt64(bytes.count) else {
      throw CBORError(text: "a count beyond the end", offset: offset)
    }
    for _ in 0..<(count * perItem) { next = try skip(next, depth: depth + 1) }
    return next
  }

  func span(_ head: Head, _ offset: Int) throws -> Range<Int> {
    guard let length = head.argument, length <= UInt64(bytes.count - head.content) else {
      throw CBORError(text: "a text beyond the end", offset: offset)
    }
    return head.content..<(head.content + Int(length))
  }

  func text(at offset: Int) throws -> String {
    let head = try head(offset)
    guard head.type == .text else { throw CBORError(text: "a text expected", offset: offset) }
    let range = try span(head, offset)
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw CBORError(text: "a text that is not UTF-8", offset: offset)
    }
    return text
  }

  func integer<Number: FixedWidthInteger>(at offset: Int) throws -> Number {
    let head = try head(offset)
    let number: Number?
    switch (head.type, head.argument) {
    case (.unsigned, let argument?): number = Number(exactly: argument)
    case (.negative, let argument?) where argument <= UInt64(Int64.max):
      number = Number(exactly: ~Int64(argument))
    default: throw CBORError(text: "an integer expected", offset: offset)
    }
    guard let number else { throw CBORError(text: "an integer out of range", offset: offset) }
    return number
  }

  func flag(at offset: Int) throws -> Bool {
    guard offset < bytes.count, bytes[offset] == 0xF5 || bytes[offset] == 0xF4 else {
      throw CBORError(text: "true or false expected", offset: offset)
    }
    return bytes[offset] == 0xF5
  }

  func double(at offset: Int) throws -> Double {
    guard offset < bytes.count, bytes[offset] == 0xFB, let bits = try head(offset).argument else {
      throw CBORError(text: "a number expected", offset: offset)
    }
    return Double(bitPattern: bits)
  }

  func value<Value: Decodable>(_ type: Value.Type, at offset: Int) throws -> Value {
    if type == String.self, let value = try text(at: offset) as? Value { return value }
    if type == Int.self {
      let number: Int = try integer(at: offset)
      if let value = number as? Value { return value }
    }
    if type == [UInt8].self, let value = try data(at: offset) as? Value { return value }
    return try Value(from: ValueDecoder(source: self, offset: offset))
  }

  private func data(at offset: Int) throws -> [UInt8] {
    let head = try head(offset)
    guard head.type == .bytes else { throw CBORError(text: "bytes expected", offset: offset) }
    return Array(bytes[try span(head, offset)])
  }

  /// The keys of the map at `offset`, each with the place of its value.
  func entries(at offset: Int) throws -> [(key: Range<Int>, value: Int)] {
    let head = try head(offset)
    guard head.type == .map else { throw CBORError(text: "a map expected", offset: offset) }
    var entries: [(key: Range<Int>, value: Int)] = []
    var next = head.content
    while head.argument.map({ entries.count < Int($0) }) ?? !isBreak(next) {
      let key = try self.head(next)
      guard key.type == .text else { throw CBORError(text: "a text key expected", offset: next) }
      let range = try span(key, next)
      entries.append((range, range.upperBound))
      next = try skip(range.upperBound, depth: 0)
    }
    return entries
  }
}

private struct ValueDecoder: Decoder {
  let source: Source
  let offset: Int
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(
      KeyedSource(source: source, entries: try source.entries(at: offset), offset: offset))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try UnkeyedSource(source: source, offset: offset)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer {
    SingleSource(source: source, offset: offset)
  }
}

private struct KeyedSource<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let source: Source
  let entries: [(key: Range<Int>, value: Int)]
  let offset: Int
  var codingPath: [any CodingKey] { [] }

  var allKeys: [Key] {
    entries.compactMap { Key(stringValue: String(decoding: source.bytes[$0.key], as: UTF8.self)) }
  }

  private func find(_ key: Key) -> Int? {
    let name = key.stringValue.utf8
    return entries.first { source.bytes[$0.key].elementsEqual(name) }?.value
  }

  private func place(_ key: Key) throws -> Int {
    guard let place = find(key) else {
      throw CBORError(text: "the key \"\(key.stringValue)\" is missing", offset: offset)
    }
    return place
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { source.isNull(try place(key)) }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
    try source.flag(at: place(key))
  }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
    try source.double(at: place(key))
  }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try source.value(type, at: place(key))
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try ValueDecoder(source: source, offset: place(key)).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try UnkeyedSource(source: source, offset: place(key))
  }

  func superDecoder() throws -> any Decoder {
    guard let key = Key(stringValue: "super") else {
      throw CBORError(text: "the key \"super\" is missing", offset: offset)
    }
    return try superDecoder(forKey: key)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    ValueDecoder(source: source, offset: try place(key))
  }
}

private struct UnkeyedSource: UnkeyedDecodingContainer {
  let source: Source
  let count: Int?
  private(set) var currentIndex = 0
  private var next: Int
  var codingPath: [any CodingKey] { [] }

  init(source: Source, offset: Int) throws {
    let head = try source.head(offset)
    guard head.type == .array else { throw CBORError(text: "an array expected", offset: offset) }
    self.source = source
    count = head.argument.map { Int(clamping: $0) }
    next = head.content
  }

  var isAtEnd: Bool { count.map { currentIndex >= $0 } ?? source.isBreak(next) }

  /// The place of the next element, which counts as read.
  private mutating func advance() throws -> Int {
    guard !isAtEnd else { throw CBORError(text: "the array ends too early", offset: next) }
    let place = next
    next = try source.skip(place, depth: 0)
    currentIndex += 1
    return place
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, source.isNull(next) else { return false }
    _ = try advance()
    return true
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool { try source.flag(at: advance()) }
  mutating func decode(_ type: Double.Type) throws -> Double { try source.double(at: advance()) }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try source.value(type, at: advance())
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try ValueDecoder(source: source, offset: advance()).container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try UnkeyedSource(source: source, offset: advance())
  }

  mutating func superDecoder() throws -> any Decoder {
    ValueDecoder(source: source, offset: try advance())
  }
}

private struct SingleSource: SingleValueDecodingContainer {
  let source: Source
  let offset: Int
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { source.isNull(offset) }
  func decode(_ type: Bool.Type) throws -> Bool { try source.flag(at: offset) }
  func decode(_ type: String.Type) throws -> String { try source.text(at: offset) }
  func decode(_ type: Double.Type) throws -> Double { try source.double(at: offset) }
  func decode(_ type: Float.Type) throws -> Float { Float(try source.double(at: offset)) }
  func decode(_ type: Int.Type) throws -> Int { try source.integer(at: offset) }
  func decode(_ type: Int8.Type) throws -> Int8 { try source.integer(at: offset) }
  func decode(_ type: Int16.Type) throws -> Int16 { try source.integer(at: offset) }
  func decode(_ type: Int32.Type) throws -> Int32 { try source.integer(at: offset) }
  func decode(_ type: Int64.Type) throws -> Int64 { try source.integer(at: offset) }
  func decode(_ type: UInt.Type) throws -> UInt { try source.integer(at: offset) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try source.integer(at: offset) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try source.integer(at: offset) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try source.integer(at: offset) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try source.integer(at: offset) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try source.value(type, at: offset)
  }
}
