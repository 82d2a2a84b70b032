// Parameters on their way to PostgreSQL, and how statements number them.

/// The values bound to a statement: one after the other in one buffer, each with a zero byte behind it.
struct Parameters {
  private var bytes: [UInt8] = []
  /// Where each begins; -1 for NULL.
  private var starts: [Int] = []
  private var lengths: [Int32] = []
  /// 1 for bytes as they are.
  private var formats: [Int32] = []
  /// Whether a text holds the byte 0.
  private(set) var hasZeroByte = false

  mutating func add(_ value: some Collection<UInt8>, isBinary: Bool = false) {
    starts.append(bytes.count)
    bytes.append(contentsOf: value)
    let count = bytes.count - starts[starts.count - 1]
    lengths.append(Int32(clamping: count))
    formats.append(isBinary ? 1 : 0)
    if !isBinary, bytes[(bytes.count - count)...].contains(0) { hasZeroByte = true }
    bytes.append(0)
  }

  mutating func addNull() {
    starts.append(-1)
    lengths.append(0)
    formats.append(0)
  }

  mutating func removeAll() {
    if starts.isEmpty { return }
    bytes.removeAll(keepingCapacity: bytes.count < 1 << 16)
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    formats.removeAll(keepingCapacity: true)
    hasZeroByte = false
  }

  /// Calls `body` with the number of parameters, their values, lengths and formats.
  func withPointers<Result>(
    _ body: (
      Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    ) -> Result
  ) -> Result {
    bytes.withUnsafeBytes { buffer in
      let values = starts.map { start -> UnsafePointer<CChar>? in
        guard start >= 0, let base = buffer.baseAddress else { return nil }
        return (base + start).assumingMemoryBound(to: CChar.self)
      }
      return values.withUnsafeBufferPointer { values in
        lengths.withUnsafeBufferPointer { lengths in
          formats.withUnsafeBufferPointer { formats in
            body(
              Int32(clamping: values.count), values.baseAddress, lengths.baseAddress,
              formats.baseAddress)
          }
        }
      }
    }
  }
}

/// The statement with `$1` for the first `?` and so on, as PostgreSQL writes parameters; `?3` is the
/// third, and what is numbered already stays.
func numbered(_ sql: String) -> String {
  let source = Array(sql.utf8)
  var text: [UInt8] = []
  text.reserveCapacity(source.count + 16)
  var quote: UInt8?
  var last = 0
  var place = 0
  while place < source.count {
    let byte = source[place]
    place += 1
    if let open = quote {
      if byte == open { quote = nil }
    } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
      quote = byte
    } else if byte == UInt8(ascii: "?") || byte == UInt8(ascii: "$") {
      let digits = source[place...].prefix { (48...57).contains($0) }
      last = Int(String(decoding: digits, as: UTF8.self)) ?? last + 1
      place += digits.count
      text += Array("$\(last)".utf8)
      continue
    }
    text.append(byte)
  }
  return String(decoding: text, as: UTF8.self)
}
