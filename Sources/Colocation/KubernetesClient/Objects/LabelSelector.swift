// Which objects are meant, by their labels.

import Encoding

public struct LabelSelector: Sendable, Hashable {
  public struct Rule: Sendable, Hashable {
    public var key = ""
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    public var comparison = ""
    public var values: [String] = []
  }

  public var labels: [String: String] = [:]
  public var rules: [Rule] = []

  /// A selector without any rule means all objects.
  public func matches(_ labels: [String: String]) -> Bool {
    self.labels.allSatisfy { labels[$0.key] == $0.value }
      && rules.allSatisfy { rule in
        let value = labels[rule.key]
        switch rule.comparison {
        case "In": return value.map(rule.values.contains) ?? false
        case "NotIn": return value.map { !rule.values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        // What is not understood is taken to match: a budget that is there counts.
        default: return true
        }
      }
  }

  init() {}

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "matchLabels": labels = try reader.texts()
      case "matchExpressions":
        rules = try reader.items { reader throws(ReadingError) in try Self.rule(&reader) }
      default: return false
      }
      return true
    }
  }

  private static func rule(_ reader: inout JSONReader) throws(ReadingError) -> Rule {
    var rule = Rule()
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "key": rule.key = try reader.text()
      case "operator": rule.comparison = try reader.text()
      case "values":
        rule.values = try reader.items { reader throws(ReadingError) in try reader.text() }
      default: return false
      }
      return true
    }
    return rule
  }
}
