// Writes Codable values as CBOR (RFC 8949): compact, self-describing, and no Foundation.

/// Encodes values as CBOR, in one pass into one buffer. Maps and arrays are of indefinite length.
public struct CBOREncoder {
  public init() {}

  /// The bytes of `value`.
  public func encode(_ value: some Encodable) throws -> [UInt8] {
    let sink = Sink()
    try sink.write(value)
    return sink.bytes
  }
}

/// The first bits of an item's first byte.
enum MajorType: UInt8 {
  case unsigned = 0
  case negative = 1
  case bytes = 2
  case text = 3
  case array = 4
  case map = 5
  case tag = 6
  case simple = 7
}

/// The output and the containers that are open in it. A container is closed when something is written
/// outside it: Codable says when one begins, never when it ends.
private final class Sink {
  var bytes: [UInt8] = []
  private var depth = 0

  func head(_ type: MajorType, _ argument: UInt64) {
    let high = type.rawValue << 5
    switch argument {
    case 0..<24: bytes.append(high | UInt8(argument))
    case 24...0xFF:
      bytes.append(high | 24)
      bytes.append(UInt8(argument))
    case 0x100...0xFFFF: wide(high | 25, argument, 2)
    case 0x10000...0xFFFF_FFFF: wide(high | 26, argument, 4)
    default: wide(high | 27, argument, 8)
    }
  }

  private func wide(_ first: UInt8, _ argument: UInt64, _ count: Int) {
    bytes.append(first)
    for index in (0..<count).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: argument >> UInt64(index * 8)))
    }
  }

  func writeInteger(_ number: some BinaryInteger) {
    if number >= 0 {
      head(.unsigned, UInt64(number))
    } else {
      head(.negative, UInt64(bitPattern: ~Int64(number)))
    }
  }

  func write(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      head(.text, UInt64(utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  func write(_ flag: Bool) { bytes.append(flag ? 0xF5 : 0xF4) }

  func writeNull() { bytes.append(0xF6) }

  func write(_ number: Double) { wide(0xFB, number.bitPattern, 8) }

  func open(_ type: MajorType) -> Int {
    bytes.append(type.rawValue << 5 | 31)
    depth += 1
    return depth
  }

  /// Closes what was opened inside the container at `outer`.
  func close(to outer: Int) {
    while depth > outer {
      bytes.append(0xFF)
      depth -= 1
    }
  }

  func write<Value: Encodable>(_ value: Value) throws {
    // Types are compared before casts: an empty [String] would pass as [UInt8].
    if Value.self == String.self, let text = value as? String { return write(text) }
    if Value.self == Int.self, let number = value as? Int { return writeInteger(number) }
    if Value.self == [UInt8].self, let data = value as? [UInt8] {
      head(.bytes, UInt64(data.count))
      bytes.append(contentsOf: data)
      return
    }
    let outer = depth
    let before = bytes.count
    try value.encode(to: ValueEncoder(sink: self))
    close(to: outer)
    if bytes.count == before { writeNull() }
  }
}

private struct ValueEncoder: Encoder {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedSink(sink: sink, depth: sink.open(.map)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedSink(sink: sink, depth: sink.open(.array))
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { SingleSink(sink: sink) }
}

private struct KeyedSink<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let sink: Sink
  let depth: Int
  var codingPath: [any CodingKey] { [] }

  private func begin(_ key: Key) -> Sink {
    sink.close(to: depth)
    sink.write(key.stringValue)
    return sink
  }

  func encodeNil(forKey key: Key) { begin(key).writeNull() }
  func encode(_ value: Bool, forKey key: Key) { begin(key).write(value) }
  func encode(_ value: String, forKey key: Key) { begin(key).write(value) }
  func encode(_ value: Double, forKey key: Key) { begin(key).write(value) }
  func encode(_ value: Int, forKey key: Key) { begin(key).writeInteger(value) }
  func encode(_ value: some Encodable, forKey key: Key) throws { try begin(key).write(value) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(KeyedSink<Nested>(sink: sink, depth: begin(key).open(.map)))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    UnkeyedSink(sink: sink, depth: begin(key).open(.array))
  }

  func superEncoder() -> any Encoder {
    sink.close(to: depth)
    sink.write("super")
    return ValueEncoder(sink: sink)
  }

  func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(sink: begin(key)) }
}

private struct UnkeyedSink: UnkeyedEncodingContainer {
  let sink: Sink
  let depth: Int
  private(set) var count = 0
  var codingPath: [any CodingKey] { [] }

  init(sink: Sink, depth: Int) {
    self.sink = sink
    self.depth = depth
  }

  private mutating func begin() -> Sink {
    sink.close(to: depth)
    count += 1
    return sink
  }

  mutating func encodeNil() { begin().writeNull() }
  mutating func encode(_ value: Bool) { begin().write(value) }
  mutating func encode(_ value: String) { begin().write(value) }
  mutating func encode(_ value: Double) { begin().write(value) }
  mutating func encode(_ value: Int) { begin().writeInteger(value) }
  mutating func encode(_ value: some Encodable) throws { try begin().write(value) }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(KeyedSink<Nested>(sink: sink, depth: begin().open(.map)))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedSink(sink: sink, depth: begin().open(.array))
  }

  mutating func superEncoder() -> any Encoder { ValueEncoder(sink: begin()) }
}

private struct SingleSink: SingleValueEncodingContainer {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }

  func encodeNil() { sink.writeNull() }
  func encode(_ value: Bool) { sink.write(value) }
  func encode(_ value: String) { sink.write(value) }
  func encode(_ value: Double) { sink.write(value) }
  func encode(_ value: Float) { sink.write(Double(value)) }
  func encode(_ value: Int) { sink.writeInteger(value) }
  func encode(_ value: Int8) { sink.writeInteger(value) }
  func encode(_ value: Int16) { sink.writeInteger(value) }
  func encode(_ value: Int32) { sink.writeInteger(value) }
  func encode(_ value: Int64) { sink.writeInteger(value) }
  func encode(_ value: UInt) { sink.writeInteger(value) }
  func encode(_ value: UInt8) { sink.writeInteger(value) }
  func encode(_ value: UInt16) { sink.writeInteger(value) }
  func encode(_ value: UInt32) { sink.writeInteger(value) }
  func encode(_ value: UInt64) { sink.writeInteger(value) }
  func encode(_ value: some Encodable) throws { try sink.write(value) }
}
