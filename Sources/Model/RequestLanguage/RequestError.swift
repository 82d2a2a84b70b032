// What is wrong with a text that a user wrote, said so that they can mend it.

/// Why a text of the request language was refused: what was read, where, which value, what is allowed.
public struct RequestError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sort of mistake.
  public enum Kind: String, Hashable, Sendable {
    /// Something that must be there is not.
    case missing
    /// The text does not follow the grammar.
    case malformed
    /// A number or a date outside its bounds.
    case outOfRange
    /// More text, levels, groups, … than the limits let through.
    case tooLarge
    /// SQL that is understood but not offered.
    case unsupported
    /// A word that is not one of those allowed.
    case unknown
  }

  public var kind: Kind
  /// What was being read, such as `resource request`.
  public var subject: String
  /// What is wrong, such as `is not a count`; it follows the value.
  public var problem: String
  /// The start of the offending text, without control characters; empty at the end of the text.
  public var value: String
  /// What could stand there instead; empty if there is nothing to say.
  public var allowed: String
  /// The character where the offending text begins, from 1.
  public var position: Int?
  /// The line, from 1, of a text that has several.
  public var line: Int?

  public init(
    _ kind: Kind, in subject: String, value: String, problem: String, allowed: String = "",
    position: Int? = nil, line: Int? = nil
  ) {
    self.kind = kind
    self.subject = subject
    self.value = RequestError.excerpt(value)
    self.problem = problem
    self.allowed = allowed
    self.position = position
    self.line = line
  }

  public var description: String {
    var place = ""
    if let line { place += ", line \(line)" }
    if let position { place += ", character \(position)" }
    let what = value.isEmpty ? problem : "'\(value)' \(problem)"
    return "\(subject)\(place): \(what)" + (allowed.isEmpty ? "" : "; allowed: \(allowed)")
  }

  /// At most so many characters of the offending text are repeated.
  static let longestExcerpt = 48

  /// The start of a text, safe to print on a terminal.
  static func excerpt(_ text: String) -> String {
    var result = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
      if count == longestExcerpt { return result + "…" }
      let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
      result.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return result
  }
}
