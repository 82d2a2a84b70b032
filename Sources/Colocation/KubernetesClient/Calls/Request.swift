// One request to the API: path, query, body, and when it may be made again.

import Encoding

struct Request: Sendable, CustomStringConvertible {
  /// What a second time would do.
  enum Repetition: Sendable {
    /// Nothing more than the first.
    case harmless
    /// Something else: only what was certainly not done is asked for again.
    case harmful
  }

  var method: String
  /// Escaped, with a slash at the beginning.
  var path: String
  var query: [(name: String, value: String)] = []
  var body: [UInt8]?
  var contentType = "application/json"
  var repetition: Repetition

  init(_ method: String, _ path: String, _ repetition: Repetition) {
    (self.method, self.path, self.repetition) = (method, path, repetition)
  }

  /// Path and query.
  var target: String {
    guard !query.isEmpty else { return path }
    let parts = query.map { "\($0.name)=\(Self.escaped($0.value))" }
    return "\(path)?\(parts.joined(separator: "&"))"
  }

  /// For messages: what, of which object.
  var description: String { "\(method) \(path)" }

  func mayRepeat(after failure: TransportFailure) -> Bool {
    switch failure {
    case .notConnected: true
    case .lost, .timedOut, .other: repetition == .harmless
    case .notTrusted, .tooLong, .cancelled: false
    }
  }

  func mayRepeat(after status: APIStatus) -> Bool {
    switch status.code {
    // Too many requests: not done. A budget that says no is an answer, and no matter of haste.
    case 429: !status.hasCause("DisruptionBudget")
    case 500, 502, 503, 504: repetition == .harmless
    default: false
    }
  }

  /// The path of objects, of one of them, or of a part of it.
  static func path(
    _ kind: ObjectKind, namespace: String? = nil, name: String? = nil, part: String? = nil
  ) -> String {
    var path = kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
    if kind.isNamespaced, let namespace { path += "/namespaces/\(escaped(namespace))" }
    path += "/\(kind.plural)"
    if let name { path += "/\(escaped(name))" }
    if let part { path += "/\(part)" }
    return path
  }

  /// A text as a part of a path or a query.
  static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
