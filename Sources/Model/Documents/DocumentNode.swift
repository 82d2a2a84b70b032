// A YAML document as a tree, in which everything knows the line that it was written on.

/// A value of a document.
public struct DocumentNode: Sendable {
  public enum Content: Sendable {
    /// `isPlain`: written without quotes and not as a block, so that `null` means nothing.
    case scalar(String, isPlain: Bool)
    case list([DocumentNode])
    case map([DocumentEntry])
  }

  public var content: Content
  /// Counted from 1.
  public var line: Int
  /// How many nodes it is, itself and the contents of aliases included.
  public private(set) var size = 1
  /// How many lists and maps are within each other at most.
  public private(set) var height = 0

  public init(_ content: Content, line: Int) {
    (self.content, self.line) = (content, line)
    switch content {
    case .scalar: break
    case .list(let items): contain(items)
    case .map(let entries): contain(entries.map(\.value))
    }
  }

  private mutating func contain(_ inner: [DocumentNode]) {
    size = inner.reduce(1) { $0 + $1.size }
    height = 1 + (inner.map(\.height).max() ?? 0)
  }

  /// Whether a key was written without a value.
  public var isNothing: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  public var isMap: Bool {
    if case .map = content { true } else { false }
  }

  /// What it is, in the words of a message.
  public var kind: String {
    switch content {
    case .scalar: isNothing ? "nothing" : "a text"
    case .list: "a list"
    case .map: "a map"
    }
  }

  /// The entries of a map, else none.
  public var entries: [DocumentEntry] {
    guard case .map(let entries) = content else { return [] }
    return entries
  }

  public subscript(key: String) -> DocumentEntry? { entries.first { $0.key == key } }
}

/// A key of a map and its value.
public struct DocumentEntry: Sendable {
  public var key: String
  /// The line of the key.
  public var line: Int
  public var value: DocumentNode

  public init(key: String, line: Int, value: DocumentNode) {
    (self.key, self.line, self.value) = (key, line, value)
  }
}
