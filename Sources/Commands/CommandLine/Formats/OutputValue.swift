// What the data formats write: a tree of values whose maps keep the order of their keys.

/// A value to be written as JSON, YAML, XML or a Perl dump.
public indirect enum OutputValue: Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  case list([OutputValue])
  case map([OutputEntry])

  /// A text, or null for none.
  public static func optional(_ text: String?) -> OutputValue { text.map { .text($0) } ?? .null }

  /// A number, or null for none.
  public static func optional(_ number: Int?) -> OutputValue {
    number.map { .integer($0) } ?? .null
  }

  public static func list(_ texts: [String]) -> OutputValue { .list(texts.map { .text($0) }) }

  public static func list(_ numbers: [Int]) -> OutputValue { .list(numbers.map { .integer($0) }) }
}

/// A key of a map and its value.
public struct OutputEntry: Sendable {
  public var key: String
  public var value: OutputValue

  public init(_ key: String, _ value: OutputValue) {
    self.key = key
    self.value = value
  }
}

extension OutputValue: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, OutputValue)...) {
    self = .map(elements.map { OutputEntry($0.0, $0.1) })
  }
}
