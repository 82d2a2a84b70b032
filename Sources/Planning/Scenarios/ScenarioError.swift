// What is wrong with a scenario, and where.

import Encoding

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

extension ReadingError {
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
