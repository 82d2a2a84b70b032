// What was made, changed and left alone, told line by line, and in a trial with what would be written.

import Encoding

/// Tells of an installation.
struct InstallLog: Sendable {
  enum Deed: Sendable {
    case made, changed, removed, unchanged
    /// It is not ours.
    case stays
  }

  /// Whether nothing is done.
  let isTrial: Bool
  let say: @Sendable (String) -> Void

  /// Tells of one thing.
  ///
  /// - Parameter content: what is written, shown in a trial.
  func note(_ deed: Deed, _ what: String, _ content: JSONValue? = nil) {
    let word =
      switch deed {
      case .made: isTrial ? "would make" : "made"
      case .changed: isTrial ? "would change" : "changed"
      case .removed: isTrial ? "would remove" : "removed"
      case .unchanged: "unchanged"
      case .stays: "stays"
      }
    let width = isTrial ? 13 : 10
    say(word + String(repeating: " ", count: max(1, width - word.count)) + what)
    guard isTrial, let content else { return }
    for line in content.lines() { say("    " + line) }
  }
}

extension JSONValue {
  /// The value as lines of YAML for people: lists of plain values stand in one line.
  func lines() -> [String] {
    switch self {
    case .object(let members) where !members.isEmpty:
      members.flatMap { member in
        let inner = member.value.lines()
        guard member.value.isNested else { return ["\(member.name): \(inner.joined())"] }
        return ["\(member.name):"] + inner.map { "  " + $0 }
      }
    case .array(let elements) where isNested:
      elements.flatMap { element in
        element.lines().enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
      }
    case .array(let elements): ["[\(elements.map { $0.lines().joined() }.joined(separator: ", "))]"]
    case .string(let words) where Self.isPlain(words): [words]
    default: [text]
    }
  }

  /// Whether a text needs no quotes in YAML.
  private static func isPlain(_ text: String) -> Bool {
    let isWord = text.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "./-".contains($0))
    }
    return isWord && text.first?.isLetter == true
      && !["true", "false", "null", "y", "n"].contains(text)
  }

  /// Whether it takes lines of its own.
  private var isNested: Bool {
    switch self {
    case .object(let members): !members.isEmpty
    case .array(let elements): elements.contains(where: \.isNested)
    default: false
    }
  }
}
