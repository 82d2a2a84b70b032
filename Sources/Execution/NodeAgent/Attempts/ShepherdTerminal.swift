// The terminal of an interactive attempt, in the shepherd: it stays while people come and go.
//
// Whoever joins gets the terminal's own descriptor and what was last said; the shepherd then keeps away
// from it until the connection is gone.

import CLinux
import Glibc
import Wire

final class ShepherdTerminal {
  /// So many bytes are kept of what nobody has read; the terminal itself never waits for a reader.
  static let tailLimit = 64 << 10

  /// The side of the shell; open until it is started.
  private(set) var userSide: Int32 = -1
  private let master: Int32
  private let loop: EventLoop
  private var visitor: Int32 = -1
  private var tail: [UInt8] = []

  init(loop: EventLoop, socket: String, owner: uid_t, size: TerminalSize?) throws(SystemError) {
    var master: Int32 = -1
    let size = size ?? TerminalSize(rows: 24, columns: 80)
    let code = clinux_open_terminal(
      owner, UInt16(clamping: size.rows), UInt16(clamping: size.columns), &master, &userSide)
    guard code == 0 else { throw SystemError("cannot open a terminal", code: code) }
    self.loop = loop
    self.master = master
    let slash = socket.lastIndex(of: "/") ?? socket.startIndex
    // By its short name: a path to a socket is limited to 107 bytes.
    guard chdir(String(socket[..<slash])) == 0 else {
      throw SystemError("cannot enter the attempt")
    }
    let listener = clinux_unix_listen(String(socket[socket.index(after: slash)...]))
    guard listener >= 0, chdir("/") == 0 else { throw SystemError("cannot listen on \(socket)") }
    loop.watch(listener, for: .read) { [unowned self] _ in accept(listener) }
    keepTail()
  }

  func closeUserSide() {
    close(userSide)
    userSide = -1
  }

  private func keepTail() {
    loop.watch(master, for: .read) { [unowned self] _ in
      guard let bytes = try? Descriptors.read(master, upTo: 16 << 10, named: "the terminal") else {
        if errno != EAGAIN { loop.unwatch(master) }
        return
      }
      tail += bytes
      if tail.count > Self.tailLimit { tail.removeFirst(tail.count - Self.tailLimit) }
    }
  }

  private func accept(_ listener: Int32) {
    let socket = clinux_accept(listener)
    guard socket >= 0 else { return }
    dismiss()
    loop.unwatch(master)
    visitor = socket
    let greeting = TerminalGreeting(tail: tail).bytes
    guard clinux_send_descriptor(socket, master, greeting, greeting.count) == greeting.count else {
      return leave()
    }
    tail = []
    loop.watch(socket, for: .read) { [unowned self] _ in leave() }
  }

  private func dismiss() {
    guard visitor >= 0 else { return }
    loop.unwatch(visitor)
    close(visitor)
    visitor = -1
  }

  /// The visitor is gone: the terminal must be read again, or its programs would stop.
  private func leave() {
    dismiss()
    keepTail()
  }
}

/// What comes with the terminal's descriptor: the length of the tail (4 bytes, big-endian) and the tail.
struct TerminalGreeting {
  var tail: [UInt8]

  var bytes: [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: tail.count >> $0) } + tail
  }

  /// The length that a greeting says, once its first bytes are there.
  static func length(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
  }
}
