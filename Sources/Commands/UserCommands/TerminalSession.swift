// Bytes both ways between this process and a session in a job, with flow control.

import CommandLine
import Glibc
import Wire

/// Why a session's bytes stopped before it ended.
enum SessionStop: Error {
  /// This process was asked to end.
  case signal(Int32)
  /// Nobody reads our output any more.
  case outputClosed
}

/// Carries the bytes of one channel until the session ends.
struct TerminalSession {
  let link: any ServerLink
  let channel: Int
  let context: CommandContext
  /// Whether the session has a terminal: then its bytes are plain, else their first byte says which
  /// output they are of.
  let hasTerminal: Bool
  let signals: SignalQueue
  /// The user's terminal while it is raw.
  let terminal: RawTerminal?
  /// The size that the session's terminal was opened with: a change meanwhile is told at the start.
  var knownSize: TerminalSize?
  /// Whether the session's input is open.
  var isInputOpen = true
  private var inputWindow = channelWindow
  private var consumed = 0

  init(
    link: any ServerLink, channel: Int, context: CommandContext, hasTerminal: Bool,
    signals: SignalQueue, terminal: RawTerminal?
  ) {
    self.link = link
    self.channel = channel
    self.context = context
    self.hasTerminal = hasTerminal
    self.signals = signals
    self.terminal = terminal
  }

  /// Carries bytes until the session ends; returns its raw wait status.
  ///
  /// - Throws: `ConnectionLost`, ``SessionStop``, `Refusal`
  mutating func run() throws -> Int {
    if !isInputOpen { try link.send(.endInput(channel: channel)) }
    try tellSize()
    while true {
      while link.hasEvent {
        if let status = try take(link.receive()) { return status }
      }
      let wantsInput = isInputOpen && inputWindow > 0
      let ready = waitReadable([
        link.descriptor, signals.descriptor, wantsInput ? context.input : -1,
      ])
      if ready[1] { try handleSignals() }
      if ready[2] { try passInput() }
      if ready[0], let status = try take(link.receive()) { return status }
    }
  }

  private mutating func take(_ event: ServerEvent) throws -> Int? {
    switch event {
    case .data(channel, let bytes):
      try passOutput(bytes)
    case .reply(_, .channelEnded(channel, let status)):
      return status
    case .reply(_, .grant(channel, let bytes)):
      inputWindow += bytes
    case .reply(_, .refused(let refusal)):
      throw refusal
    default:
      break
    }
    return nil
  }

  private mutating func passOutput(_ bytes: [UInt8]) throws {
    let isPassed: Bool
    if hasTerminal {
      isPassed = context.output.pass(bytes)
    } else {
      let stream = bytes.first.flatMap(OutputStream.init(rawValue:)) ?? .standardOutput
      let target = stream == .standardError ? context.errors : context.output
      isPassed = target.pass(bytes.dropFirst())
    }
    guard isPassed else { throw SessionStop.outputClosed }
    // The byte that names the output is not counted against the window.
    consumed += hasTerminal ? bytes.count : max(0, bytes.count - 1)
    if consumed >= channelWindow / 4 {
      try link.send(.grant(channel: channel, bytes: consumed))
      consumed = 0
    }
  }

  private mutating func passInput() throws {
    var chunk = [UInt8](repeating: 0, count: min(inputWindow, 1 << 16))
    let count = read(context.input, &chunk, chunk.count)
    if count > 0 {
      inputWindow -= count
      try link.send(Array(chunk[..<count]), channel: channel)
    } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
      isInputOpen = false
      try link.send(.endInput(channel: channel))
    }
  }

  private mutating func tellSize() throws {
    guard hasTerminal, let size = TerminalMode.size(of: context.input), size != knownSize else {
      return
    }
    knownSize = size
    try link.send(.resize(channel: channel, size))
  }

  private mutating func handleSignals() throws {
    while let number = signals.next() {
      switch number {
      case SIGWINCH: try tellSize()
      case SIGTSTP:
        terminal?.restore()
        raise(SIGSTOP)
        terminal?.enter()
      default:
        throw SessionStop.signal(number)
      }
    }
  }
}
