// A JSON document as a value: objects keep their order and their repetitions, numbers their text.

/// What JSON can say.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// As written, such as `-1`, `34.5` or `1e3`.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// As written: in order, and a name that is repeated stands there twice.
  case object([JSONMember])
}

/// A name and its value in a JSON object.
public struct JSONMember: Hashable, Sendable {
  public var name: String
  public var value: JSONValue

  public init(_ name: String, _ value: JSONValue) {
    self.name = name
    self.value = value
  }
}

extension JSONValue {
  /// The value of a name in an object; the last if it is repeated, `nil` for other values.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  /// The text of a string; `nil` for other values.
  public var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// The elements of an array; `nil` for other values.
  public var array: [JSONValue]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  /// The start of the value as JSON writes it, short enough for a message.
  public var excerpt: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let text): text
    case .string(let text): "\"\(text.prefix(48))\(text.dropFirst(48).isEmpty ? "" : "…")\""
    case .array(let elements):
      "[\(elements.prefix(4).map(\.nestedExcerpt).joined(separator: ", "))\(elements.count > 4 ? ", …" : "")]"
    case .object(let members): members.isEmpty ? "{}" : "{…}"
    }
  }

  private var nestedExcerpt: String {
    guard case .array(let elements) = self, !elements.isEmpty else { return excerpt }
    return "[…]"
  }
}
