// Parses arguments with the habits of Perl's Getopt::Long (gnu_getopt) that OAR's users have:
// unique prefixes of long names in any case, bundled letters, `--x=v` and `--x v`, values that may
// be left out, `--`, and operands between options.

/// Arguments that don't fit a command's options.
public struct UsageError: Error, Hashable, Sendable {
  /// A line for each fault, in the words of Getopt::Long.
  public var messages: [String]

  public init(_ messages: [String]) {
    self.messages = messages
  }
}

/// The options and operands of one call.
public struct ParsedArguments: Sendable {
  var uses: [(name: String, value: String?)] = []
  /// The words that are neither options nor their values, in order.
  public internal(set) var operands: [String] = []

  /// Whether the call only wants to be told the help or the version.
  public var asksAbout: Bool { has(StandardOption.help) || has(StandardOption.version) }

  /// The value of an option.
  public subscript<Value>(_ key: Key<Value>) -> Value {
    let name = key.definition.name
    return key.read(uses.compactMap { $0.name == name ? $0.value : nil as String?? })
  }

  /// Whether an option was given.
  public func has(_ key: some OptionKey) -> Bool {
    let name = key.definition.name
    return uses.contains { $0.name == name }
  }
}

extension CommandDefinition {
  /// Parses the words after the command's name.
  public func parse(_ arguments: [String]) throws(UsageError) -> ParsedArguments {
    var parser = OptionParser(definition: self, arguments: arguments)
    parser.run()
    guard parser.faults.isEmpty else { throw UsageError(parser.faults) }
    return parser.result
  }
}

extension CommandDefinition {
  /// How many of the words are those of a call of this command, where another call may follow: the
  /// first operand for which `isNext` is true, told the word and how many operands came before it,
  /// ends the call. Values of options are never asked about, nor is anything after `--`.
  public func callLength(
    in words: [String], isNext: @escaping (_ word: String, _ operands: Int) -> Bool
  ) -> Int {
    var parser = OptionParser(definition: self, arguments: words)
    parser.isNext = isNext
    parser.run()
    return parser.next
  }

  /// Adds options from elsewhere to those of a call: values of lists are appended, others count only
  /// if the call has none of its own.
  ///
  /// - Returns: the options together, and the names of those that the call overrules.
  public func adding(
    _ weaker: ParsedArguments, to call: ParsedArguments
  ) -> (arguments: ParsedArguments, overruled: [String]) {
    var result = call
    var overruled: [String] = []
    for use in weaker.uses {
      let isList = options.contains { $0.definition.name == use.name && $0.definition.isList }
      if isList || !call.uses.contains(where: { $0.name == use.name }) {
        result.uses.append(use)
      } else {
        overruled.append(use.name)
      }
    }
    return (result, overruled)
  }
}

private struct OptionParser {
  let definitions: [OptionDefinition]
  let stopsAtOperand: Bool
  let takesNumbers: Bool
  let arguments: [String]
  /// Whether an operand, after so many others, belongs to the next call already.
  var isNext: (String, Int) -> Bool = { _, _ in false }
  var next = 0
  var result = ParsedArguments()
  var faults: [String] = []

  init(definition: CommandDefinition, arguments: [String]) {
    definitions = definition.options.map(\.definition)
    if case .command = definition.operands { stopsAtOperand = true } else { stopsAtOperand = false }
    if case .signedWords = definition.operands { takesNumbers = true } else { takesNumbers = false }
    self.arguments = arguments
  }

  /// Faults beyond this number are not reported.
  static let faultLimit = 10

  mutating func run() {
    while next < arguments.count, faults.count < Self.faultLimit {
      let word = arguments[next]
      next += 1
      if word == "--" {
        result.operands += arguments[next...]
        next = arguments.count
        return
      } else if word.hasPrefix("--") {
        parseLong(word.dropFirst(2))
      } else if word.hasPrefix("-"), word.utf8.count > 1, !(takesNumbers && isNumber(word)) {
        parseLetters(word.dropFirst())
      } else if isNext(word, result.operands.count) {
        next -= 1
        return
      } else {
        result.operands.append(word)
        if stopsAtOperand {
          result.operands += arguments[next...]
          next = arguments.count
          return
        }
      }
    }
  }

