// `oar.conf`: lines `NAME="value"` that are valid shell as well.

/// The variables of an `oar.conf`. Names and meanings are OAR's where OAR has one.
public struct Configuration: Sendable {
  /// Where it is looked for unless the variable OARCONFFILE of the environment names another place.
  public static let standardPath = "/etc/oar/oar.conf"

  private var values: [String: String] = [:]

  public init() {}

  /// Reads the text of an `oar.conf`. A later line wins; lines that are no assignment are ignored, as OAR does.
  public init(parsing text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      if let (name, value) = Self.assignment(line) { values[name] = value }
    }
  }

  /// The value of a variable; `nil` if it is not set.
  public subscript(name: String) -> String? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// The value of a variable, or the default of the one who asks.
  public func text(_ name: String, default fallback: String) -> String { values[name] ?? fallback }

  /// The whole number of a variable.
  ///
  /// - Throws: ``ConfigurationError`` when it is set to something else or outside `range`.
  public func integer(
    _ name: String, default fallback: Int, in range: ClosedRange<Int> = 0...Int.max
  ) throws(ConfigurationError) -> Int {
    guard let text = values[name] else { return fallback }
    guard let number = Int(text), range.contains(number) else {
      throw ConfigurationError(name: name, value: text, allowed: "a whole number in \(range)")
    }
    return number
  }

  /// Whether a variable says yes.
  ///
  /// - Throws: ``ConfigurationError`` when it is set to neither yes nor no.
  public func flag(_ name: String, default fallback: Bool) throws(ConfigurationError) -> Bool {
    switch values[name]?.lowercased() {
    case nil: return fallback
    case "yes", "1", "on", "true": return true
    case "no", "0", "off", "false", "": return false
    case let other?:
      throw ConfigurationError(name: name, value: other, allowed: "yes or no")
    }
  }

  private static func assignment(_ line: Substring) -> (String, String)? {
    let line = line.drop { $0 == " " || $0 == "\t" }
    guard let equals = line.firstIndex(of: "=") else { return nil }
    var name = line[..<equals]
    while name.last?.isWhitespace == true { name.removeLast() }
    guard let first = name.first, first.isLetter || first == "_",
      name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
    else { return nil }
    return (String(name), value(line[line.index(after: equals)...].drop(while: \.isWhitespace)))
  }

  /// The text of a value: quoted up to the closing quote (`#` is text there), else up to a comment.
  private static func value(_ text: Substring) -> String {
    if let quote = text.first, quote == "\"" || quote == "'" {
      return String(text.dropFirst().prefix { $0 != quote })
    }
    var value = text.prefix { $0 != "#" }
    while value.last?.isWhitespace == true { value.removeLast() }
    return String(value)
  }
}

/// A variable whose value can't be used.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
  public let name: String
  public let value: String
  public let allowed: String

  public init(name: String, value: String, allowed: String) {
    self.name = name
    self.value = value
    self.allowed = allowed
  }

  public var description: String { "\(name)=\"\(value)\" in oar.conf: it must be \(allowed)" }
}
