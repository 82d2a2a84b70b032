// Values of a document on their way to typed ones: each says where it is when it does not fit.

import Documents

/// A value and the place it has.
struct Field {
  /// The keys that lead to it, such as `roles.node.count`; empty for the whole file.
  var path: String
  /// Where its key is, or for an item of a list the item itself.
  var line: Int
  var node: DocumentNode

  init(_ path: String, line: Int, _ node: DocumentNode) {
    (self.path, self.line, self.node) = (path, line, node)
  }

  /// The value of a key in it.
  func inner(_ entry: DocumentEntry) -> Field {
    Field(path.isEmpty ? entry.key : "\(path).\(entry.key)", line: entry.line, entry.value)
  }

  /// The text, or nil with a complaint.
  func text(_ problems: Problems) -> String? {
    guard case .scalar(let text, _) = node.content, !node.isNothing else {
      problems.add("a text is wanted here, not \(node.kind)", at: self)
      return nil
    }
    return text
  }

  /// A text by a rule, or nil with a complaint.
  func text(_ rule: NameRule, _ problems: Problems) -> String? {
    guard let text = text(problems) else { return nil }
    guard rule.accepts(text) else {
      problems.add("\(quoted(text)) is no \(rule.what): \(rule.allowed)", at: self)
      return nil
    }
    return text
  }

  /// The items of a list, or none with a complaint.
  func items(_ problems: Problems) -> [Field] {
    guard case .list(let items) = node.content else {
      problems.add("a list is wanted here, such as [a, b], not \(node.kind)", at: self)
      return []
    }
    return items.map { Field(path, line: $0.line, $0) }
  }

  /// The values of a map's keys, or none with a complaint.
  func values(_ problems: Problems) -> [(key: String, field: Field)] {
    guard case .map(let entries) = node.content else {
      problems.add("a map is wanted here, not \(node.kind)", at: self)
      return []
    }
    return entries.map { ($0.key, inner($0)) }
  }
}

/// A map whose keys are known.
struct Fields {
  let field: Field
  private let problems: Problems

  /// Complains of what is no map, and of each key that isn't allowed.
  ///
  /// - Parameter elsewhere: Keys that people put here, and where they belong.
  init(
    _ field: Field, keys: [String], elsewhere: (keys: [String], place: String) = ([], ""),
    _ problems: Problems
  ) {
    (self.field, self.problems) = (field, problems)
    guard !field.node.isNothing else { return }
    for (key, inner) in field.values(problems) where !keys.contains(key) {
      let advice =
        if elsewhere.keys.contains(key) {
          "it belongs \(elsewhere.place)"
        } else if let near = nearest(to: key, of: keys) {
          "did you mean \(quoted(near))?"
        } else {
          "there are \(keys.joined(separator: ", "))"
        }
      let place = field.path.isEmpty ? "" : "\(field.path): "
      problems.add("\(place)unknown key \(quoted(key)); \(advice)", line: inner.line)
    }
  }

  /// The value of a key, or nil if there is none.
  subscript(key: String) -> Field? {
    guard let entry = field.node[key], !entry.value.isNothing else { return nil }
    return field.inner(entry)
  }

  /// The value of a key that must be there.
  func required(_ key: String, _ why: String) -> Field? {
    if let field = self[key] { return field }
    // What is no map at all has had its complaint.
    guard field.node.isMap || field.node.isNothing else { return nil }
    problems.add("\(key) is missing: \(why)", at: field)
    return nil
  }

  func text(_ key: String) -> String? { self[key]?.text(problems) }

  func text(_ key: String, _ rule: NameRule) -> String? { self[key]?.text(rule, problems) }

  /// A list of texts by a rule; those that don't fit are left out with a complaint.
  func texts(_ key: String, _ rule: NameRule) -> [String] {
    self[key]?.items(problems).compactMap { $0.text(rule, problems) } ?? []
  }

  func flag(_ key: String) -> Bool? {
    guard let field = self[key], let text = field.text(problems) else { return nil }
    switch text {
    case "true", "yes": return true
    case "false", "no": return false
    default:
      problems.add("\(quoted(text)) is neither true nor false", at: field)
      return nil
    }
  }

  func integer(_ key: String, _ what: String, in range: ClosedRange<Int>) -> Int? {
    guard let field = self[key], let text = field.text(problems) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      problems.add(
        "\(quoted(text)) is no \(what): \(range.lowerBound) to \(range.upperBound)", at: field)
      return nil
    }
    return value
  }

  /// One of some words.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, _ type: Choice.Type
  ) -> Choice? where Choice.RawValue == String {
    guard let field = self[key], let text = field.text(problems) else { return nil }
    let words = Choice.allCases.map(\.rawValue)
    guard let choice = Choice(rawValue: text) else {
      problems.add(
        "\(quoted(text)) is not \(alternatives(words))" + hint(for: text, of: words), at: field)
      return nil
    }
    return choice
  }
}
