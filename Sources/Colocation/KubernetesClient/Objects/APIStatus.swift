// What the API says when it refuses, in its own form (kind Status), with what can be told from it.

import Encoding

public struct APIStatus: Sendable, Hashable, CustomStringConvertible {
  public struct Cause: Sendable, Hashable {
    /// Such as `DisruptionBudget`.
    public var reason = ""
    public var message = ""
    public var field = ""
  }

  /// The status of HTTP.
  public var code: Int
  /// One word, such as `NotFound`, `Conflict`, `AlreadyExists`, `Expired`.
  public var reason = ""
  public var message = ""
  public var causes: [Cause] = []
  /// Seconds to wait before asking again, if the server says so.
  public var retryAfter: Int?

  /// The most bytes of a text that is shown.
  private static let longest = 500

  init(code: Int) { self.code = code }

  init(_ answer: HTTPAnswer) {
    code = answer.status
    retryAfter = answer.retryAfter
    var reader = JSONReader(answer.body)
    do throws(ReadingError) { try read(&reader) } catch {
      // Something between us and the API speaks another language.
      message = String(decoding: answer.body.prefix(200), as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    code = answer.status
  }

  /// A status within a watch.
  init(from reader: inout JSONReader) throws(ReadingError) {
    code = 0
    try read(&reader)
  }

  private mutating func read(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "code": code = try reader.integer()
      case "reason": reason = try reader.text()
      case "message": message = try reader.text()
      case "details": try readDetails(&reader)
      default: return false
      }
      return true
    }
  }

  private mutating func readDetails(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "retryAfterSeconds":
        let seconds = try reader.integer()
        if retryAfter == nil, seconds > 0 { retryAfter = seconds }
      case "causes":
        causes = try reader.items { reader throws(ReadingError) in try Self.cause(&reader) }
      default: return false
      }
      return true
    }
  }

  private static func cause(_ reader: inout JSONReader) throws(ReadingError) -> Cause {
    var cause = Cause()
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "reason": cause.reason = try reader.text()
      case "message": cause.message = try reader.text()
      case "field": cause.field = try reader.text()
      default: return false
      }
      return true
    }
    return cause
  }

  public var isNotFound: Bool { code == 404 }
  /// Somebody else changed the object meanwhile, or it is another one.
  public var isConflict: Bool { code == 409 && reason != "AlreadyExists" }
  public var exists: Bool { code == 409 && reason == "AlreadyExists" }
  /// What was asked for is too old: list again.
  public var isExpired: Bool { code == 410 }
  public var isUnauthorized: Bool { code == 401 }
  public var isForbidden: Bool { code == 403 }

  public func hasCause(_ reason: String) -> Bool { causes.contains { $0.reason == reason } }

  public var description: String {
    let word = reason.isEmpty ? "\(code)" : "\(code) \(reason)"
    return message.isEmpty ? word : "\(word): \(message.prefix(Self.longest))"
  }
}
