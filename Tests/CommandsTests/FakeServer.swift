// A server for tests: a real unix socket and the real protocol, with answers that the test gives.

import ClusterModel
import Encoding
import Glibc
import Synchronization
import Wire

@testable import CommandLine

/// What a client did.
enum ClientEvent: Sendable {
  /// It said hello (again, after a lost connection).
  case connected
  case request(Int, ClientRequest)
  case data(channel: Int, [UInt8])
  case gone
}

/// The server's end of one connection.
final class FakeClient {
  fileprivate var reader = FrameReader()
  fileprivate let descriptor: Int32
  fileprivate var isClosed = false

  fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

  func reply(_ id: Int, _ replies: ServerReply...) {
    for reply in replies { send(NumberedReply(id: id, reply: reply)) }
  }

  func data(_ channel: Int, _ text: String, stream: OutputStream? = nil) {
    let bytes = (stream.map { [$0.rawValue] } ?? []) + Array(text.utf8)
    var frame: [UInt8] = []
    FrameWriter.append(.channel(channel, bytes), to: &frame)
    _ = writeAll(frame, to: descriptor)
  }

  /// Breaks the connection, as a crash of the server does.
  func hangUp() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    isClosed = true
  }

  fileprivate func send(_ message: some Encodable) {
    var frame: [UInt8] = []
    do { try FrameWriter.append(message, to: &frame) } catch { return }
    _ = writeAll(frame, to: descriptor)
  }

  fileprivate func next() -> Frame? {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let frame = try? reader.next() { return frame }
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      reader.append(chunk[..<count])
    }
  }
}

/// Listens on a socket of its own and serves one client after the other, on a thread of its own.
final class FakeServer: Sendable {
  typealias Script = @Sendable (FakeClient, ClientEvent) -> Void

  let path: String
  private let listener: Int32
  private let script: Script

  init(_ script: @escaping Script) throws {
    path = "/tmp/liburna-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    listener = try Sockets.listen(path: path)
    self.script = script
    startThread { self.serve() }
  }

  /// Ends the listening, once the test is over.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    unlink(path)
  }

  private func serve() {
    while case let descriptor = accept(listener, nil, nil), descriptor >= 0 {
      converse(FakeClient(descriptor: descriptor))
      close(descriptor)
    }
    close(listener)
  }

  private func converse(_ client: FakeClient) {
    client.send(ServerGreeting(version: clientProtocolVersion, nonce: "nonce"))
    guard client.next() != nil else { return }
    script(client, .connected)
    while !client.isClosed, let frame = client.next() {
      switch frame {
      case .channel(let channel, let bytes): script(client, .data(channel: channel, bytes))
      case .message(let bytes):
        guard let numbered = try? CBORDecoder().decode(NumberedRequest.self, from: bytes) else {
          return
        }
        script(client, .request(numbered.id, numbered.request))
      }
    }
    script(client, .gone)
  }
}

/// Runs a closure on a thread of its own.
func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(body)).toOpaque()
  pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
      return nil
    }, box)
  pthread_detach(thread)
}

/// What a command did.
struct CallResult: Sendable {
  var code: Int32
  var output: String
  var errors: String
  var endingSignal: Int32?
}

/// Calls a command in this process.
///
/// - Parameter script: the server's answers; without it there is no server.
func call(
  _ type: any Command.Type, _ words: [String], variables: [String: String] = [:],
  input: Int32 = -1, script: FakeServer.Script? = nil
) throws -> CallResult {
  let server = try script.map { try FakeServer($0) }
  defer { server?.stop() }
  let output = TextStream()
  let errors = TextStream()
  let path = server?.path ?? "/nonexistent/liburna-test.sock"
  let context = CommandContext(
    words: words, output: output, errors: errors, input: input, variable: { variables[$0] },
    connect: { program in
      guard server != nil else {
        throw ServerUnreachable(reason: "cannot connect to \(path): No such file or directory")
      }
      return try LiveServerLink(
        program: program, configuration: Configuration(parsing: "LIBURNA_SOCKET=\(path)\n"))
    })
  let code = type.call(in: context)
  return CallResult(
    code: code, output: output.captured, errors: errors.captured,
    endingSignal: context.endingSignal)
}

/// Gathers what a script saw, for the test to look at.
final class Seen<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])
  func add(_ element: Element) { elements.withLock { $0.append(element) } }
  var all: [Element] { elements.withLock { $0 } }
}
