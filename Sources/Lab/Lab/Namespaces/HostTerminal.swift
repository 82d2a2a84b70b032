// A terminal of a host, relayed to the terminal (or the pipe) that we were started on: what is typed
// goes in, what is shown comes out, and the size follows.

import CLinux
import Glibc

struct HostTerminal {
  private let master: Int32
  private let peer: Int32

  /// What a terminal takes for the end of input: control-D.
  private static let endOfInput: UInt8 = 4

  /// Opens a terminal in the host whose file system is seen at `root`.
  init(below root: String) throws {
    let path = root + "/dev/pts/ptmx"
    let master = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    guard master >= 0 else { throw LabError.system("open", path) }
    try self.init(master: master)
  }

  /// Takes over a terminal that was opened in a host.
  init(master: Int32) throws {
    self.master = master
    _ = fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK)
    let error = clinux_ns_terminal_unlock(master)
    peer = error == 0 ? clinux_ns_terminal_peer(master) : -1
    guard peer >= 0 else {
      close(master)
      throw LabError.system("open", "a terminal of the host")
    }
  }

  /// Starts a process on the terminal and relays until it ends; gives its exit code.
  func run(_ start: ([Int32]) throws -> Child) throws -> Int32 {
    defer { close(master) }
    copySize()
    let child: Child
    do {
      defer { close(peer) }
      child = try start([peer, peer, peer])
    }
    let before = makeRaw()
    defer { if var before { tcsetattr(STDIN_FILENO, TCSADRAIN, &before) } }
    relay(until: child)
    return child.wait()
  }

  /// Our own terminal passes everything on as it is typed. Nil if we have none.
  private func makeRaw() -> termios? {
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
    var raw = before
    cfmakeraw(&raw)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    return before
  }

  private func copySize() {
    var size = winsize()
    if ioctl(STDIN_FILENO, UInt(TIOCGWINSZ), &size) == 0 {
      _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }
  }

  private func relay(until child: Child) {
    let signals = SignalRelay.open([SIGWINCH, SIGTERM, SIGHUP])
    defer { close(signals) }
    var typed: [UInt8] = []
    var inputIsOpen = true
    while true {
      var waits = [
        pollfd(fd: master, events: Int16(typed.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
        pollfd(fd: child.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        // Nothing more is read while the host has not taken what was typed.
        pollfd(
          fd: inputIsOpen && typed.isEmpty ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&waits, nfds_t(waits.count), -1)
      if let signal = SignalRelay.next(signals) {
        if signal == SIGWINCH { copySize() } else { Glibc.kill(child.pid, SIGHUP) }
      }
      if waits[3].revents != 0 {
        inputIsOpen = readTyped(into: &typed)
      }
      if !typed.isEmpty { send(&typed) }
      if waits[0].revents & Int16(POLLIN) != 0 { show() }
      // What the process wrote last is still in the terminal when it has ended.
      if waits[1].revents != 0 {
        while show() {}
        return
      }
    }
  }

  private func readTyped(into typed: inout [UInt8]) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let got = read(STDIN_FILENO, &chunk, chunk.count)
    typed += got > 0 ? chunk[0..<got] : [Self.endOfInput]
    return got > 0
  }

  private func send(_ typed: inout [UInt8]) {
    let put = write(master, typed, typed.count)
    if put > 0 { typed.removeFirst(put) }
  }

  /// Shows what the host wrote. False if there was nothing.
  @discardableResult
  private func show() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 16_384)
    let got = read(master, &chunk, chunk.count)
    guard got > 0 else { return false }
    return (try? Files.writeAll(Array(chunk[0..<got]), to: STDOUT_FILENO, path: "output")) != nil
  }
}
