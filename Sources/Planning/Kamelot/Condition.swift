// Which resources satisfy an SQL condition; each text is parsed and tried once per platform.

import ClusterModel
import RequestLanguage

/// What a condition means on a platform.
enum ConditionResult: Sendable {
  /// The resources that satisfy it, and whether it names their type.
  case matches(ResourceSet, namesType: Bool)
  /// It can't be understood, with a sentence.
  case malformed(String)
}

extension Platform {
  /// Tries the condition `text`, which is not empty, on every resource.
  func condition(_ text: String) -> ConditionResult {
    conditions.value(for: text) {
      do {
        return evaluate(try PropertyExpression(parsing: text))
      } catch {
        return .malformed("\(error)")
      }
    }
  }

  private func evaluate(_ expression: PropertyExpression) -> ConditionResult {
    if let unknown = expression.columns.filter({ !hasColumn($0) }).min() {
      return .malformed("There is no property \"\(unknown)\".")
    }
    let members = resources.indices.filter { expression.matches(resources[$0]) }
    let set = ResourceSet(capacity: resources.count, members)
    return .matches(set, namesType: expression.columns.contains("type"))
  }
}
