// Laying a set-up over a document: maps are merged key by key, everything else is replaced.

struct Overlay {
  let problems: Problems

  /// Before a key of an overlay, it adds to the list that is there instead of replacing it.
  private static let adding: Character = "+"

  /// The document with an overlay over it.
  func merge(_ overlay: Field, over base: DocumentNode) -> DocumentNode {
    guard case .map(let changes) = overlay.node.content else { return overlay.node }
    guard case .map(var entries) = base.content else {
      return DocumentNode(.map(written(changes, overlay)), line: overlay.node.line)
    }
    for change in changes {
      let field = overlay.inner(change)
      if change.key.first == Self.adding {
        add(field, named: String(change.key.dropFirst()), to: &entries)
      } else if let place = entries.firstIndex(where: { $0.key == change.key }) {
        if change.value.isNothing {
          entries.remove(at: place)
          continue
        }
        // What is missing in a map is told where it began, unless it was taken away here.
        let isMerged = isMap(change.value) && isMap(entries[place].value)
        if !isMerged || takesAway(change.value) { entries[place].line = change.line }
        entries[place].value = merge(field, over: entries[place].value)
      } else {
        entries.append(DocumentEntry(key: change.key, line: change.line, value: new(field)))
      }
    }
    return DocumentNode(.map(entries), line: base.line)
  }

  /// A value that is over nothing.
  private func new(_ field: Field) -> DocumentNode {
    guard case .map(let changes) = field.node.content else { return field.node }
    return DocumentNode(.map(written(changes, field)), line: field.node.line)
  }

  private func written(_ changes: [DocumentEntry], _ overlay: Field) -> [DocumentEntry] {
    var entries: [DocumentEntry] = []
    for change in changes {
      let field = overlay.inner(change)
      if change.key.first == Self.adding {
        add(field, named: String(change.key.dropFirst()), to: &entries)
      } else {
        entries.append(DocumentEntry(key: change.key, line: change.line, value: new(field)))
      }
    }
    return entries
  }

  private func add(_ field: Field, named key: String, to entries: inout [DocumentEntry]) {
    guard case .list(let more) = field.node.content else {
      problems.add("a list is wanted here, whose items are added to \(quoted(key))", at: field)
      return
    }
    guard let place = entries.firstIndex(where: { $0.key == key }),
      !entries[place].value.isNothing
    else {
      entries.removeAll { $0.key == key }
      entries.append(DocumentEntry(key: key, line: field.line, value: field.node))
      return
    }
    guard case .list(let items) = entries[place].value.content else {
      problems.add("\(quoted(key)) is no list that could be added to", at: field)
      return
    }
    entries[place].value = DocumentNode(.list(items + more), line: entries[place].value.line)
  }

  private func isMap(_ node: DocumentNode) -> Bool {
    if case .map = node.content { true } else { false }
  }

  private func takesAway(_ node: DocumentNode) -> Bool {
    node.entries.contains { $0.value.isNothing }
  }
}
