// The file with the weights of multifactor priority (PRIORITY_CONF_FILE): lines `key: number` and
// one nested map, which is the part of YAML that OAR's file uses.

/// A line of a priority file that can't be used.
public struct PriorityFileError: Error, Hashable, CustomStringConvertible, Sendable {
  /// From 1.
  public let line: Int
  /// The key that the line sets; empty if it has none.
  public let key: String
  /// What is wrong and what is allowed.
  public let problem: String

  public var description: String {
    key.isEmpty ? "line \(line): \(problem)" : "line \(line), key \"\(key)\": \(problem)"
  }
}

extension Multifactor {
  /// Reads a priority file.
  ///
  /// - Throws: ``PriorityFileError`` for an unknown key, one that comes twice, and a value that is
  ///   not allowed.
  public init(parsing text: String, fairShare: FairShare = FairShare()) throws(PriorityFileError) {
    self.init(fairShare: fairShare)
    var reader = PriorityFileReader()
    for entry in try reader.read(text) { try apply(entry) }
  }

  private mutating func apply(_ entry: PriorityFileEntry) throws(PriorityFileError) {
    if let queue = entry.queue {
      queueCoefficients[queue] = try entry.number()
      return
    }
    switch entry.key {
    case "age_coef": agePerSecond = try entry.number(from: 0)
    case "work_mode": workPreference = try entry.preference()
    case "size_mode": sizePreference = try entry.preference()
    default:
      let factor = Factor.allCases.first { entry.key == "\($0.rawValue)_weight" }
      guard let factor else {
        let known = Factor.allCases.map { "\($0.rawValue)_weight" }
        throw entry.error(
          "is not known; known are age_coef, queue_coefs, work_mode, size_mode and "
            + known.joined(separator: ", "))
      }
      weights[factor] = try entry.number()
    }
  }
}

/// One line with a value.
private struct PriorityFileEntry {
  var line: Int
  var key: String
  /// The queue, for a line of `queue_coefs`.
  var queue: String?
  var value: Substring

  func number(from least: Double? = nil) throws(PriorityFileError) -> Double {
    guard let number = decimalNumber(value), least.map({ number >= $0 }) ?? true else {
      let range = least.map { " from \(Int($0)) on" } ?? ""
      throw error("the value \"\(value)\" must be a number\(range)")
    }
    return number
  }

  func preference() throws(PriorityFileError) -> Multifactor.Preference {
    guard let preference = Int(value).flatMap(Multifactor.Preference.init) else {
      throw error("the value \"\(value)\" must be 0 (small jobs first) or 1 (big jobs first)")
    }
    return preference
  }

  func error(_ problem: String) -> PriorityFileError {
    let name = queue.map { "\(key).\($0)" } ?? key
    return PriorityFileError(line: line, key: name, problem: problem)
  }
}

/// Turns the text into entries.
private struct PriorityFileReader {
  private static let map = "queue_coefs"
  private var entries: [PriorityFileEntry] = []
  private var seen: Set<[String]> = []
  /// How far the lines of the map are indented; `nil` outside, 0 before its first line.
  private var indentation: Int?

  mutating func read(_ text: String) throws(PriorityFileError) -> [PriorityFileEntry] {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let content = withoutComment(line)
      let body = content.drop { $0 == " " }
      if body.isEmpty || content == "---" { continue }
      try read(body, indentedBy: content.count - body.count, line: index + 1)
    }
    return entries
  }

  private mutating func read(
    _ body: Substring, indentedBy indent: Int, line: Int
  ) throws(PriorityFileError) {
    let (key, value) = try pair(body, line: line)
    if indent == 0 { indentation = nil }
    let isNested = indent > 0
    let entry = PriorityFileEntry(
      line: line, key: isNested ? Self.map : key, queue: isNested ? key : nil, value: value)
    guard seen.insert(isNested ? [Self.map, key] : [key]).inserted else {
      throw entry.error("is set twice")
    }
    if isNested {
      guard let expected = indentation, expected == 0 || expected == indent else {
        throw PriorityFileError(
          line: line, key: key,
          problem: "is indented by \(indent); only lines below \(Self.map) are, all alike")
      }
      indentation = indent
    } else if key == Self.map {
      guard value.isEmpty || value == "{}" else {
        throw entry.error("its queues must stand below it, one `name: number` a line, indented")
      }
      indentation = value.isEmpty ? 0 : nil
      return
    }
    entries.append(entry)
  }

  /// The two sides of the colon of a line.
  private func pair(
    _ body: Substring, line: Int
  ) throws(PriorityFileError) -> (String, Substring) {
    guard let colon = body.firstIndex(of: ":") else {
      throw PriorityFileError(
        line: line, key: "", problem: "\"\(body)\" must have the form `key: number`")
    }
    let key = unquoted(body[..<colon].trimmingBlanks)
    guard !key.isEmpty, !key.contains(where: \.isWhitespace) else {
      throw PriorityFileError(
        line: line, key: "", problem: "\"\(body)\" must begin with a key and a colon")
    }
    return (String(key), body[body.index(after: colon)...].trimmingBlanks)
  }

  private func unquoted(_ text: Substring) -> Substring {
    guard text.count >= 2, let quote = text.first, quote == "'" || quote == "\"",
      text.last == quote
    else { return text }
    return text.dropFirst().dropLast()
  }

  /// The line up to a `#` at its begin or after a blank, without blanks at its end.
  private func withoutComment(_ line: Substring) -> Substring {
    var isAfterBlank = true
    var end = line.startIndex
    while end < line.endIndex, !(isAfterBlank && line[end] == "#") {
      isAfterBlank = line[end].isWhitespace
      end = line.index(after: end)
    }
    var content = line[..<end]
    while content.last?.isWhitespace == true { content.removeLast() }
    return content
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
