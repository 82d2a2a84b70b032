// Numbers written as text, as SQLite reads them.

/// A number that a text stands for.
enum SQLNumber: Hashable, Sendable {
  case integer(Int)
  case real(Double)

  /// The number if the whole text is one: blanks around it, a sign, a fraction and an exponent may be.
  init?(_ text: String) {
    let trimmed = text.trimmed
    if let integer = Int(trimmed) {
      self = .integer(integer)
    } else if SQLNumber.isDecimal(trimmed), let real = Double(trimmed) {
      self = .real(real)
    } else {
      return nil
    }
  }

  /// The integer that it equals, if there is one.
  var exactInteger: Int? {
    switch self {
    case .integer(let integer): integer
    case .real(let real): SQLNumber.integer(equalTo: real)
    }
  }

  /// The order of an integer and this number: negative, zero or positive.
  func order(of integer: Int) -> Int {
    switch self {
    case .integer(let other): return integer < other ? -1 : integer == other ? 0 : 1
    case .real(let real):
      if let exact = SQLNumber.integer(equalTo: real) {
        return SQLNumber.integer(exact).order(of: integer)
      }
      return Double(integer) < real ? -1 : 1
    }
  }

  /// The integer that a real number equals. Written out: `Int(exactly:)` needs the C library's
  /// mathematics, which this module does not link.
  private static func integer(equalTo real: Double) -> Int? {
    guard real >= -0x1p63, real < 0x1p63 else { return nil }
    let integer = Int(real)
    return Double(integer) == real ? integer : nil
  }

  /// The integer at the start of a text, as `CAST(text AS INTEGER)` takes it: 0 if there is none, and
  /// the nearest that fits if it is too large.
  static func castPrefix(of text: String) -> Int {
    var bytes = text.utf8.drop(while: \.isBlank)
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    var result = 0
    for byte in bytes {
      guard byte.isDigit else { break }
      let digit = Int(byte - UInt8(ascii: "0"))
      let (product, overflowed) = result.multipliedReportingOverflow(by: 10)
      let (sum, overran) =
        isNegative
        ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      if overflowed || overran { return isNegative ? Int.min : Int.max }
      result = sum
    }
    return result
  }

  /// Whether the text is `[sign] digits [. digits] [e [sign] digits]` with a digit before `e`.
  private static func isDecimal(_ text: String) -> Bool {
    var rest = text.utf8[...]
    func isSign(_ byte: UInt8?) -> Bool {
      byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }
    func dropDigits() -> Int {
      let count = rest.prefix(while: \.isDigit).count
      rest = rest.dropFirst(count)
      return count
    }
    if isSign(rest.first) { rest = rest.dropFirst() }
    var digits = dropDigits()
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      digits += dropDigits()
    }
    guard digits > 0 else { return false }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      if isSign(rest.first) { rest = rest.dropFirst() }
      guard dropDigits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}
