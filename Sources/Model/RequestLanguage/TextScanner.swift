// A cursor over the bytes of a short text, for the parsers of this module.

/// Reads a text byte by byte and makes errors that name the place.
struct TextScanner {
  let subject: String
  let bytes: [UInt8]
  var index = 0

  init(_ text: String, subject: String, limit: Int = RequestLimits.textBytes) throws(RequestError) {
    try RequestLimits.check(text, in: subject, limit: limit)
    self.subject = subject
    bytes = Array(text.utf8)
  }

  var isAtEnd: Bool { index == bytes.count }
  var next: UInt8? { index < bytes.count ? bytes[index] : nil }
  var following: UInt8? { index + 1 < bytes.count ? bytes[index + 1] : nil }

  mutating func skipBlanks() {
    while let byte = next, byte.isBlank { index += 1 }
  }

  /// Steps over one byte if it is the expected one.
  mutating func accept(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  /// The text from here while the condition holds.
  mutating func take(while condition: (UInt8) -> Bool) -> String {
    let start = index
    while let byte = next, condition(byte) { index += 1 }
    return text(start..<index)
  }

  func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  /// The number, from 1, of the character that begins at a byte.
  func position(of index: Int) -> Int {
    bytes[..<index].reduce(1) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
  }

  /// An error about the text from `start` to `end`; by default, to the end of the text.
  func error(
    _ kind: RequestError.Kind, at start: Int, to end: Int? = nil, _ problem: String,
    allowed: String = ""
  ) -> RequestError {
    RequestError(
      kind, in: subject, value: text(start..<min(end ?? bytes.count, start + 256)),
      problem: problem, allowed: allowed, position: position(of: start))
  }

  /// An error about what stands here, or about the end of the text.
  func unexpected(expected: String) -> RequestError {
    isAtEnd
      ? error(.missing, at: index, "something is missing at the end", allowed: expected)
      : error(.malformed, at: index, "is not expected here", allowed: expected)
  }
}

extension UInt8 {
  var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  var isNameStart: Bool { isLetter || self == UInt8(ascii: "_") }
  var isNamePart: Bool { isNameStart || isDigit }
}

extension String {
  /// The text without blanks at its ends.
  var trimmed: String {
    let bytes = utf8
    guard let first = bytes.firstIndex(where: { !$0.isBlank }),
      let last = bytes.lastIndex(where: { !$0.isBlank })
    else { return "" }
    return String(self[first...last])
  }

  /// The text with `A`–`Z` as small letters; SQL folds names so.
  var asciiLowercased: String {
    guard utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return self }
    return String(
      decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
  }

  /// Whether it is one or more digits and nothing else.
  var isAllDigits: Bool { !utf8.isEmpty && utf8.allSatisfy(\.isDigit) }
}
