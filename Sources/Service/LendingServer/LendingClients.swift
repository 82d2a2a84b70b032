// Hooks and commands on this host, over a unix socket: the kernel says who they are.

import CLinux
import ClusterModel
import Encoding
import Glibc
import Wire

/// Where an answer goes. Called on the loop.
typealias LendingAnswer = @Sendable (ServerReply) -> Void

/// What a request leads to: the request, who asks, and where the answer goes.
typealias LendingService = (ClientRequest, String, @escaping LendingAnswer) -> Void

/// Their connections, on the loop.
final class LendingClients: @unchecked Sendable {
  /// No more at a time.
  private static let limit = 1024

  /// Used on the loop alone.
  private final class Client: @unchecked Sendable {
    let stream: FrameStream
    let name: String
    var isKnown = false

    init(_ stream: FrameStream, name: String) { (self.stream, self.name) = (stream, name) }
  }

  private let loop: EventLoop
  private let listener: Int32
  private var clients: [ObjectIdentifier: Client] = [:]
  private var service: LendingService = { _, _, _ in }
  /// The user that this process runs as.
  let ownUser: String

  init(path: String, loop: EventLoop) throws {
    self.loop = loop
    ownUser = Self.name(of: geteuid()) ?? "root"
    listener = try Sockets.listen(path: path)
    _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK)
  }

  func start(_ service: @escaping LendingService) {
    self.service = service
    loop.watch(listener, for: .read) { [unowned self] _ in accept() }
  }

  private func accept() {
    while case let descriptor = clinux_accept(listener), descriptor >= 0 {
      var (pid, uid, gid) = (pid_t(), uid_t(), gid_t())
      guard clients.count < Self.limit,
        clinux_peer_credentials(descriptor, &pid, &uid, &gid) == 0,
        let name = Self.name(of: uid)
      else {
        close(descriptor)
        continue
      }
      add(
        Client(
          FrameStream(
            loop: loop, input: descriptor, output: descriptor, sizeLimit: Frame.greetingSizeLimit),
          name: name))
    }
  }

  private func add(_ client: Client) {
    let id = ObjectIdentifier(client)
    clients[id] = client
    client.stream.start(
      onFrame: { [unowned self] in receive($0, from: client) },
      onClose: { [unowned self] _ in clients[id] = nil })
    client.stream.send(ServerGreeting(version: clientProtocolVersion, nonce: ""))
  }

  private func receive(_ frame: Frame, from client: Client) {
    guard case .message(let bytes) = frame else { return drop(client) }
    do {
      guard client.isKnown else {
        let hello = try CBORDecoder().decode(ClientHello.self, from: bytes)
        guard hello.version == clientProtocolVersion else { return drop(client) }
        client.isKnown = true
        return client.stream.raiseLimit(to: Frame.sizeLimit)
      }
      let numbered = try CBORDecoder().decode(NumberedRequest.self, from: bytes)
      service(numbered.request, client.name) { [weak client] reply in
        client?.stream.send(NumberedReply(id: numbered.id, reply: reply))
      }
    } catch {
      drop(client)
    }
  }

  private func drop(_ client: Client) {
    client.stream.close()
    clients[ObjectIdentifier(client)] = nil
  }

  private static func name(of uid: uid_t) -> String? {
    getpwuid(uid).map { String(cString: $0.pointee.pw_name) }
  }
}
