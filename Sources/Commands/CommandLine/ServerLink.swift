// The connection of a command to the server, as commands use it.

import Wire

/// What arrives from the server.
public enum ServerEvent: Sendable {
  case reply(id: Int, ServerReply)
  /// Bytes of a session.
  case data(channel: Int, [UInt8])
}

/// A connection to the server, made and authenticated.
public protocol ServerLink: AnyObject {
  /// The descriptor to wait on before ``receive()``, unless ``hasEvent``.
  var descriptor: Int32 { get }
  /// Whether ``receive()`` will return without waiting.
  var hasEvent: Bool { get }
  /// Sends a request and returns the number that its answers will carry.
  ///
  /// - Throws: ``ConnectionLost``
  @discardableResult
  func send(_ request: ClientRequest) throws -> Int
  /// Sends bytes of a session.
  ///
  /// - Throws: ``ConnectionLost``
  func send(_ bytes: [UInt8], channel: Int) throws
  /// Waits for the next event.
  ///
  /// - Throws: ``ConnectionLost``
  func receive() throws -> ServerEvent
}

extension ServerLink {
  /// Waits for the next answer to a request; other events meanwhile are dropped. `refused` is thrown.
  public func reply(to id: Int) throws -> ServerReply {
    while true {
      guard case .reply(id, let reply) = try receive() else { continue }
      if case .refused(let refusal) = reply { throw refusal }
      return reply
    }
  }
}

/// The server does not answer: nothing was asked, so nothing was changed.
public struct ServerUnreachable: Error, Sendable {
  /// Where it was looked for and what went wrong.
  public var reason: String

  public init(reason: String) {
    self.reason = reason
  }
}

/// The connection broke after something was asked: whether it was done is not known.
public struct ConnectionLost: Error, Sendable {
  public var reason: String

  public init(reason: String) {
    self.reason = reason
  }
}

/// The server answered something that the question does not allow: it speaks another version.
public struct UnexpectedReply: Error, Sendable {
  public var question: String

  public init(question: String) {
    self.question = question
  }
}
