// `extends`: a composition that takes what shipped ones say, one or several, and says what is different.

import Documents

struct Extension {
  static let key = "extends"
  /// How many compositions may extend each other in a row.
  private static let deepest = 4

  let problems: Problems

  /// The document without `extends`: those that it names joined, and itself laid over them as a set-up
  /// is. What they say is told to be on the line of `extends`.
  func resolve(_ document: DocumentNode, depth: Int = 0) -> DocumentNode {
    guard let entry = document[Self.key], case .map(var entries) = document.content else {
      return document
    }
    let field = Field(Self.key, line: entry.line, entry.value)
    guard depth < Self.deepest else {
      problems.add("more than \(Self.deepest) compositions extend each other", at: field)
      return document
    }
    entries.removeAll { $0.key == Self.key }
    var base = DocumentNode(.map([]), line: document.line)
    for name in names(field) {
      guard let extended = shipped(name, depth: depth) else { continue }
      base = Self.join(base, Self.place(extended, onLine: entry.line))
    }
    let own = Field("", line: document.line, DocumentNode(.map(entries), line: document.line))
    return Overlay(problems: problems).merge(own, over: base)
  }

  /// A name or a list of them.
  private func names(_ field: Field) -> [Field] {
    guard case .list = field.node.content else { return [field] }
    return field.items(problems)
  }

  private func shipped(_ name: Field, depth: Int) -> DocumentNode? {
    guard let text = name.text(problems) else { return nil }
    guard let bytes = CompositionFile.shippedBytes(text) else {
      let names = CompositionFile.shippedNames
      problems.add(
        "there is no shipped composition \(quoted(text)); there are "
          + names.joined(separator: ", ") + hint(for: text, of: names), at: name)
      return nil
    }
    do throws(CompositionError) {
      let document = try DocumentReader.read(bytes, problems: problems)
      return resolve(document, depth: depth + 1)
    } catch {
      problems.add("\(text) can't be read: \(error)", at: name)
      return nil
    }
  }

  /// Two documents as one: maps key by key, lists one after the other; else the second one counts.
  private static func join(_ first: DocumentNode, _ second: DocumentNode) -> DocumentNode {
    switch (first.content, second.content) {
    case (.map(var entries), .map(let more)):
      for entry in more {
        if let place = entries.firstIndex(where: { $0.key == entry.key }) {
          entries[place].value = join(entries[place].value, entry.value)
        } else {
          entries.append(entry)
        }
      }
      return DocumentNode(.map(entries), line: second.line)
    case (.list(let items), .list(let more)):
      return DocumentNode(.list(items + more), line: second.line)
    default: return second.isNothing ? first : second
    }
  }

  private static func place(_ node: DocumentNode, onLine line: Int) -> DocumentNode {
    switch node.content {
    case .scalar: return DocumentNode(node.content, line: line)
    case .list(let items):
      return DocumentNode(.list(items.map { place($0, onLine: line) }), line: line)
    case .map(let entries):
      return DocumentNode(
        .map(
          entries.map {
            DocumentEntry(key: $0.key, line: line, value: place($0.value, onLine: line))
          }), line: line)
    }
  }
}
