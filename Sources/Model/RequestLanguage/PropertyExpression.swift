// A condition on resources or jobs, as users write it in `-p`, in `{}` and in `--sql`: a subset of SQL.

import ClusterModel

/// A parsed SQL condition. Equal conditions are equal values, however they were spaced and
/// parenthesised, so it serves as the key of a cache.
///
/// It means what SQLite makes of ``sql(startingAt:style:table:)`` on OAR's schema:
/// - NULL compared with anything is unknown, and an unknown condition does not match;
/// - a number compared with a quoted number (`core = '4'`) compares numbers, and a text column
///   compared with a number compares texts;
/// - arithmetic takes the number at the start of a text, as a cast does; division by zero and
///   overflow give NULL;
/// - LIKE is case-sensitive, as PostgreSQL has it, and `\` escapes unless ESCAPE says otherwise.
public struct PropertyExpression: Hashable, Sendable {
  let condition: Condition
  /// The names of all columns that it mentions, in lower case unless they were quoted.
  public let columns: Set<String>

  init(_ condition: Condition) {
    self.condition = condition
    var columns: Set<String> = []
    condition.collectColumns(into: &columns)
    self.columns = columns
  }

  /// The condition that everything meets.
  public static let always = PropertyExpression(.constant(true))

  /// Parses a condition; an empty text is ``always``.
  ///
  /// - Throws: ``RequestError`` with the character where the text stops making sense.
  public init(parsing text: String) throws(RequestError) {
    var parser = try PropertyParser(text)
    self.init(try parser.parse())
  }

  /// Both conditions together.
  public func and(_ other: PropertyExpression) -> PropertyExpression {
    if self == .always { return other }
    if other == .always { return self }
    return PropertyExpression(.all(of: [condition, other.condition]))
  }

  /// Refuses columns that do not exist.
  ///
  /// - Parameters:
  ///   - known: the columns of the table.
  ///   - subject: what the user wrote, such as `property expression`.
  public func requireColumns(
    _ known: some Collection<String>, in subject: String = PropertyExpression.subject
  ) throws(RequestError) {
    guard let missing = columns.subtracting(known).min() else { return }
    throw RequestError(
      .unknown, in: subject, value: missing,
      problem: "is not a column (texts are written in single quotes)",
      allowed: known.sorted().joined(separator: ", "))
  }

  /// What an error calls such a text.
  public static let subject = "property expression"

  public static func == (left: PropertyExpression, right: PropertyExpression) -> Bool {
    left.condition == right.condition
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(condition)
  }
}
