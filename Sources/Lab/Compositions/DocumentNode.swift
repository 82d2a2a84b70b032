// A YAML document as a tree, in which everything knows the line that it was written on.

/// A value of a document.
struct DocumentNode: Sendable {
  enum Content: Sendable {
    /// `isPlain`: written without quotes and not as a block, so that `null` means nothing.
    case scalar(String, isPlain: Bool)
    case list([DocumentNode])
    case map([DocumentEntry])
  }

  var content: Content
  /// Counted from 1.
  var line: Int
  /// How many nodes it is, itself and the contents of aliases included.
  var size = 1
  /// How many lists and maps are within each other at most.
  var height = 0

  init(_ content: Content, line: Int) {
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
  var isNothing: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  var isMap: Bool {
    if case .map = content { true } else { false }
  }

  /// What it is, in the words of a message.
  var kind: String {
    switch content {
    case .scalar: isNothing ? "nothing" : "a text"
    case .list: "a list"
    case .map: "a map"
    }
  }

  /// The entries of a map, else none.
  var entries: [DocumentEntry] {
    guard case .map(let entries) = content else { return [] }
    return entries
  }

  subscript(key: String) -> DocumentEntry? { entries.first { $0.key == key } }
}

/// A key of a map and its value.
struct DocumentEntry: Sendable {
  var key: String
  /// The line of the key.
  var line: Int
  var value: DocumentNode
}
