// A command's connection to the server: blocking, because a command has nothing else to do.

import ClusterModel
import Encoding
import Glibc

/// Why a command can't talk to the server.
public struct ConnectionError: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// What the server sends.
public enum ServerMessage: Sendable {
  case reply(id: Int, ServerReply)
  case channel(Int, [UInt8])
}

/// A connection to `liburnad`. Not for several threads at once.
public final class ServerConnection {
  /// The socket, to be polled together with a terminal.
  public let descriptor: Int32
  private var reader = FrameReader()
  private var lastID = 0

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// What a command sends first over TCP: an empty channel frame, which means nothing. A server that shares
  /// its port with OAR 2's programs, whose words are text, waits for it before it greets.
  public static let opening: [UInt8] = {
    var bytes: [UInt8] = []
    FrameWriter.append(.channel(0, []), to: &bytes)
    return bytes
  }()

  /// The first byte of ``opening``, which no text begins with.
  public static let firstByte: UInt8 = 0

  /// Connects and says who asks: through the server's unix socket if this host has one (LIBURNA_SOCKET),
  /// else over TCP (SERVER_HOSTNAME, SERVER_PORT) with the credential that `seal` makes of the server's nonce.
  public static func open(
    program: String, configuration: Configuration, seal: @escaping (String) throws -> String
  ) throws(ConnectionError) -> ServerConnection {
    let path = configuration.text("LIBURNA_SOCKET", default: serverSocketPath)
    do {
      if access(path, F_OK) == 0 {
        let connection = ServerConnection(descriptor: try Sockets.connect(path: path))
        try connection.greet(program: program, seal: nil)
        return connection
      }
      let host = configuration.text("SERVER_HOSTNAME", default: "localhost")
      let port = try configuration.integer("SERVER_PORT", default: serverPort, in: 1...65535)
      let connection = ServerConnection(descriptor: try Sockets.connect(host: host, port: port))
      try connection.write(Self.opening)
      try connection.greet(program: program, seal: seal)
      return connection
    } catch let error as ConnectionError {
      throw error
    } catch {
      throw ConnectionError("\(error)")
    }
  }

  private func greet(program: String, seal: ((String) throws -> String)?) throws {
    guard case .message(let bytes) = try receiveFrame() else {
      throw ConnectionError("the server does not greet: is it liburnad?")
    }
    let greeting = try CBORDecoder().decode(ServerGreeting.self, from: bytes)
    guard greeting.version == clientProtocolVersion else {
      throw ConnectionError(
        "the server speaks version \(greeting.version) of the protocol, this command "
          + "\(clientProtocolVersion): install the same release of Liburna on both")
    }
    let credential = try seal?(greeting.nonce)
    try send(
      ClientHello(version: clientProtocolVersion, program: program, credential: credential))
  }

  /// Sends a request without waiting; its answers carry the returned number.
  @discardableResult
  public func send(_ request: ClientRequest) throws(ConnectionError) -> Int {
    lastID += 1
    try send(NumberedRequest(id: lastID, request: request))
    return lastID
  }

  /// Sends bytes of a channel.
  public func send(channel: Int, _ bytes: [UInt8]) throws(ConnectionError) {
    var buffer: [UInt8] = []
    FrameWriter.append(.channel(channel, bytes), to: &buffer)
    try write(buffer)
  }

  /// The next message, waiting for it.
  public func receive() throws(ConnectionError) -> ServerMessage {
    switch try receiveFrame() {
    case .channel(let channel, let bytes): return .channel(channel, bytes)
    case .message(let bytes):
      do {
        let numbered = try CBORDecoder().decode(NumberedReply.self, from: bytes)
        return .reply(id: numbered.id, numbered.reply)
      } catch {
        throw ConnectionError("the server's answer can't be read: \(error)")
      }
    }
  }

  /// Whether ``receive()`` has a whole message already, so that polling the descriptor would miss it.
  public var hasMessage: Bool { pending != nil || fillPending() }
  private var pending: Frame?

  /// Asks and waits for the first answer.
  public func ask(_ request: ClientRequest) throws(ConnectionError) -> ServerReply {
    let id = try send(request)
    while true {
      if case .reply(id, let reply) = try receive() { return reply }
    }
  }

  private func fillPending() -> Bool {
    pending = try? reader.next()
    return pending != nil
  }

  private func receiveFrame() throws(ConnectionError) -> Frame {
    if let frame = pending {
      pending = nil
      return frame
    }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      do {
        if let frame = try reader.next() { return frame }
      } catch {
        throw ConnectionError("the server sent \(error)")
      }
      let count = read(descriptor, &chunk, chunk.count)
      if count > 0 {
        reader.append(chunk[..<count])
      } else if count == 0 {
        throw ConnectionError("the server closed the connection")
      } else if errno != EINTR {
        throw ConnectionError("the connection failed: \(String(cString: strerror(errno)))")
      }
    }
  }

  private func send(_ message: some Encodable) throws(ConnectionError) {
    var buffer: [UInt8] = []
    do {
      try FrameWriter.append(message, to: &buffer)
    } catch {
      throw ConnectionError("the request can't be encoded: \(error)")
    }
    try write(buffer)
  }

  private func write(_ bytes: [UInt8]) throws(ConnectionError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(
          descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw ConnectionError("the connection failed: \(String(cString: strerror(errno)))")
      }
      sent += count
    }
  }
}

/// Where the server's unix socket is unless LIBURNA_SOCKET says otherwise.
public let serverSocketPath = "/run/liburna/liburnad.sock"

/// The server's TCP port unless SERVER_PORT says otherwise (not OAR's 6666: the protocol is another).
public let serverPort = 6668
