// Values of `oar.conf` that may differ from one name to the next, such as `{ default => 7200 }`.

import ClusterModel

/// A value that is either one text or a text for each of several names.
public enum SettingMap: Hashable, Sendable {
  case one(String)
  case each([String: String])

  /// Reads a plain text, or the `{ name => value, … }` of Perl or `{'name': value, …}` of Python.
  /// Names and values may stand in single or double quotes.
  ///
  /// - Parameter variable: the name of the variable, for errors.
  /// - Throws: ``ConfigurationError`` for braces that can't be understood.
  public init(parsing text: String, variable: String) throws(ConfigurationError) {
    var reader = SettingMapReader(text)
    reader.skipBlanks()
    guard reader.accept("{") else {
      self = .one(reader.rest)
      return
    }
    guard let entries = reader.entries(), reader.rest.isEmpty else {
      throw ConfigurationError(
        name: variable, value: text,
        allowed: "one value or a list like { name => value, other => value }, each name once")
    }
    self = .each(entries)
  }
}

/// Reads the text of a ``SettingMap``.
private struct SettingMapReader {
  private let text: [Character]
  private var index = 0

  init(_ text: String) { self.text = Array(text) }

  /// What follows, without blanks at its ends.
  var rest: String {
    var rest = text[index...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }

  mutating func skipBlanks() {
    while index < text.count, text[index].isWhitespace { index += 1 }
  }

  mutating func accept(_ token: String) -> Bool {
    guard text[index...].starts(with: token) else { return false }
    index += token.count
    return true
  }

  /// What stands between the braces, of which the first has been read; `nil` if it makes no sense.
  mutating func entries() -> [String: String]? {
    var entries: [String: String] = [:]
    while true {
      skipBlanks()
      if accept("}") { return entries }
      guard let name = word(), !name.isEmpty else { return nil }
      skipBlanks()
      guard accept("=>") || accept(":") else { return nil }
      skipBlanks()
      guard let value = word(), entries.updateValue(value, forKey: name) == nil else { return nil }
      skipBlanks()
      guard accept(",") || (index < text.count && text[index] == "}") else { return nil }
    }
  }

  /// A text in quotes, or one without blanks and signs.
  private mutating func word() -> String? {
    for quote in ["'", "\""] where accept(quote) {
      let start = index
      while index < text.count, text[index] != quote.first { index += 1 }
      let word = String(text[start..<index])
      return accept(quote) ? word : nil
    }
    let start = index
    while index < text.count, !text[index].isWhitespace, !"{},=>:'\"".contains(text[index]) {
      index += 1
    }
    return index > start ? String(text[start..<index]) : nil
  }
}

/// The number that a text means: digits with a sign, a point and an exponent, nothing else.
///
/// Swift alone would also read `0x1p3`, `nan` and `infinity`.
public func decimalNumber(_ text: some StringProtocol) -> Double? {
  let isPlain = text.utf8.allSatisfy {
    (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0)
  }
  guard isPlain, let number = Double(text), number.isFinite else { return nil }
  return number
}
