// The patterns of LIKE.

/// A pattern: bytes that must match, `_` for one character and `%` for any number of them.
struct LikePattern: Hashable, Sendable {
  enum Element: Hashable, Sendable {
    case byte(UInt8)
    case one
    case many
  }

  let elements: [Element]

  /// Reads a pattern.
  ///
  /// - Parameter escape: the character that makes the next one stand for itself; `nil` for none.
  /// - Returns: `nil` if the escape character ends the pattern.
  init?(_ text: String, escape: Unicode.Scalar?) {
    var elements: [Element] = []
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if !isEscaped, scalar == escape {
        isEscaped = true
        continue
      }
      switch scalar {
      case "%" where !isEscaped: if elements.last != .many { elements.append(.many) }
      case "_" where !isEscaped: elements.append(.one)
      default: elements += UTF8.encode(scalar).map { $0.map(Element.byte) } ?? []
      }
      isEscaped = false
    }
    if isEscaped { return nil }
    self.elements = elements
  }

  /// The pattern for LIKE with `\` as its escape character.
  var likeText: String {
    text { byte in
      let isSpecial = [UInt8(ascii: "%"), UInt8(ascii: "_"), UInt8(ascii: "\\")].contains(byte)
      return isSpecial ? [UInt8(ascii: "\\"), byte] : [byte]
    } one: {
      UInt8(ascii: "_")
    } many: {
      UInt8(ascii: "%")
    }
  }

  /// The pattern for SQLite's GLOB, which is case-sensitive where its LIKE is not.
  var globText: String {
    text { byte in
      let isSpecial = [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains(byte)
      return isSpecial ? [UInt8(ascii: "["), byte, UInt8(ascii: "]")] : [byte]
    } one: {
      UInt8(ascii: "?")
    } many: {
      UInt8(ascii: "*")
    }
  }

  private func text(
    byte: (UInt8) -> [UInt8], one: () -> UInt8, many: () -> UInt8
  ) -> String {
    let bytes: [UInt8] = elements.flatMap { element -> [UInt8] in
      switch element {
      case .byte(let value): byte(value)
      case .one: [one()]
      case .many: [many()]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the whole text matches. Takes time proportional to both lengths at worst.
  func matches(_ text: String) -> Bool {
    if let result = text.utf8.withContiguousStorageIfAvailable({ matches($0) }) { return result }
    return Array(text.utf8).withUnsafeBufferPointer { matches($0) }
  }

  /// Walks both; after a mismatch the latest `%` takes one character more.
  private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var element = 0
    var index = 0
    var retry: (element: Int, index: Int)?
    while true {
      if element < elements.count, elements[element] == .many {
        element += 1
        retry = (element, index)
        continue
      }
      if element == elements.count, index == text.count { return true }
      if let next = step(element, text, index) {
        element += 1
        index = next
        continue
      }
      guard let last = retry, last.index < text.count else { return false }
      index = LikePattern.afterCharacter(text, last.index)
      element = last.element
      retry = (element, index)
    }
  }

  /// Where the text goes on after one element; `nil` if it does not match there.
  private func step(_ element: Int, _ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int? {
    guard element < elements.count, index < text.count else { return nil }
    switch elements[element] {
    case .byte(let byte): return text[index] == byte ? index + 1 : nil
    case .one: return LikePattern.afterCharacter(text, index)
    case .many: return nil
    }
  }

  private static func afterCharacter(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int {
    var next = index + 1
    while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
    return next
  }
}
