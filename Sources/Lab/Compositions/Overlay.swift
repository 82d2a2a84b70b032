// Laying a set-up over a document: maps are merged key by key, everything else is replaced.

import Documents

struct Overlay {
  let problems: Problems

  /// Before a key, it adds to the list that is there instead of replacing it.
  private static let adding: Character = "+"

  /// The value of an overlay, over what is there.
  func merge(_ overlay: Field, over base: DocumentNode?) -> DocumentNode {
    guard case .map(let changes) = overlay.node.content else { return overlay.node }
    var entries = base?.entries ?? []
    for change in changes { apply(overlay.inner(change), change.key, to: &entries) }
    let line = base.flatMap { $0.isMap ? $0.line : nil } ?? overlay.node.line
    return DocumentNode(.map(entries), line: line)
  }

  private func apply(_ field: Field, _ key: String, to entries: inout [DocumentEntry]) {
    if key.first == Self.adding {
      return add(field, named: String(key.dropFirst()), to: &entries)
    }
    guard let place = entries.firstIndex(where: { $0.key == key }) else {
      let value = merge(field, over: nil)
      return entries.append(DocumentEntry(key: key, line: field.line, value: value))
    }
    if field.node.isNothing {
      entries.remove(at: place)
      return
    }
    let old = entries[place]
    // What a merged map lacks is told where it began, unless it was taken away here.
    let takesAway = field.node.entries.contains { $0.value.isNothing }
    let isMerged = field.node.isMap && old.value.isMap && !takesAway
    entries[place] = DocumentEntry(
      key: key, line: isMerged ? old.line : field.line, value: merge(field, over: old.value))
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
    let old = entries[place].value
    guard case .list(let items) = old.content else {
      problems.add("\(quoted(key)) is no list that could be added to", at: field)
      return
    }
    entries[place].value = DocumentNode(.list(items + more), line: old.line)
  }
}
