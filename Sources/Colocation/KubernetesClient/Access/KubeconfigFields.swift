// Fields of a kubeconfig's entry by name and type, with errors that say where and what to do, and never
// what a secret is.

import Documents

struct KubeconfigFields {
  let entry: Kubeconfig.Entry
  /// Such as `users "admin"`.
  let place: String

  /// A text; nil if it is missing or empty.
  func text(_ key: String) throws(DocumentError) -> String? {
    guard let value = entry.fields[key]?.value, !value.isNothing else { return nil }
    guard case .scalar(let text, _) = value.content else {
      throw problem(key, "must be a text, not \(value.kind)", value.line)
    }
    return text.isEmpty ? nil : text
  }

  func flag(_ key: String) throws(DocumentError) -> Bool {
    switch try text(key) {
    case nil, "false", "False", "FALSE": return false
    case "true", "True", "TRUE": return true
    default: throw problem(key, "must be true or false")
    }
  }

  /// Base64 that stands in the file itself.
  func data(_ key: String) throws(DocumentError) -> [UInt8]? {
    guard let text = try text(key) else { return nil }
    guard let bytes = Base64.decode(text), !bytes.isEmpty else {
      throw problem(key, "is no base64; it must be the PEM file as `base64 -w0` writes it")
    }
    return bytes
  }

  /// A path; one that is relative begins in the directory of the file that names it.
  func path(_ key: String) throws(DocumentError) -> String? {
    guard let text = try text(key) else { return nil }
    return Self.absolute(text, besides: entry.file)
  }

  func list(_ key: String) throws(DocumentError) -> [String] {
    guard let value = entry.fields[key]?.value, !value.isNothing else { return [] }
    guard case .list(let items) = value.content else {
      throw problem(key, "must be a list, not \(value.kind)", value.line)
    }
    var texts: [String] = []
    for item in items {
      guard case .scalar(let text, _) = item.content else {
        throw problem(key, "must be a list of texts", item.line)
      }
      texts.append(text)
    }
    return texts
  }

  /// The fields of a map within.
  func inner(_ key: String) throws(DocumentError) -> KubeconfigFields? {
    guard let value = entry.fields[key]?.value, !value.isNothing else { return nil }
    guard value.isMap else { throw problem(key, "must be a map, not \(value.kind)", value.line) }
    return KubeconfigFields(
      entry: Kubeconfig.Entry(fields: value, file: entry.file, line: value.line),
      place: "\(place), \(key)")
  }

  func problem(_ key: String, _ message: String, _ line: Int? = nil) -> DocumentError {
    let line = line ?? entry.fields[key]?.line ?? entry.line
    return DocumentError([
      DocumentProblem(file: entry.file, line: line, message: "\(place): \(key) \(message)")
    ])
  }

  static func absolute(_ path: String, besides file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    return file[...slash] + path
  }
}
