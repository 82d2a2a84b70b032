// What is wrong with a file that people write, all of it at once: the file, the line, the value and what
// is allowed there.

/// One thing that is wrong.
public struct DocumentProblem: Equatable, Sendable, CustomStringConvertible {
  /// The file as the user named it, or the name of a shipped one.
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

/// Why a file can't be used: at least one problem, in the order of its lines.
public struct DocumentError: Error, Equatable, Sendable, CustomStringConvertible {
  public var problems: [DocumentProblem]

  public init(_ problems: [DocumentProblem]) { self.problems = problems }

  public init(file: String, _ message: String) {
    problems = [DocumentProblem(file: file, message: message)]
  }

  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers what is wrong, so that a user is told all of it in one go.
public final class Problems {
  public let file: String
  private var found: [DocumentProblem] = []
  /// A file can't be worse than this: whoever reads more lines than that begins anew.
  public static let limit = 100

  public init(file: String) { self.file = file }

  public var isEmpty: Bool { found.isEmpty }

  public func add(_ message: String, line: Int, column: Int? = nil) {
    let problem = DocumentProblem(file: file, line: line, column: column, message: message)
    guard found.count < Self.limit, !found.contains(problem) else { return }
    found.append(problem)
  }

  /// Ends here if anything is wrong.
  public func check() throws(DocumentError) {
    if isEmpty { return }
    throw DocumentError(found.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
  }
}
