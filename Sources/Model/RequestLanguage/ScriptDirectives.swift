// The `#OAR` lines of a script: options of `oarsub` that travel with it.

/// One option in a script.
public struct ScriptDirective: Hashable, Sendable {
  /// The long name of the option, without dashes.
  public var option: String
  /// `nil` for options that take no value.
  public var value: String?
  /// The line of the script, from 1.
  public var line: Int

  public init(option: String, value: String?, line: Int) {
    self.option = option
    self.value = value
    self.line = line
  }
}

/// Reads the `#OAR` lines of scripts.
public enum ScriptDirectives {
  /// An option that a script may hold.
  private struct Option {
    let long: String
    let short: Character?
    let takesValue: Bool

    init(_ long: String, _ short: Character? = nil, takesValue: Bool = true) {
      self.long = long
      self.short = short
      self.takesValue = takesValue
    }
  }

  private static let options = [
    Option("resource", "l"), Option("queue", "q"), Option("property", "p"), Option("checkpoint"),
    Option("signal"), Option("notify"), Option("type", "t"), Option("directory", "d"),
    Option("name", "n"), Option("project"), Option("hold", takesValue: false),
    Option("anterior", "a"), Option("stdout", "O"), Option("stderr", "E"),
    Option("use-job-key", "k", takesValue: false), Option("import-job-key-from-file", "i"),
    Option("import-job-key-inline"), Option("import-job-key-inline-priv"),
    Option("export-job-key-to-file", "e"), Option("stagein", "s"), Option("stagein-md5sum"),
    Option("array"), Option("array-param-file"), Option("reservation", "r"),
  ]

  /// OAR 3's name of an option, and ours.
  private static let aliases = ["after": "anterior"]

  private static let subject = "script"
  private static let mark = Array("#OAR".utf8)

  /// The options in the order of their lines.
  ///
  /// A value is the rest of its line as it stands, or, if it begins with a quote, what a shell would
  /// make of it.
  /// - Throws: ``RequestError`` with the line, for unknown options, missing values, open quotes and
  ///   texts that are no scripts.
  public static func parse(_ script: String) throws(RequestError) -> [ScriptDirective] {
    try RequestLimits.check(script, in: subject, limit: RequestLimits.scriptBytes)
    guard script.utf8.first == UInt8(ascii: "#") else {
      throw RequestError(
        .malformed, in: subject, value: String(script.unicodeScalars.prefix(16)),
        problem: "does not begin a script", allowed: "a first line such as #!/bin/sh", line: 1)
    }
    var directives: [ScriptDirective] = []
    var number = 0
    for line in script.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard line.starts(with: mark), line.dropFirst(mark.count).first?.isBlank ?? true else {
        continue
      }
      guard directives.count < RequestLimits.directives else {
        throw RequestError(
          .tooLarge, in: subject, value: "#OAR", problem: "stands on too many lines",
          allowed: "at most \(RequestLimits.directives)", line: number)
      }
      let text = String(Substring(line.dropFirst(mark.count))).trimmed
      directives.append(try directive(text, line: number))
    }
    return directives
  }

  private static func directive(
    _ text: String, line: Int
  ) throws(RequestError) -> ScriptDirective {
    let word = text.prefix { !$0.isWhitespace }
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let isLong = word.hasPrefix("--")
    let name = isLong ? String((parts.first ?? "").dropFirst(2)) : String(word.dropFirst())
    let option = options.first {
      isLong ? $0.long == (aliases[name] ?? name) : $0.short.map(String.init) == name
    }
    guard word.hasPrefix("-"), let option else {
      throw RequestError(
        .unknown, in: subject, value: String(word), problem: "is not an option of #OAR lines",
        allowed: allowedOptions, line: line)
    }
    var rest = String(text.dropFirst(word.count)).trimmed
    if isLong, parts.count == 2 {
      rest = String(text.dropFirst((parts.first ?? "").count + 1)).trimmed
    }
    guard option.takesValue else {
      guard rest.isEmpty else {
        throw refuse(.malformed, rest, "follows --\(option.long), which takes no value", line)
      }
      return ScriptDirective(option: option.long, value: nil, line: line)
    }
    let value = try unquoted(rest, line: line)
    guard !rest.isEmpty, value.utf8.count <= RequestLimits.textBytes else {
      throw rest.isEmpty
        ? refuse(.missing, String(word), "has no value", line)
        : refuse(.tooLarge, rest, "is longer than \(RequestLimits.textBytes) bytes", line)
    }
    return ScriptDirective(option: option.long, value: value, line: line)
  }

  private static var allowedOptions: String {
    options.map { ($0.short.map { "-\($0)|" } ?? "") + "--\($0.long)" }.joined(separator: ", ")
  }

  private static func refuse(
    _ kind: RequestError.Kind, _ value: String, _ problem: String, _ line: Int
  ) -> RequestError {
    RequestError(kind, in: subject, value: value, problem: problem, line: line)
  }

  /// The text as one word of a shell if it begins with a quote; as it stands if it does not, or if the
  /// quotes end before the text does (`'a' = b`).
  private static func unquoted(_ text: String, line: Int) throws(RequestError) -> String {
    guard text.hasPrefix("'") || text.hasPrefix("\"") else { return text }
    var result = ""
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        let keepsBackslash = quote == "\"" && !"\"\\$`".contains(character)
        result += (keepsBackslash ? "\\" : "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { result.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if character.isWhitespace {
        return text
      } else {
        result.append(character)
      }
    }
    guard quote == nil, !isEscaped else {
      throw refuse(.malformed, text, "has no closing quote", line)
    }
    return result
  }
}