  private mutating func parseLong(_ text: Substring) {
    let equals = text.dropFirst().firstIndex(of: "=")
    let typed = String(text[..<(equals ?? text.endIndex)])
    let value = equals.map { String(text[text.index(after: $0)...]) }
    guard let (name, definition) = find(typed) else { return }
    if case .none = definition.argument {
      if value == nil {
        add(definition, nil)
      } else {
        faults.append("Option \(shortened(name)) does not take an argument")
      }
    } else {
      take(definition, called: name, attached: value)
    }
  }

  private mutating func parseLetters(_ text: Substring) {
    var rest = text
    while faults.count < Self.faultLimit, let letter = rest.popFirst() {
      guard let definition = definitions.first(where: { $0.short == letter }) else {
        faults.append("Unknown option: \(letter)")
        continue
      }
      if case .none = definition.argument {
        add(definition, nil)
      } else if definition.isNumber, !rest.isEmpty, let number = leadingNumber(of: rest) {
        rest = rest[number.endIndex...]
        take(definition, called: String(letter), attached: String(number))
      } else {
        take(definition, called: String(letter), attached: rest.isEmpty ? nil : String(rest))
        return
      }
    }
  }

  private mutating func take(
    _ definition: OptionDefinition, called name: String, attached: String?
  ) {
    if let attached { return check(definition, called: name, attached) }
    if case .optional = definition.argument {
      guard next < arguments.count, isValue(arguments[next]) else { return add(definition, nil) }
    }
    guard next < arguments.count else {
      faults.append("Option \(name) requires an argument")
      return
    }
    next += 1
    check(definition, called: name, arguments[next - 1])
  }

  private mutating func check(_ definition: OptionDefinition, called name: String, _ value: String)
  {
    if definition.isNumber, Int(value) == nil {
      let shape = leadingNumber(of: value[...])?.endIndex == value.endIndex
      let expected = shape ? "number out of range" : "number expected"
      faults.append("Value \"\(shortened(value))\" invalid for option \(name) (\(expected))")
    } else {
      add(definition, value)
    }
  }

  private mutating func add(_ definition: OptionDefinition, _ value: String?) {
    result.uses.append((definition.name, value))
  }

  /// The option with this long name or the only one that begins with it.
  private mutating func find(_ typed: String) -> (String, OptionDefinition)? {
    for definition in definitions {
      if definition.longs.contains(typed) || definition.short.map(String.init) == typed {
        return (typed, definition)
      }
    }
    let folded = typed.lowercased()
    var matches: [(name: String, definition: OptionDefinition)] = []
    for definition in definitions {
      for long in definition.longs where long.lowercased().hasPrefix(folded) {
        if long.utf8.count == typed.utf8.count { return (long, definition) }
        matches.append((long, definition))
      }
    }
    guard let first = matches.first, !typed.isEmpty else {
      faults.append("Unknown option: \(shortened(typed))")
      return nil
    }
    guard matches.allSatisfy({ $0.definition.name == first.definition.name }) else {
      let names = matches.map(\.name).sorted().joined(separator: ", ")
      faults.append("Option \(typed) is ambiguous (\(names))")
      return nil
    }
    return first
  }

  /// Whether a word can be the value of an option that may go without one.
  private func isValue(_ word: String) -> Bool {
    !word.hasPrefix("-") || word == "-"
  }

  private func isNumber(_ word: String) -> Bool { leadingNumber(of: word[...]) != nil }

  private func leadingNumber(of text: Substring) -> Substring? {
    var end = text.startIndex
    if text.hasPrefix("-") || text.hasPrefix("+") { end = text.index(after: end) }
    let digits = text[end...].prefix { $0.isASCII && $0.isNumber }
    return digits.isEmpty ? nil : text[..<digits.endIndex]
  }
}

/// A value as a message shows it: at most 80 characters, and its size if it was longer.
public func shortened(_ value: some StringProtocol) -> String {
  let limit = 80
  guard value.utf8.count > limit else { return String(value) }
  return "\(value.prefix(limit))… (\(value.utf8.count) bytes)"
}
