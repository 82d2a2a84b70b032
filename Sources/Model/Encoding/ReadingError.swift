// What is wrong with a document that is being read, and where.

/// Why a value, or the whole document, can't be used.
public struct ReadingError: Error, Hashable, Sendable {
  /// How far the harm goes.
  public enum Kind: Sendable {
    /// It is not JSON, or says things that no such document says: nothing of it can be trusted.
    case document
    /// A value that can't be used. What stands beside it can.
    case value
  }

  public var kind: Kind
  /// What is wrong, and what is allowed.
  public var problem: String
  /// The byte where it was found, from 0.
  public var offset: Int
  /// From the value that is being read inwards, such as `jobs[3].id`.
  public private(set) var place = ""

  public init(_ kind: Kind, _ problem: String, at offset: Int) {
    self.kind = kind
    self.problem = problem
    self.offset = offset
  }

  /// Notes that the value with the problem is inside `part`, a key or an index in brackets.
  public mutating func putInside(_ part: String) {
    let needsDot = !place.isEmpty && !place.hasPrefix("[")
    place = part + (needsDot ? "." : "") + place
  }
}
