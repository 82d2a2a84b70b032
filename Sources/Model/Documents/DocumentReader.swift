// From libyaml's events to a tree, with limits: a text from somewhere can't take the tool's memory.

public struct DocumentReader {
  /// Bytes of a file, which is a large composition with its scripts and configurations.
  public static let largestFile = 1 << 20
  /// Lists and maps within each other; a service of a role's set-up is at 8.
  public static let deepest = 32
  /// Values of a document; an alias counts as all that it stands for.
  public static let mostNodes = 100_000

  private let events: YAMLEvents
  private let problems: Problems
  private var anchors: [String: DocumentNode] = [:]
  /// The anchors of what is being read.
  private var open: Set<String> = []
  private var count = 0

  /// Reads a file that holds one document. Repeated keys and the like go to `problems`.
  ///
  /// - Throws: ``DocumentError`` for what can't be read on.
  public static func read(_ bytes: [UInt8], problems: Problems) throws(DocumentError)
    -> DocumentNode
  {
    guard bytes.count <= largestFile else {
      throw DocumentError([
        DocumentProblem(
          file: problems.file, line: 1,
          message: "the file has \(bytes.count) bytes; at most \(largestFile) are read")
      ])
    }
    var reader = DocumentReader(
      events: try YAMLEvents(bytes, file: problems.file), problems: problems)
    return try reader.document()
  }

  private init(events: YAMLEvents, problems: Problems) {
    (self.events, self.problems) = (events, problems)
  }

  private mutating func document() throws(DocumentError) -> DocumentNode {
    _ = try events.next()
    let start = try events.next()
    guard case .documentStart = start.kind else { throw stop("the file is empty", at: start) }
    let node = try node(try events.next(), depth: 0)
    _ = try events.next()
    let end = try events.next()
    guard case .streamEnd = end.kind else {
      throw stop("a second document begins here; a file has one", at: end)
    }
    return node
  }

  private mutating func node(
    _ event: YAMLEvent, depth: Int
  ) throws(DocumentError) -> DocumentNode {
    try count(1, at: event)
    if let tag = event.tag, !tag.hasPrefix("tag:yaml.org,2002:"), tag != "!" {
      problems.add("the tag \(quoted(tag)) means nothing here", line: event.line)
    }
    if let anchor = event.anchor { open.insert(anchor) }
    let node: DocumentNode
    switch event.kind {
    case .scalar(let text, let isPlain):
      if text.utf8.contains(0) {
        problems.add("a text holds a zero byte", line: event.line, column: event.column)
      }
      node = DocumentNode(.scalar(text, isPlain: isPlain), line: event.line)
    case .listStart: node = try list(event, depth: try deeper(depth, at: event))
    case .mapStart: node = try map(event, depth: try deeper(depth, at: event))
    case .alias(let name): return try copy(of: name, event, depth: depth)
    default: throw stop("a value is wanted here", at: event)
    }
    if let anchor = event.anchor {
      open.remove(anchor)
      anchors[anchor] = node
    }
    return node
  }

  private mutating func list(
    _ start: YAMLEvent, depth: Int
  ) throws(DocumentError) -> DocumentNode {
    var items: [DocumentNode] = []
    while true {
      let event = try events.next()
      if case .listEnd = event.kind { return DocumentNode(.list(items), line: start.line) }
      items.append(try node(event, depth: depth))
    }
  }

  private mutating func map(
    _ start: YAMLEvent, depth: Int
  ) throws(DocumentError) -> DocumentNode {
    var entries: [DocumentEntry] = []
    var lines: [String: Int] = [:]
    var merged: [DocumentEntry] = []
    while true {
      let event = try events.next()
      if case .mapEnd = event.kind { break }
      guard case .scalar(let key, let isPlain) = try node(event, depth: depth).content else {
        throw stop("a key must be a text", at: event)
      }
      let value = try node(try events.next(), depth: depth)
      if key == "<<", isPlain {
        merged += inherited(value, line: event.line)
      } else if let first = lines[key] {
        problems.add("\(quoted(key)) is there already, on line \(first)", line: event.line)
      } else {
        lines[key] = event.line
        entries.append(DocumentEntry(key: key, line: event.line, value: value))
      }
    }
    for entry in merged where lines[entry.key] == nil {
      lines[entry.key] = entry.line
      entries.append(entry)
    }
    return DocumentNode(.map(entries), line: start.line)
  }

  /// What `<<` brings: the entries of a map, or of a list of maps, of which the first one counts.
  private func inherited(_ value: DocumentNode, line: Int) -> [DocumentEntry] {
    switch value.content {
    case .map(let entries): return entries
    case .list(let items):
      if items.allSatisfy(\.isMap) {
        return items.flatMap(\.entries)
      }
    case .scalar: break
    }
    problems.add("<< takes a map or a list of maps, mostly an alias (*name) of one", line: line)
    return []
  }

  /// What an alias stands for. It counts as if it were written out: a short text can't grow to
  /// millions of values.
  private mutating func copy(
    of name: String, _ event: YAMLEvent, depth: Int
  ) throws(DocumentError) -> DocumentNode {
    guard let node = anchors[name], !open.contains(name) else {
      throw stop(
        open.contains(name)
          ? "*\(name) stands within what it stands for"
          : "there is no &\(name) before this *\(name)", at: event)
    }
    guard depth + node.height <= Self.deepest else { throw tooDeep(event) }
    try count(node.size - 1, at: event)
    return node
  }

  private func deeper(_ depth: Int, at event: YAMLEvent) throws(DocumentError) -> Int {
    guard depth < Self.deepest else { throw tooDeep(event) }
    return depth + 1
  }

  private func tooDeep(_ event: YAMLEvent) -> DocumentError {
    stop("more than \(Self.deepest) lists and maps are within each other", at: event)
  }

  private mutating func count(
    _ number: Int, at event: YAMLEvent
  ) throws(DocumentError) {
    count += number
    guard count <= Self.mostNodes else {
      throw stop("the file has more than \(Self.mostNodes) values", at: event)
    }
  }

  /// The end of reading: with it, what was found before is told too.
  private func stop(_ message: String, at event: YAMLEvent) -> DocumentError {
    problems.add(message, line: event.line, column: event.column)
    do throws(DocumentError) { try problems.check() } catch { return error }
    return DocumentError(file: problems.file, message)
  }
}
