// The site's own properties of a resource. There are few of them and many resources: they stand side by
// side in the order of their names, which is smaller and found sooner than in a dictionary.

/// Values by column name.
public struct SiteProperties: Hashable, Sendable {
  private struct Entry: Hashable {
    var name: String
    var value: PropertyValue
  }

  /// In the order of their names.
  private var entries: [Entry] = []

  public init() {}

  /// The names of the columns, in alphabetical order.
  public var keys: [String] { entries.map(\.name) }

  /// The value of a column; `nil` if there is no such column.
  public subscript(name: String) -> PropertyValue? {
    get {
      for entry in entries where entry.name == name { return entry.value }
      return nil
    }
    set {
      let place = entries.firstIndex { $0.name >= name } ?? entries.count
      let isKnown = place < entries.count && entries[place].name == name
      switch (newValue, isKnown) {
      case (let value?, true): entries[place].value = value
      case (let value?, false): entries.insert(Entry(name: name, value: value), at: place)
      case (nil, true): entries.remove(at: place)
      case (nil, false): break
      }
    }
  }

  /// Takes a column away; its value, `nil` if there was none.
  public mutating func removeValue(forKey name: String) -> PropertyValue? {
    let value = self[name]
    self[name] = nil
    return value
  }
}

extension SiteProperties: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, PropertyValue)...) {
    for (name, value) in elements { self[name] = value }
  }
}

/// As a dictionary.
extension SiteProperties: Codable {
  public init(from decoder: any Decoder) throws {
    for (name, value) in try [String: PropertyValue](from: decoder) { self[name] = value }
  }

  public func encode(to encoder: any Encoder) throws {
    try Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.value) }).encode(to: encoder)
  }
}
