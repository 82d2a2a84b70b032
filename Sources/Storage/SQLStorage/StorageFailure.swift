// A call of a database that failed, and the bounds of what may take long.

import Storage

/// A call of a database that failed.
public struct StorageFailure: Error, CustomStringConvertible, Sendable {
  /// What callers tell apart.
  public enum Kind: Sendable {
    /// It took longer than it was given (``Connection/withPatience(_:_:)``).
    case interrupted
    /// Another program holds what is needed.
    case busy
    /// The connection is gone, and with it the transaction, of which nothing was written.
    case lost
    /// The database does not accept the statement or a value in it.
    case refused
    case other
  }

  public let kind: Kind
  /// The database's own text.
  public let text: String
  /// The same in the words of the store's callers.
  public let storageError: StorageError

  public init(_ kind: Kind, _ text: String, _ error: StorageError) {
    self.kind = kind
    self.text = text
    storageError = error
  }

  public var description: String { text }
}

/// A moment after which work on the storage thread makes room for other work.
final class Deadline {
  private let end: ContinuousClock.Instant

  init(after duration: Duration) {
    end = .now + duration
  }

  var isOver: Bool { .now >= end }
}
