// The resources that oarprint reads, lines such as ` core = '1' , host = 'node1' `, and how it
// lays them out.

/// Resources with their properties as text.
struct ResourceTable {
  /// The properties in the order in which the first line has them, then those of later lines.
  private(set) var properties: [String] = []
  private(set) var rows: [[String: String]] = []

  /// Parts of lines that are not `name = 'value'` are skipped.
  init(parsing text: String) {
    var known: Set<String> = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      var row: [String: String] = [:]
      var rest = line[...]
      while let (name, value, remainder) = Self.property(in: rest) {
        rest = remainder
        row[name] = value
        if known.insert(name).inserted { properties.append(name) }
      }
      if !row.isEmpty { rows.append(row) }
    }
  }

  /// The first `name = 'value'` of a text, and what follows it.
  private static func property(
    in text: Substring.UTF8View
  ) -> (String, String, Substring.UTF8View)? {
    var text = text
    while let equals = text.firstIndex(of: UInt8(ascii: "=")) {
      let name = text[..<equals].split { isBlank($0) || $0 == UInt8(ascii: ",") }.last
      text = text[text.index(after: equals)...].drop(while: isBlank)
      guard let name, text.first == UInt8(ascii: "'") else { continue }
      let quoted = text.dropFirst()
      let end = endOfValue(quoted)
      return (String(name) ?? "", String(quoted[..<end]) ?? "", quoted[end...].dropFirst())
    }
    return nil
  }

  /// A value may hold quotes: it ends at a quote before a comma or the line's end.
  private static func endOfValue(_ text: Substring.UTF8View) -> Substring.UTF8View.Index {
    var end = text.startIndex
    while end < text.endIndex {
      let after = text.index(after: end)
      if text[end] == UInt8(ascii: "'") {
        let next = text[after...].first { !isBlank($0) }
        if next == nil || next == UInt8(ascii: ",") { return end }
      }
      end = after
    }
    return end
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}

/// What is printed of each group of resources.
struct PrintLayout {
  var properties: [String]
  /// `nil` for the properties with blanks between them.
  var format: String?
  var token: String
  var separator: String

  /// A line for each value of the key, in order.
  func lines(_ table: ResourceTable, by key: String) -> [String] {
    var groups: [String: [[String: String]]] = [:]
    for row in table.rows {
      if let value = row[key] { groups[value, default: []].append(row) }
    }
    return groups.sorted { isOrdered($0.key, $1.key) }.map { _, rows in
      let values = properties.map { name in
        Set(rows.compactMap { $0[name] }).sorted(by: isOrdered).joined(separator: separator)
      }
      return line(values)
    }
  }

  /// The values put into the format. What follows the place of a value that is missing is left out.
  private func line(_ values: [String]) -> String {
    guard let format else { return values.joined(separator: " ") }
    let parts = pieces(of: format)
    var text = parts[0]
    for (value, part) in zip(values, parts.dropFirst()) { text += value + part }
    return text
  }

  /// The format cut at each token.
  private func pieces(of format: String) -> [String] {
    guard !token.isEmpty else { return [format] }
    var pieces = [""]
    var rest = format[...]
    while let first = rest.first {
      if rest.hasPrefix(token) {
        pieces.append("")
        rest = rest.dropFirst(token.count)
      } else {
        pieces[pieces.count - 1].append(first)
        rest = rest.dropFirst()
      }
    }
    return pieces
  }

  /// Numbers by size, other texts by their characters.
  private func isOrdered(_ a: String, _ b: String) -> Bool {
    if let first = Int(a), let second = Int(b) { return (first, a) < (second, b) }
    return a < b
  }
}
