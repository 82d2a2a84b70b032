// Words to OAR 2's own `oarsub`, which listens on a port of its own while it waits: for the answer to a
// reservation, or for the start of an interactive job. One connection for each word, no answer.

import Glibc

/// Where an `oarsub` of OAR 2 waits (`jobs.info_type`, written `host:port`).
struct WaitingClient: Hashable, Sendable {
  let host: String
  let port: Int

  /// Reads the column; `nil` if nobody waits there: OAR leaves the port out.
  init?(info: String) {
    guard let colon = info.lastIndex(of: ":"), colon > info.startIndex,
      let port = UInt16(info[info.index(after: colon)...]), port > 0
    else { return nil }
    host = String(info[..<colon])
    self.port = Int(port)
    guard host.utf8.count <= 255, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
  }
}

/// What a waiting `oarsub` understands.
enum ClientWord: Hashable, Sendable {
  /// The reservation is accepted.
  case goodReservation
  /// The reservation is refused; the reason goes before it, over a connection of its own.
  case badJob
  /// A text to show, such as the reason of a refusal or an `ERROR: …`.
  case text(String)
  /// The interactive job is being prepared.
  case starting
  /// The interactive job runs: `oarsub` opens its session.
  case goodJob
  /// When an interactive job will start: two dates as OAR writes them, and the job's message.
  case prediction(now: String, start: String, message: String)
  /// An interactive job is held.
  case heldPrediction
  /// The job was deleted before it started.
  case jobKilled

  /// The line that goes over the wire.
  var line: String {
    let text =
      switch self {
      case .goodReservation: "GOOD RESERVATION"
      case .badJob: "BAD JOB"
      case .text(let text): text
      case .starting: "Starting..."
      case .goodJob: "GOOD JOB"
      case .prediction(let now, let start, let message):
        "[\(now)] Start prediction: \(start) (\(message))"
      case .heldPrediction: "Start prediction: undefined (Hold)"
      case .jobKilled: "JOB KILLED"
      }
    // One word is one line, whatever a message says.
    let flat = text.unicodeScalars.map { $0.value < 32 ? " " : Character($0) }
    return String(flat.prefix(Self.longest)) + "\n"
  }

  /// Characters of a line at most.
  private static let longest = 1000
}

/// Words for one client, in order.
struct ClientDelivery: Sendable {
  let client: WaitingClient
  let words: [ClientWord]
}

/// Sends words to clients.
enum ClientWords {
  /// Seconds that all deliveries of one call have together.
  static let patience = 5.0
  /// Connections that are open at a time.
  private static let atOnce = 64

  /// Sends all deliveries, several at a time, and returns which of them arrived whole. Blocks until then,
  /// at most `seconds` (and as long as the resolver takes for names that it does not know).
  ///
  /// A client that can't be reached has ended: whoever waits for it decides what that means.
  static func send(_ deliveries: [ClientDelivery], within seconds: Double = patience) -> [Bool] {
    let deadline = milliseconds() + Int(max(0, seconds) * 1000)
    var addresses: [WaitingClient: SocketAddress?] = [:]
    for client in deliveries.map(\.client) where addresses[client] == nil {
      addresses[client] = .some(SocketAddress(client))
    }
    var arrived = [Bool](repeating: false, count: deliveries.count)
    var waiting = deliveries.indices.makeIterator()
    var open: [WordSender] = []
    while true {
      while open.count < atOnce, let index = waiting.next() {
        guard let address = addresses[deliveries[index].client] ?? nil else { continue }
        var sender = WordSender(index, deliveries[index].words.map(\.line), address)
        if sender.connectNext() { open.append(sender) } else { arrived[index] = sender.isDone }
      }
      let left = deadline - milliseconds()
      if open.isEmpty || left <= 0 { break }
      step(&open, left, &arrived)
    }
    for sender in open { sender.giveUp() }
    return arrived
  }

  /// Waits until one of the connections can go on, and lets all go on that can.
  private static func step(_ open: inout [WordSender], _ left: Int, _ arrived: inout [Bool]) {
    var polls = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLOUT), revents: 0) }
    guard poll(&polls, nfds_t(polls.count), Int32(clamping: left)) > 0 else { return }
    var still: [WordSender] = []
    for (place, var sender) in open.enumerated() {
      if polls[place].revents == 0 || sender.proceed() {
        still.append(sender)
      } else {
        arrived[sender.index] = sender.isDone
      }
    }
    open = still
  }

  private static func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}

/// An address that a socket connects to.
private struct SocketAddress {
  let family: Int32
  let bytes: [UInt8]

  /// The first address of the client's host; `nil` if it has none.
  init?(_ client: WaitingClient) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(client.host, String(client.port), &hints, &found) == 0, let entry = found
    else { return nil }
    defer { freeaddrinfo(entry) }
    family = entry.pointee.ai_family
    bytes = Array(
      UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen)))
  }
}

/// One delivery on its way: a connection for each line, one after the other.
private struct WordSender {
  let index: Int
  private let address: SocketAddress
  private let lines: [String]
  private var next = 0
  private(set) var descriptor: Int32 = -1

  init(_ index: Int, _ lines: [String], _ address: SocketAddress) {
    self.index = index
    self.lines = lines
    self.address = address
  }

  /// Whether every line was taken by the other side's kernel.
  var isDone: Bool { next == lines.count }

  /// Begins the connection for the next line; `false` if there is none or it can't be made.
  mutating func connectNext() -> Bool {
    guard next < lines.count else { return false }
    let kind =
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    descriptor = socket(address.family, kind, 0)
    guard descriptor >= 0 else { return false }
    let code = address.bytes.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        connect(descriptor, $0.baseAddress, socklen_t(bytes.count))
      }
    }
    if code == 0 || errno == EINPROGRESS { return true }
    close(descriptor)
    return false
  }

  /// The connection is made, or has failed: sends its line and begins the next one. `false` at the end.
  mutating func proceed() -> Bool {
    let bytes = Array(lines[next].utf8)
    // A line fits into the empty buffer of a new connection.
    let count = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    close(descriptor)
    guard count == bytes.count else { return false }
    next += 1
    return connectNext()
  }

  func giveUp() { close(descriptor) }
}
