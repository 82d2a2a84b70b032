// The options of a command, declared once: a key carries the type of its value, its names and its
// help, and parser, help, manual page and completion all read it.

/// What an option is called and takes; the untyped part of a ``Key``.
public struct OptionDefinition: Sendable {
  /// What follows the option's name.
  public enum Argument: Sendable {
    case none
    /// The name stands for it in help texts.
    case required(String)
    case optional(String)
  }

  /// The letter after one dash.
  public var short: Character?
  /// The names after two dashes; help shows the first.
  public var longs: [String]
  public var argument: Argument
  /// Whether its value must be a whole number.
  public var isNumber: Bool
  /// Whether each use counts; otherwise the last one does.
  public var isList: Bool
  public var help: String

  /// What identifies it in parsed arguments, and what messages call it.
  public var name: String { longs.first ?? short.map(String.init) ?? "" }

  init(
    names: [String], argument: Argument, isNumber: Bool = false, isList: Bool = false, help: String
  ) {
    longs = names.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
    short = names.first { !$0.hasPrefix("--") }?.last
    self.argument = argument
    self.isNumber = isNumber
    self.isList = isList
    self.help = help
  }
}

/// A key of any type; what the table of a command holds.
public protocol OptionKey: Sendable {
  var definition: OptionDefinition { get }
}

/// An option whose value has the type `Value`: `arguments[key]` reads it.
public struct Key<Value: Sendable>: OptionKey {
  public let definition: OptionDefinition
  /// From the values of all uses in order (`nil` for a use without a value); numbers were checked.
  let read: @Sendable ([String?]) -> Value

  init(_ definition: OptionDefinition, read: @escaping @Sendable ([String?]) -> Value) {
    self.definition = definition
    self.read = read
  }
}

extension Key where Value == Bool {
  /// An option without a value; names are written with their dashes, such as `"-I", "--interactive"`.
  public static func flag(_ names: String..., help: String) -> Key {
    Key(OptionDefinition(names: names, argument: .none, help: help)) { !$0.isEmpty }
  }
}

extension Key where Value == String? {
  /// An option with a text; the last use counts.
  public static func text(_ names: String..., value: String, help: String) -> Key {
    Key(OptionDefinition(names: names, argument: .required(value), help: help)) { $0.last ?? nil }
  }
}

extension Key where Value == [String] {
  /// An option with a text that may be repeated.
  public static func texts(_ names: String..., value: String, help: String) -> Key {
    Key(OptionDefinition(names: names, argument: .required(value), isList: true, help: help)) {
      $0.compactMap { $0 }
    }
  }
}

extension Key where Value == [String?] {
  /// An option that may be repeated and whose text may be left out: `nil` for a use without one.
  public static func optionalTexts(_ names: String..., value: String, help: String) -> Key {
    Key(OptionDefinition(names: names, argument: .optional(value), isList: true, help: help)) { $0 }
  }
}

extension Key where Value == Int? {
  /// An option with a whole number; the last use counts.
  public static func integer(_ names: String..., value: String, help: String) -> Key {
    let definition = OptionDefinition(
      names: names, argument: .required(value), isNumber: true, help: help)
    return Key(definition) { $0.last?.flatMap { Int($0) } }
  }
}

extension Key where Value == [Int] {
  /// An option with a whole number that may be repeated.
  public static func integers(_ names: String..., value: String, help: String) -> Key {
    let definition = OptionDefinition(
      names: names, argument: .required(value), isNumber: true, isList: true, help: help)
    return Key(definition) { $0.compactMap { $0.flatMap { Int($0) } } }
  }
}
