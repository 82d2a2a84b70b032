// What kubeconfig files say, each entry with the place where it says it. Several files are merged as
// kubectl does it: the first that sets a value or has an entry of a name wins, and entries are not mixed.

import Documents

struct Kubeconfig: Sendable {
  /// An entry of `clusters`, `users` or `contexts`.
  struct Entry: Sendable {
    var fields: DocumentNode
    var file: String
    var line: Int
  }

  var clusters: [String: Entry] = [:]
  var users: [String: Entry] = [:]
  var contexts: [String: Entry] = [:]
  var currentContext: String?
  /// The files that were read.
  var files: [String] = []

  /// Lays a file behind those that are there already.
  mutating func merge(_ next: Kubeconfig) {
    clusters.merge(next.clusters) { first, _ in first }
    users.merge(next.users) { first, _ in first }
    contexts.merge(next.contexts) { first, _ in first }
    currentContext = currentContext ?? next.currentContext
    files += next.files
  }
}

extension Kubeconfig {
  /// Reads one file.
  ///
  /// - Throws: ``DocumentError`` with the file, the line and what to do.
  init(_ bytes: [UInt8], file: String) throws(DocumentError) {
    files = [file]
    // kubectl writes and accepts empty files.
    guard bytes.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return }
    let problems = Problems(file: file)
    let document = try DocumentReader.read(bytes, problems: problems)
    guard document.isMap else {
      throw DocumentError(
        file: file, "this is no kubeconfig: it must be a map with clusters, users, contexts")
    }
    if let kind = document["kind"]?.value.scalar, kind != "Config" {
      problems.add(
        "kind is \(quoted(kind)); a kubeconfig is of the kind Config", line: document.line)
    }
    if let version = document["apiVersion"]?.value.scalar, version != "v1" {
      problems.add("apiVersion is \(quoted(version)); v1 is understood", line: document.line)
    }
    clusters = Self.entries(document, "clusters", "cluster", problems)
    users = Self.entries(document, "users", "user", problems)
    contexts = Self.entries(document, "contexts", "context", problems)
    if let current = document["current-context"]?.value.scalar, !current.isEmpty {
      currentContext = current
    }
    try problems.check()
  }

  private static func entries(
    _ document: DocumentNode, _ list: String, _ inner: String, _ problems: Problems
  ) -> [String: Entry] {
    guard let value = document[list]?.value, !value.isNothing else { return [:] }
    guard case .list(let items) = value.content else {
      problems.add("\(list) must be a list, not \(value.kind)", line: value.line)
      return [:]
    }
    var entries: [String: Entry] = [:]
    for item in items {
      guard let name = item["name"]?.value.scalar, !name.isEmpty else {
        problems.add("an entry of \(list) needs a name", line: item.line)
        continue
      }
      let fields = item[inner]?.value ?? DocumentNode(.map([]), line: item.line)
      guard fields.isMap || fields.isNothing else {
        problems.add("\(inner) must be a map, not \(fields.kind)", line: fields.line)
        continue
      }
      guard entries[name] == nil else {
        problems.add("\(quoted(name)) stands twice in \(list)", line: item.line)
        continue
      }
      entries[name] = Entry(fields: fields, file: problems.file, line: item.line)
    }
    return entries
  }
}

extension DocumentNode {
  /// The text of a scalar that says something.
  var scalar: String? {
    guard case .scalar(let text, _) = content, !isNothing else { return nil }
    return text
  }
}
