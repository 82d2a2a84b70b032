// Commands that are connected: who they are, what they ask, what they are answered.

import CLinux
import ClusterModel
import Credentials
import Encoding
import Glibc
import Wire

/// Bounds on what clients may hold.
enum ClientLimits {
  static let connections = 4096
  /// Seconds within which a client must say who it is.
  static let helloSeconds = 10.0
  /// Seconds without new clients when the server has no descriptor left for them.
  static let acceptPause = 0.5
  /// Requests of one client that wait for the store; more are read when these are answered.
  static let openRequests = 1024
  /// Bytes of answers that a client has not read; its requests are read when it has.
  static let unreadBytes = 4 << 20
  /// A client that follows jobs and lets so many bytes pile up is cut off.
  static let unreadNotices = 16 << 20
  static let followingsPerClient = 64
  static let channelsPerClient = 64
  /// Bytes beyond the granted ones that a client may send on a channel before it is cut off.
  static let channelExcess = 4 << 20
  /// Submissions that are planned at a time without being made.
  static let dryRuns = 16
  /// Records in one frame of an answer.
  static let recordsPerFrame = 500
  /// Jobs that one query of the store returns at most.
  static let storedJobs = 200_000
}

/// One connected command.
final class ClientConnection {
  let id: Int
  let stream: FrameStream
  /// Known from the unix socket at once, over TCP from the hello.
  var peer: UInt32?
  let nonce: String
  /// Set once the hello was accepted.
  var asker: Asker?
  var helloTimer: TimerToken?

  init(id: Int, stream: FrameStream, peer: UInt32?, nonce: String) {
    self.id = id
    self.stream = stream
    self.peer = peer
    self.nonce = nonce
  }

  func reply(_ request: Int, _ reply: ServerReply) {
    stream.send(NumberedReply(id: request, reply: reply))
  }

  // MARK: Flow

  /// Requests whose answers wait for the store.
  private var openRequests = 0

  /// A request will be answered later, by ``settle(_:_:)``.
  func postpone() { openRequests += 1 }

  /// The last answer to a postponed request.
  func settle(_ request: Int, _ reply: ServerReply) {
    openRequests -= 1
    self.reply(request, reply)
    regulate()
  }

  /// A postponed request is taken up again, and will be postponed or answered anew.
  func finishPostponed() { openRequests -= 1 }

  /// Reads on only from a client that has few open requests and takes its answers.
  func regulate() {
    let isBusy = openRequests >= ClientLimits.openRequests
    if isBusy || stream.backlog > ClientLimits.unreadBytes {
      stream.pause()
    } else {
      stream.resume()
    }
  }
}

extension Controller {
  // MARK: Connections

  func accept(from listener: Int32, isLocal: Bool) {
    while true {
      let descriptor = clinux_accept(listener)
      guard descriptor >= 0 else {
        if errno == EMFILE || errno == ENFILE { pauseAccepting(listener) }
        return
      }
      guard clients.count < ClientLimits.connections else {
        close(descriptor)
        continue
      }
      if !isLocal {
        Sockets.noDelay(descriptor)
        Sockets.noticeDeath(descriptor)
        if let words = withOAR2?.connections {
          words.add(descriptor)
          continue
        }
      }
      admit(descriptor, isLocal: isLocal)
    }
  }

  /// Without a descriptor for it, a client that waits would wake the loop again and again.
  private func pauseAccepting(_ listener: Int32) {
    log.say("no descriptors are left for more commands: they wait (raise the limit of open files)")
    loop.rewatch(listener, for: [])
    loop.after(ClientLimits.acceptPause) { self.loop.rewatch(listener, for: .read) }
  }

