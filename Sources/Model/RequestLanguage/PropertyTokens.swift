// The words and signs of a condition.

/// One word or sign, and where it begins and ends in bytes.
struct PropertyToken {
  enum Kind: Hashable {
    /// A word that is not a keyword: a column, in lower case.
    case name(String)
    /// A column in double quotes, as written.
    case quotedName(String)
    case keyword(Keyword)
    /// Digits; up to the magnitude of the smallest integer.
    case integer(UInt)
    case text(String)
    case sign(Sign)
    case end
  }

  enum Keyword: String {
    case and, or, not, `in`, like, escape, between, `is`, null, `true`, `false`
  }

  enum Sign {
    case notEqual, lessOrEqual, greaterOrEqual, equal, less, greater
    case plus, minus, times, slash, percent, open, close, comma

    /// A sign of two bytes.
    init?(_ first: UInt8, _ second: UInt8) {
      switch (Unicode.Scalar(first), Unicode.Scalar(second)) {
      case ("!", "="), ("<", ">"): self = .notEqual
      case ("<", "="): self = .lessOrEqual
      case (">", "="): self = .greaterOrEqual
      default: return nil
      }
    }

    /// A sign of one byte.
    init?(_ byte: UInt8) {
      switch Unicode.Scalar(byte) {
      case "=": self = .equal
      case "<": self = .less
      case ">": self = .greater
      case "+": self = .plus
      case "-": self = .minus
      case "*": self = .times
      case "/": self = .slash
      case "%": self = .percent
      case "(": self = .open
      case ")": self = .close
      case ",": self = .comma
      default: return nil
      }
    }
  }

  var kind: Kind
  var start: Int
  var end: Int
}

/// Cuts a condition into tokens, one at a time.
struct PropertyTokenizer {
  private(set) var scanner: TextScanner

  init(_ text: String) throws(RequestError) {
    scanner = try TextScanner(text, subject: PropertyExpression.subject)
  }

  /// The next token; `end` again and again at the end.
  mutating func next() throws(RequestError) -> PropertyToken {
    scanner.skipBlanks()
    let start = scanner.index
    let kind = try kind()
    return PropertyToken(kind: kind, start: start, end: scanner.index)
  }

  private mutating func kind() throws(RequestError) -> PropertyToken.Kind {
    guard let byte = scanner.next else { return .end }
    if byte.isNameStart { return try word() }
    if byte.isDigit { return try number() }
    if byte == UInt8(ascii: "'") { return .text(try quoted(byte)) }
    if byte == UInt8(ascii: "\"") { return .quotedName(try quotedName()) }
    return try sign()
  }

  private mutating func word() throws(RequestError) -> PropertyToken.Kind {
    let start = scanner.index
    let word = scanner.take(while: \.isNamePart).asciiLowercased
    if let keyword = PropertyToken.Keyword(rawValue: word) { return .keyword(keyword) }
    if let advice = PropertyTokenizer.unsupportedWords[word] {
      throw scanner.error(
        .unsupported, at: start, to: scanner.index, "is not supported", allowed: advice)
    }
    try checkName(word, at: start)
    return .name(word)
  }

  /// Words of SQL that could not be columns, and what to write instead.
  private static let unsupportedWords = [
    "ilike": "LIKE", "similar": "LIKE", "regexp": "LIKE", "glob": "LIKE", "rlike": "LIKE",
    "select": "columns and values", "from": "columns and values", "where": "the condition alone",
    "union": "columns and values", "exists": "IN (value, …)", "any": "IN (value, …)",
    "all": "IN (value, …)", "case": "AND, OR and NOT", "cast": "columns and values",
    "collate": "columns and values", "isnull": "IS NULL", "notnull": "IS NOT NULL",
    "order": "the condition alone", "group": "the condition alone", "limit": "the condition alone",
  ]

  private func checkName(_ name: String, at start: Int) throws(RequestError) {
    guard name.utf8.count <= RequestLimits.nameBytes else {
      throw scanner.error(
        .tooLarge, at: start, to: scanner.index, "is too long for a column",
        allowed: "at most \(RequestLimits.nameBytes) letters")
    }
  }

  private mutating func number() throws(RequestError) -> PropertyToken.Kind {
    let start = scanner.index
    let digits = scanner.take(while: \.isDigit)
    let isFraction = scanner.next == UInt8(ascii: ".")
    if isFraction || scanner.next?.isNamePart == true {
      _ = scanner.take { $0.isNamePart || $0 == UInt8(ascii: ".") }
      throw scanner.error(
        isFraction ? .unsupported : .malformed, at: start, to: scanner.index,
        "is not a whole number", allowed: "whole numbers; texts in single quotes")
    }
    guard let number = UInt(digits), number <= Int.min.magnitude else {
      throw scanner.error(
        .outOfRange, at: start, to: scanner.index, "is too large",
        allowed: "numbers up to \(Int.max)")
    }
    return .integer(number)
  }

  /// The text within quotes, where the quote itself is doubled.
  private mutating func quoted(_ quote: UInt8) throws(RequestError) -> String {
    let start = scanner.index
    scanner.index += 1
    var bytes: [UInt8] = []
    while let byte = scanner.next {
      scanner.index += 1
      if byte == 0 {
        throw scanner.error(.malformed, at: start, to: scanner.index, "holds a zero byte")
      }
      if byte == quote {
        guard scanner.accept(quote) else { return String(decoding: bytes, as: UTF8.self) }
      }
      bytes.append(byte)
    }
    let sign = quote == UInt8(ascii: "'") ? "'" : "\""
    throw scanner.error(
      .malformed, at: start, "has no closing quote", allowed: "\(sign) at its end")
  }

  private mutating func quotedName() throws(RequestError) -> String {
    let start = scanner.index
    let name = try quoted(UInt8(ascii: "\""))
    try checkName(name, at: start)
    guard let first = name.utf8.first, first.isNameStart, name.utf8.allSatisfy(\.isNamePart) else {
      throw scanner.error(
        .malformed, at: start, to: scanner.index, "is not the name of a column",
        allowed: "letters, digits and _ in double quotes; texts are written in single quotes")
    }
    return name
  }

  private mutating func sign() throws(RequestError) -> PropertyToken.Kind {
    let start = scanner.index
    if let comment = comment() {
      throw scanner.error(.unsupported, at: start, comment, allowed: "no comments")
    }
    let next = scanner.bytes[start]
    if let following = scanner.following, let sign = PropertyToken.Sign(next, following) {
      scanner.index += 2
      return .sign(sign)
    }
    if let sign = PropertyToken.Sign(next) {
      scanner.index += 1
      return .sign(sign)
    }
    let isRegex = next == UInt8(ascii: "~") || next == UInt8(ascii: "!")
    throw scanner.error(
      isRegex ? .unsupported : .malformed, at: start,
      isRegex ? "is not supported" : "is not expected here",
      allowed: isRegex
        ? "LIKE with % and _, in place of a regular expression"
        : "= != <> < <= > >= + - * / % ( ) , columns, numbers and 'texts'")
  }

  private func comment() -> String? {
    switch (scanner.next, scanner.following) {
    case (UInt8(ascii: "-"), UInt8(ascii: "-")), (UInt8(ascii: "/"), UInt8(ascii: "*")):
      "begins a comment"
    default: nil
    }
  }
}
