// Connections on SERVER_PORT when OAR 2's programs share it with our commands: our commands speak first, a
// byte that no text has; everything else is words, one line or a few, and no answer.

import CLinux
import Glibc
import Wire

/// Bounds on connections that nobody knows yet.
enum WordLimits {
  /// Connections that have not said what they are, or whose words are being read.
  static let connections = 512
  /// Seconds that a connection has for all it says.
  static let seconds = 5.0
  /// Bytes that a connection may send.
  static let bytes = 4096
  /// Words of one connection that are heeded.
  static let words = 100
  /// Lines about words that are not understood, in a minute.
  static let remarks = 10
}

/// The connections that are not our commands', or not known to be.
final class WordConnections {
  /// One connection, until its first byte is seen or its words are read.
  private struct Connection {
    let number: Int
    var bytes: [UInt8] = []
    var isText = false
    var timer: TimerToken?
  }

  private let loop: EventLoop
  /// Takes over the connection of one of our commands, of which nothing was read.
  private let admit: (Int32) -> Void
  /// Is told each line that came.
  private let hear: (String) -> Void
  private var open: [Int32: Connection] = [:]
  private var count = 0
  /// Seconds that a connection has for all it says.
  var patience = WordLimits.seconds

  init(
    loop: EventLoop, admit: @escaping (Int32) -> Void, hear: @escaping (String) -> Void
  ) {
    self.loop = loop
    self.admit = admit
    self.hear = hear
  }

  /// Takes over a connection that was accepted.
  func add(_ descriptor: Int32) {
    // Whoever has been silent longest gives way: words come at once.
    if open.count >= WordLimits.connections,
      let oldest = open.min(by: { $0.value.number < $1.value.number })
    {
      end(oldest.key)
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    count += 1
    var connection = Connection(number: count)
    connection.timer = loop.after(patience) { [weak self] in self?.end(descriptor) }
    open[descriptor] = connection
    loop.watch(descriptor, for: .read) { [weak self] _ in self?.ready(descriptor) }
  }

  /// Ends all connections.
  func endAll() {
    for descriptor in open.keys { end(descriptor) }
  }

  private func ready(_ descriptor: Int32) {
    guard let connection = open[descriptor] else { return }
    if !connection.isText {
      var first: UInt8 = 0
      let count = recv(descriptor, &first, 1, Int32(MSG_PEEK))
      if count < 0, errno == EAGAIN || errno == EINTR { return }
      guard count > 0 else { return end(descriptor) }
      if first == ServerConnection.firstByte { return handOver(descriptor) }
      open[descriptor]?.isText = true
    }
    receive(descriptor)
  }

  private func handOver(_ descriptor: Int32) {
    forget(descriptor)
    admit(descriptor)
  }

  private func receive(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: WordLimits.bytes)
    let count = read(descriptor, &buffer, buffer.count)
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    if count > 0 { open[descriptor]?.bytes += buffer.prefix(count) }
    guard let bytes = open[descriptor]?.bytes else { return }
    if bytes.count > WordLimits.bytes {
      hear("\(bytes.count) bytes and more in one message")
      return end(descriptor)
    }
    // A sender closes after its word; one that stays has said it when the line ends.
    guard count <= 0 || bytes.last == UInt8(ascii: "\n") else { return }
    end(descriptor)
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(WordLimits.words) {
      hear(
        String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self))
    }
  }

  private func end(_ descriptor: Int32) {
    guard open[descriptor] != nil else { return }
    forget(descriptor)
    close(descriptor)
  }

  private func forget(_ descriptor: Int32) {
    if let timer = open.removeValue(forKey: descriptor)?.timer { loop.cancel(timer) }
    loop.unwatch(descriptor)
  }
}

/// Says what was not understood, a bounded number of times a minute: the port is open to anybody.
struct BoundedRemarks {
  private var minute: UInt64 = 0
  private var count = 0

  /// What to log of a line that was not understood at a moment of the monotonic clock; `nil` for nothing.
  mutating func remark(on line: String, at nanoseconds: UInt64) -> String? {
    let present = nanoseconds / 60_000_000_000
    if present != minute { (minute, count) = (present, 0) }
    count += 1
    if count > WordLimits.remarks { return nil }
    let shown = line.unicodeScalars.prefix(60).map { scalar in
      (32..<127).contains(scalar.value) ? Character(scalar) : "?"
    }
    let more = count == WordLimits.remarks ? " (more of this minute are not shown)" : ""
    return "SERVER_PORT: not understood: \"\(String(shown))\"\(more)"
  }
}
