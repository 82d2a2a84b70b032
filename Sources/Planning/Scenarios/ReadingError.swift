// What is wrong with a scenario, and where.

/// Why a scenario can't be planned: what is wrong, where, and what is allowed there.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where in the document, such as `jobs[3].moldables[0]`; empty for the document itself.
  public var place: String
  public var problem: String
  /// Both from 1; the column counts bytes.
  public var line: Int
  public var column: Int

  public var description: String {
    (place.isEmpty ? "" : "\(place): ") + "\(problem) (line \(line), column \(column))"
  }
}

/// The same while the document is being read.
struct ReadingError: Error, Hashable {
  enum Kind {
    /// It is not JSON, or says things that no scenario says: nothing of it can be trusted.
    case document
    /// A value that can't be used. If it belongs to a job, only the job is left out.
    case value
  }

  var kind: Kind
  var problem: String
  /// The byte where it was found, from 0.
  var offset: Int
  /// From the value that is being read inwards.
  var place = ""

  init(_ kind: Kind, _ problem: String, at offset: Int) {
    self.kind = kind
    self.problem = problem
    self.offset = offset
  }

  /// Notes that the value with the problem is inside `part`, a key or an index in brackets.
  mutating func putInside(_ part: String) {
    let needsDot = !place.isEmpty && !place.hasPrefix("[")
    place = part + (needsDot ? "." : "") + place
  }

  /// The error within the document that it was found in.
  func located(in bytes: [UInt8]) -> ScenarioError {
    var line = 1
    var lineStart = 0
    for (index, byte) in bytes.prefix(offset).enumerated() where byte == UInt8(ascii: "\n") {
      line += 1
      lineStart = index + 1
    }
    return ScenarioError(
      place: place, problem: problem, line: line, column: offset - lineStart + 1)
  }
}
