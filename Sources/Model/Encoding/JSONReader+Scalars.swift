// Numbers and texts of a JSON document.

// Numbers.
extension JSONReader {
  /// A whole number within `range`.
  public mutating func integer(
    in range: ClosedRange<Int> = .min ... .max
  ) throws(ReadingError) -> Int {
    let rule =
      range.lowerBound == .min
      ? "it must be a whole number"
      : "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    return try integer(in: range, rule: rule)
  }

  /// - Parameter rule: what the message says of the number.
  public mutating func integer(
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
  public mutating func real() throws(ReadingError) -> Double {
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
  public var startsNumber: Bool {
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
      offset = whole + 1
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
  public mutating func text(
    rule: @autoclosure () -> String = "it must be a text"
  ) throws(ReadingError) -> String {
    guard peek() == UInt8(ascii: "\"") else { throw unusable(rule()) }
    let start = offset + 1
    let form = try skipText()
    let inside = bytes[start..<offset - 1]
    if !form.isASCII, String(validating: inside, as: UTF8.self) == nil {
      throw ReadingError(.document, "this is not JSON: a text is not UTF-8", at: start - 1)
    }
    return form.hasEscapes ? try unescaped(inside) : String(decoding: inside, as: UTF8.self)
  }

  /// What has to be looked at in a text.
  struct TextForm {
    var hasEscapes = false
    var isASCII = true
  }

  /// Passes over a text.
  @discardableResult
  mutating func skipText() throws(ReadingError) -> TextForm {
    let start = offset
    var form = TextForm()
    offset += 1
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      if byte == UInt8(ascii: "\"") { return form }
      if byte == UInt8(ascii: "\\") {
        form.hasEscapes = true
        offset += 1
      } else if byte < 0x20 {
        offset -= 1
        throw broken("a control character in a text")
      } else if byte >= 0x80 {
        form.isASCII = false
      }
    }
    offset = start
    throw broken("a text without its closing quote")
  }

  private func unescaped(_ inside: ArraySlice<UInt8>) throws(ReadingError) -> String {
    var text = ""
    var rest = inside
    while let byte = rest.first {
      guard byte == UInt8(ascii: "\\") else {
        let plain = rest.prefix { $0 != UInt8(ascii: "\\") }
        text += String(decoding: plain, as: UTF8.self)
        rest = rest[plain.endIndex...]
        continue
      }
      text.unicodeScalars.append(try Self.character(&rest))
    }
    return text
  }

  /// Takes an escape: what it means.
  private static func character(
    _ rest: inout ArraySlice<UInt8>
  ) throws(ReadingError) -> Unicode.Scalar {
    let start = rest.startIndex
    var code = try unit(&rest)
    if (0xD800..<0xDC00).contains(code), rest.starts(with: "\\u".utf8) {
      let low = try unit(&rest)
      // A wrong second half leaves a code that is no character.
      if (0xDC00..<0xE000).contains(low) { code = 0x10000 + (code - 0xD800) << 10 + low - 0xDC00 }
    }
    guard let scalar = Unicode.Scalar(code) else {
      let problem = "this is not JSON: an escape of half a character; allowed: both halves"
      throw ReadingError(.document, problem, at: start)
    }
    return scalar
  }

  private static let escapes: [UInt8: UInt32] = [
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F,
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
    UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
  ]

  /// Takes a backslash with what belongs to it: the code of a character, or of half of one.
  private static func unit(_ rest: inout ArraySlice<UInt8>) throws(ReadingError) -> UInt32 {
    rest.removeFirst()
    if let first = rest.first, let code = escapes[first] {
      rest.removeFirst()
      return code
    }
    guard rest.first == UInt8(ascii: "u") else {
      let problem = #"this is not JSON: an unknown escape; allowed: \" \\ \/ \b \f \n \r \t \uXXXX"#
      throw ReadingError(.document, problem, at: rest.startIndex)
    }
    rest.removeFirst()
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let next = rest.first, let digit = Character(Unicode.Scalar(next)).hexDigitValue else {
        let problem = "this is not JSON: four hexadecimal digits are expected after \\u"
        throw ReadingError(.document, problem, at: rest.startIndex)
      }
      code = code << 4 | UInt32(digit)
      rest.removeFirst()
    }
    return code
  }
}
