// A command that the test plays, over a pair of sockets.

import ClusterModel
import Encoding
import Glibc
import Testing
import Wire

@testable import Controller

/// The test's end of a connection.
final class PlayedClient: Sendable {
  let id: Int
  private let descriptor: Int32

  private init(id: Int, descriptor: Int32) {
    self.id = id
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Connects and is greeted; asks as `asker`.
  static func connect(to stage: Stage, as asker: Asker) async throws -> PlayedClient {
    var pair: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    let far = pair[1]
    let id = await stage.act { controller in
      controller.admit(far, isLocal: true)
      return controller.nextClient - 1
    }
    let client = PlayedClient(id: id, descriptor: pair[0])
    // The server's part runs on the same few threads: nothing here may block one.
    _ = fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK)
    var reader = FrameReader()
    _ = try await client.frame(&reader)
    try await client.send(
      raw: ClientHello(version: clientProtocolVersion, program: "test", credential: nil))
    while await stage.act({ $0.clients[id]?.asker == nil && $0.clients[id] != nil }) {
      await Task.yield()
    }
    await stage.act { $0.clients[id]?.asker = asker }
    return client
  }

  func send(_ requests: ClientRequest...) async throws {
    for (index, request) in requests.enumerated() {
      try await send(raw: NumberedRequest(id: index + 1, request: request))
    }
  }

  func send(raw message: some Encodable) async throws {
    var bytes: [UInt8] = []
    try FrameWriter.append(message, to: &bytes)
    try await send(bytes: bytes)
  }

  func send(bytes: [UInt8]) async throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EAGAIN {
        await Task.yield()
        continue
      }
      try #require(count > 0)
      sent += count
    }
  }

  /// Sends what fits at once, for a command that does not read; how many messages fitted.
  func flood(_ message: some Encodable, _ count: Int) throws -> Int {
    var bytes: [UInt8] = []
    try FrameWriter.append(message, to: &bytes)
    for index in 0..<count {
      let sent = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      guard sent == bytes.count else { return index }
    }
    return count
  }

  /// The next answers, waiting for them.
  func receive(_ count: Int) async throws -> [ServerReply] {
    var reader = FrameReader()
    var replies: [ServerReply] = []
    while replies.count < count {
      guard case .message(let bytes)? = try await frame(&reader) else { continue }
      replies.append(try CBORDecoder().decode(NumberedReply.self, from: bytes).reply)
    }
    return replies
  }

  func receive() async throws -> ServerReply { try #require(try await receive(1).first) }

  /// Whether the server has closed the connection; what it sent before is skipped.
  func isCutOff() async -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
      await Task.yield()
    }
  }

  private func frame(_ reader: inout FrameReader) async throws -> Frame? {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      if let frame = try reader.next() { return frame }
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EAGAIN {
        await Task.yield()
        continue
      }
      try #require(count > 0, "the server closed the connection")
      reader.append(buffer[..<count])
    }
  }
}

extension ServerReply {
  var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }

  var outcomes: [JobOutcome]? { if case .outcomes(let outcomes) = self { outcomes } else { nil } }
}
