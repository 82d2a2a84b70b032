// Numbers and texts of a JSON document.

// Numbers.
extension JSONReader {
  /// A whole number within `range`.
  mutating func integer(in range: ClosedRange<Int> = .min ... .max) throws(ReadingError) -> Int {
    let rule =
      range.lowerBound == .min
      ? "it must be a whole number"
      : "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    return try integer(in: range, rule: rule)
  }

  /// - Parameter rule: what the message says of the number.
  mutating func integer(
    in range: ClosedRange<Int>, rule: @autoclosure () -> String
  ) throws(ReadingError) -> Int {
    guard startsNumber else { throw unusable(rule()) }
    let start = offset
    let text = try numberText()
    var number = 0
    var isWhole = true
    let isNegative = bytes[start] == UInt8(ascii: "-")
    for byte in bytes[text].dropFirst(isNegative ? 1 : 0) {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
        isWhole = false
        break
      }
      let (tens, first) = number.multipliedReportingOverflow(by: 10)
      let digit = Int(byte - UInt8(ascii: "0"))
      let (sum, second) = tens.addingReportingOverflow(isNegative ? -digit : digit)
      if first || second { isWhole = false }
      number = sum
    }
    guard isWhole, range.contains(number) else {
      offset = start
      throw unusable(rule())
    }
    return number
  }

  /// A number.
  mutating func real() throws(ReadingError) -> Double {
    let rule = "it must be a number"
    guard startsNumber else { throw unusable(rule) }
    let start = offset
    let text = try numberText()
    guard let number = Double(String(decoding: bytes[text], as: UTF8.self)), number.isFinite else {
      offset = start
      throw unusable(rule)
    }
    return number
  }

  /// Whether a number is next.
  var startsNumber: Bool {
    mutating get {
      guard let byte = peek() else { return false }
      return byte == UInt8(ascii: "-") || isDigit(byte)
    }
  }

  func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  /// Where the bytes of a number are.
  mutating func numberText() throws(ReadingError) -> Range<Int> {
    let start = offset
    if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
    let whole = offset
    try digits()
    guard bytes[whole] != UInt8(ascii: "0") || offset == whole + 1 else {
      throw broken("a number does not begin with 0")
    }
    if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
      offset += 1
      try digits()
    }
    if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      offset += 1
      let signs = [UInt8(ascii: "+"), UInt8(ascii: "-")]
      if offset < bytes.count, signs.contains(bytes[offset]) { offset += 1 }
      try digits()
    }
    return start..<offset
  }

  private mutating func digits() throws(ReadingError) {
    let start = offset
    while offset < bytes.count, isDigit(bytes[offset]) { offset += 1 }
    guard offset > start else { throw broken("a digit is missing in a number") }
  }
}

// Texts.
extension JSONReader {
  /// A text.
  ///
  /// - Parameter rule: what the message says of anything else.
  mutating func text(
    rule: @autoclosure () -> String = "it must be a text"
  ) throws(ReadingError) -> String {
    guard peek() == UInt8(ascii: "\"") else { throw unusable(rule()) }
    let start = offset + 1
    let hasEscapes = try skipText()
    let inside = bytes[start..<offset - 1]
    guard hasEscapes else { return String(decoding: inside, as: UTF8.self) }
    return try unescaped(inside)
  }

  /// Passes over a text; whether it has escapes.
  @discardableResult
  mutating func skipText() throws(ReadingError) -> Bool {
    let start = offset
    var hasEscapes = false
    offset += 1
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      if byte == UInt8(ascii: "\"") { return hasEscapes }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        offset += 1
      } else if byte < 0x20 {
        offset -= 1
        throw broken("a control character in a text")
      }
    }
    offset = start
    throw broken("a text without its closing quote")
  }

  private func unescaped(_ inside: ArraySlice<UInt8>) throws(ReadingError) -> String {
    var units: [UInt16] = []
    var rest = inside
    while let byte = rest.first {
      guard byte == UInt8(ascii: "\\") else {
        let plain = rest.prefix { $0 != UInt8(ascii: "\\") }
        units += String(decoding: plain, as: UTF8.self).utf16
        rest = rest[plain.endIndex...]
        continue
      }
      guard let unit = Self.escape(rest.dropFirst()) else {
        throw ReadingError(.document, "this is not JSON: an unknown escape", at: rest.startIndex)
      }
      units.append(unit.value)
      rest = rest.dropFirst(1 + unit.length)
    }
    return String(decoding: units, as: UTF16.self)
  }

  /// What the bytes after a backslash mean, and how many they are.
  private static func escape(_ rest: ArraySlice<UInt8>) -> (value: UInt16, length: Int)? {
    switch rest.first {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return rest.first.map { (UInt16($0), 1) }
    case UInt8(ascii: "b"): return (8, 1)
    case UInt8(ascii: "t"): return (9, 1)
    case UInt8(ascii: "n"): return (10, 1)
    case UInt8(ascii: "f"): return (12, 1)
    case UInt8(ascii: "r"): return (13, 1)
    case UInt8(ascii: "u"):
      let digits = rest.dropFirst().prefix(4)
      guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
      else {
        return nil
      }
      return UInt16(String(decoding: digits, as: UTF8.self), radix: 16).map { ($0, 5) }
    default: return nil
    }
  }
}
