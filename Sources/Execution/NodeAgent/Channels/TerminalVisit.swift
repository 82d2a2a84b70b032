// A visit to the terminal of an interactive attempt, whose shepherd lends its descriptor.

import CLinux
import Glibc
import Wire

final class TerminalVisit: Channel {
  let attempt: AttemptID
  private let number: Int
  private let loop: EventLoop
  private unowned let owner: any ChannelOwner
  private let socket: Int32
  private let size: TerminalSize
  private var greeting: [UInt8] = []
  private var terminal: TerminalOutput?
  private var master: Int32 = -1
  private var status: Int?
  private var isOver = false
  private var granted = 0
  private var consumption = Consumption()
  private var early: [UInt8] = []
  private var onOpened: (() -> Void)?

  /// Calls the shepherd; `onOpened` is called when the terminal is there.
  init(
    number: Int, attempt: AttemptID, spool: Spool, size: TerminalSize, loop: EventLoop,
    owner: any ChannelOwner, onOpened: @escaping () -> Void
  ) throws(SystemError) {
    self.number = number
    self.attempt = attempt
    self.size = size
    self.loop = loop
    self.owner = owner
    self.onOpened = onOpened
    let directory = open(spool.directory(attempt), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw SystemError("cannot open \(spool.directory(attempt))") }
    defer { Glibc.close(directory) }
    // By a short name: a path to a socket is limited to 107 bytes.
    socket = clinux_unix_connect("/proc/self/fd/\(directory)/terminal")
    guard socket >= 0 else { throw SystemError("cannot join the terminal of job \(attempt.job)") }
    loop.watch(socket, for: .read) { _ in self.receive() }
  }

  private func receive() {
    var descriptor: Int32 = -1
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Port.chunkSize) { buffer, filled in
      count = clinux_receive_descriptor(socket, &descriptor, buffer.baseAddress, buffer.count)
      filled = max(0, count)
    }
    if descriptor >= 0 { master = descriptor }
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    // The shepherd hung up: its attempt is over, which the agent hears by itself.
    guard count > 0 else { return loop.unwatch(socket) }
    guard terminal == nil else { return }
    greeting += bytes
    guard let length = TerminalGreeting.length(greeting), greeting.count >= length + 4 else {
      return
    }
    join(tail: Array(greeting.dropFirst(4)))
    greeting = []
  }

  private func join(tail: [UInt8]) {
    guard master >= 0 else { return fail("the shepherd of job \(attempt.job) sent no terminal") }
    let terminal = TerminalOutput(
      loop: loop, master: master,
      onBytes: { [unowned self] in owner.channel(number, sent: $0) },
      onRead: { [unowned self] in finish() })
    self.terminal = terminal
    terminal.onWritten = { [unowned self] in written($0) }
    onOpened?()
    onOpened = nil
    if !tail.isEmpty { terminal.give(tail) }
    resize(size)
    if !early.isEmpty { input(early) }
    early = []
    terminal.grant(granted)
    if status != nil { terminal.programEnded() }
  }

  /// The attempt is over, with a raw wait status.
  func attemptEnded(_ status: Int) {
    self.status = status
    if let terminal {
      terminal.programEnded()
    } else {
      fail("job \(attempt.job) has ended")
    }
  }

  private func finish() {
    guard !isOver else { return }
    close()
    owner.channel(number, endedWith: status ?? 0)
  }

  private func fail(_ text: String) {
    guard !isOver else { return }
    close()
    owner.channel(number, failed: text)
  }

  private func close() {
    isOver = true
    loop.unwatch(socket)
    Glibc.close(socket)
    if let terminal { terminal.close() } else if master >= 0 { Glibc.close(master) }
  }

  // MARK: Channel

  func input(_ bytes: [UInt8]) {
    guard let terminal else {
      if early.count + bytes.count <= channelWindow { early += bytes }
      return
    }
    guard !terminal.write(bytes) else { return }
    fail("more input than was granted: disconnected")
  }

  private func written(_ count: Int) {
    if let grant = consumption.add(count), !isOver { owner.channel(number, consumed: grant) }
  }

  func endInput() { input([endOfTransmission]) }

  func resize(_ size: TerminalSize) {
    guard let terminal else { return }
    _ = clinux_resize_terminal(
      terminal.descriptor, UInt16(clamping: size.rows), UInt16(clamping: size.columns))
  }

  /// The terminal goes on without its visitor.
  func abandon() {
    guard !isOver else { return }
    close()
  }

  func grant(_ bytes: Int) {
    if let terminal { terminal.grant(bytes) } else { granted += bytes }
  }
}