  func admit(_ descriptor: Int32, isLocal: Bool) {
    var peer: UInt32?
    if isLocal {
      var (pid, uid, gid) = (pid_t(), uid_t(), gid_t())
      guard clinux_peer_credentials(descriptor, &pid, &uid, &gid) == 0 else {
        close(descriptor)
        return
      }
      peer = uid
    }
    let id = nextClient
    nextClient += 1
    let stream = FrameStream(
      loop: loop, input: descriptor, output: descriptor, sizeLimit: Frame.greetingSizeLimit)
    var random = SystemRandomNumberGenerator()
    let nonce = String(random.next(), radix: 16) + String(random.next(), radix: 16)
    let client = ClientConnection(id: id, stream: stream, peer: peer, nonce: nonce)
    clients[id] = client
    stream.start(
      onFrame: { self.receive($0, from: client) },
      onClose: { _ in self.drop(client) })
    stream.onDrained = { [weak client] in client?.regulate() }
    stream.send(ServerGreeting(version: clientProtocolVersion, nonce: nonce))
    client.helloTimer = loop.after(ClientLimits.helloSeconds) { self.hangUp(client) }
  }

  private func hangUp(_ client: ClientConnection) {
    if client.asker == nil { cutOff(client) }
  }

  /// Closes the connection to a client at once.
  func cutOff(_ client: ClientConnection) {
    client.stream.close()
    drop(client)
  }

  private func drop(_ client: ClientConnection) {
    if let timer = client.helloTimer { loop.cancel(timer) }
    clients[client.id] = nil
    followers.removeAll { $0.client == client.id }
    state.hasFollowers = !followers.isEmpty
    dropChannels(of: client.id)
    scheduleWork()
  }

  // MARK: Messages

  private func receive(_ frame: Frame, from client: ClientConnection) {
    do {
      switch frame {
      case .channel(let channel, let bytes):
        guard client.asker != nil else {
          // What a command over TCP opens with.
          if channel == 0, bytes.isEmpty { return }
          throw Refusal(.protocolError, "bytes before the hello")
        }
        try relayInput(channel, bytes, from: client.id)
      case .message(let bytes) where client.asker == nil:
        try greet(client, try CBORDecoder().decode(ClientHello.self, from: bytes))
      case .message(let bytes):
        let numbered = try CBORDecoder().decode(NumberedRequest.self, from: bytes)
        answer(numbered.request, numbered.id, client)
      }
    } catch {
      turnAway(client, error)
    }
  }

  /// Says why and hangs up; what comes after it is not read.
  private func turnAway(_ client: ClientConnection, _ error: any Error) {
    let refusal =
      (error as? Refusal) ?? Refusal(.protocolError, "the message can't be understood: \(error)")
    client.reply(0, .refused(refusal))
    client.stream.closeAfterFlush()
    drop(client)
  }

  private func greet(_ client: ClientConnection, _ hello: ClientHello) throws {
    guard hello.version == clientProtocolVersion else {
      throw Refusal(
        .protocolError,
        "the command speaks version \(hello.version) of the protocol, the server "
          + "\(clientProtocolVersion): install the same release of Liburna on both")
    }
    if let uid = client.peer { return try know(client, uid: uid) }
    guard let credential = hello.credential else {
      throw Refusal(.notOwner, "no MUNGE credential: the server can't tell who you are")
    }
    client.stream.pause()
    let nonce = client.nonce
    Task {
      do {
        let uid = try await identify(credential, nonce: nonce)
        guard clients[client.id] != nil else { return }
        try know(client, uid: uid)
        client.stream.resume()
      } catch {
        if clients[client.id] != nil { turnAway(client, error) }
      }
    }
  }

  private func know(_ client: ClientConnection, uid: UInt32) throws(Refusal) {
    guard let name = userNames.name(of: uid) else {
      throw Refusal(.notOwner, "the uid \(uid) is no user of the server's host")
    }
    client.asker = Asker(uid: uid, name: name)
    client.stream.raiseLimit(to: Frame.sizeLimit)
    if let timer = client.helloTimer { loop.cancel(timer) }
  }
}

/// Who sealed the nonce. Not on the server's thread: a MUNGE daemon that is slow or gone stops nobody else.
private func identify(_ credential: String, nonce: String) async throws -> UInt32 {
  do {
    let (text, uid) = try Munge.open(credential)
    guard text == nonce else {
      throw Refusal(.notOwner, "the MUNGE credential was made for another connection")
    }
    return uid
  } catch let failure as Munge.Failure {
    throw Refusal(.notOwner, failure.description)
  }
}
