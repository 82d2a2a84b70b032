// What is wrong with a composition file, all of it at once: the file, the line, the value and what is
// allowed there.

/// One thing that is wrong.
public struct CompositionProblem: Equatable, Sendable, CustomStringConvertible {
  /// The file as the user named it, or the name of a shipped composition.
  public var file: String
  /// Counted from 1; nil when what is wrong was not said in the file but chosen with an option.
  public var line: Int?
  /// Counted from 1; told for what is no YAML.
  public var column: Int?
  public var message: String

  public init(file: String, line: Int? = nil, column: Int? = nil, message: String) {
    (self.file, self.line, self.column, self.message) = (file, line, column, message)
  }

  public var description: String {
    let place = [line, column].compactMap { $0 }.map { ":\($0)" }.joined()
    return "\(file)\(place): \(message)"
  }
}

/// Why a composition can't be had: at least one problem, in the order of the file's lines.
public struct CompositionError: Error, Equatable, Sendable, CustomStringConvertible {
  public var problems: [CompositionProblem]

  public init(_ problems: [CompositionProblem]) { self.problems = problems }

  init(file: String, _ message: String) {
    problems = [CompositionProblem(file: file, message: message)]
  }

  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers what is wrong, so that a user is told all of it in one go.
final class Problems {
  let file: String
  private var found: [CompositionProblem] = []
  /// A file can't be worse than this: whoever reads more lines than that begins anew.
  static let limit = 100

  init(file: String) { self.file = file }

  var isEmpty: Bool { found.isEmpty }

  func add(_ message: String, line: Int, column: Int? = nil) {
    let problem = CompositionProblem(file: file, line: line, column: column, message: message)
    guard found.count < Self.limit, !found.contains(problem) else { return }
    found.append(problem)
  }

  func add(_ message: String, at field: Field) {
    add(field.path.isEmpty ? message : "\(field.path): \(message)", line: field.line)
  }

  /// Ends here if anything is wrong.
  func check() throws(CompositionError) {
    if isEmpty { return }
    throw CompositionError(found.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
  }
}
