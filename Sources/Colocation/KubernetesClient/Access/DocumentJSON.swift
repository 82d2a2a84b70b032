// A part of a YAML document as JSON, for plug-ins that are handed it.

import Documents
import Encoding

extension DocumentNode {
  var json: JSONValue {
    switch content {
    case .list(let items): return .array(items.map(\.json))
    case .map(let entries): return .object(entries.map { JSONMember($0.key, $0.value.json) })
    case .scalar(let text, isPlain: true):
      if isNothing { return .null }
      if text == "true" || text == "false" { return .bool(text == "true") }
      if let number = Int(text) { return .number(String(number)) }
      return .string(text)
    case .scalar(let text, isPlain: false): return .string(text)
    }
  }
}
