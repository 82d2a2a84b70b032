// A session: a process beside the job's own, in the job's cgroup, held by the agent for one connection.

import CLinux
import Glibc
import Wire

final class Session: Channel {
  private let number: Int
  private let loop: EventLoop
  private unowned let owner: any ChannelOwner
  private let pid: pid_t
  private let pidfd: Int32
  private let report: Int32
  private let launch: Launch
  private var terminal: TerminalOutput?
  private var input: Port?
  private var outputs: [Port] = []
  private var openOutputs = 0
  private var window = OutputWindow()
  private var consumption = Consumption()
  private var status: Int?
  private var problem: LaunchProblem?
  private var onOpened: (() -> Void)?
  private var isAbandoned = false

  /// Starts `launch` on a terminal of the given size, or on pipes. `onOpened` is called when its program runs.
  init(
    number: Int, launch: Launch, size: TerminalSize?, loop: EventLoop, owner: any ChannelOwner,
    onOpened: @escaping () -> Void
  ) throws(SystemError) {
    var launch = launch
    let streams = try Streams(launch: &launch, size: size)
    defer { streams.closeChildsEnds() }
    do {
      (pid, report) = try launch.start()
    } catch {
      streams.closeOwnEnds()
      throw error
    }
    launch.group = nil
    self.launch = launch
    self.number = number
    self.loop = loop
    self.owner = owner
    self.onOpened = onOpened
    pidfd = clinux_pidfd_open(pid)
    connect(streams)
    loop.watch(report, for: .read) { _ in self.readReport() }
  }

  private func connect(_ streams: Streams) {
    if streams.master >= 0 {
      terminal = TerminalOutput(
        loop: loop, master: streams.master,
        onBytes: { [unowned self] in owner.channel(number, sent: $0) },
        onRead: { [unowned self] in outputEnded() })
      terminal?.onWritten = { [unowned self] in written($0) }
      openOutputs = 1
      return
    }
    input = Port(loop: loop, descriptor: streams.input, reads: false)
    input?.onWritten = { [unowned self] in written($0) }
    outputs = [read(streams.output, .standardOutput), read(streams.error, .standardError)]
    openOutputs = 2
  }

  private func read(_ end: Int32, _ stream: OutputStream) -> Port {
    Port(
      loop: loop, descriptor: end, reads: true,
      onBytes: { [unowned self] in pass(window.add($0, of: stream)) },
      onEnd: { [unowned self] in outputEnded() })
  }

  private func pass(_ pieces: [OutputWindow.Piece]) {
    for piece in pieces { owner.channel(number, sent: piece.data) }
    for port in outputs { port.setPaused(window.isBlocked) }
    finishIfOver()
  }

  private func written(_ count: Int) {
    if let grant = consumption.add(count), !isAbandoned { owner.channel(number, consumed: grant) }
  }

  private func readReport() {
    let bytes = try? Descriptors.read(
      report, upTo: MemoryLayout<clinux_launch_report>.size, named: "the report")
    loop.unwatch(report)
    close(report)
    if let failure = LaunchReport(bytes ?? []) {
      problem = LaunchProblem(failure, of: launch)
    } else if !isAbandoned {
      onOpened?()
    }
    onOpened = nil
    loop.watch(pidfd, for: .read) { _ in self.exited() }
  }

  private func exited() {
    var raw: Int32 = 0
    guard waitpid(pid, &raw, WNOHANG) == pid else { return }
    loop.unwatch(pidfd)
    close(pidfd)
    status = Int(raw)
    terminal?.programEnded()
    finishIfOver()
  }

  private func outputEnded() {
    openOutputs -= 1
    finishIfOver()
  }

  private func finishIfOver() {
    guard let status, openOutputs == 0, !window.isBlocked, !isAbandoned else { return }
    closePorts()
    isAbandoned = true
    if let problem {
      owner.channel(number, failed: problem.text)
    } else {
      owner.channel(number, endedWith: status)
    }
  }

  private func closePorts() {
    terminal?.close()
    input?.close()
    for port in outputs { port.close() }
  }

  // MARK: Channel

  func input(_ bytes: [UInt8]) {
    let isTaken = terminal?.write(bytes) ?? input?.write(bytes) ?? true
    guard !isTaken, !isAbandoned else { return }
    abandon()
    owner.channel(number, failed: "more input than was granted: session ended")
  }

  func endInput() {
    if let terminal {
      _ = terminal.write([endOfTransmission])
    } else {
      input?.closeWhenWritten()
    }
  }

  func resize(_ size: TerminalSize) {
    guard let terminal else { return }
    _ = clinux_resize_terminal(
      terminal.descriptor, UInt16(clamping: size.rows), UInt16(clamping: size.columns))
  }

  func abandon() {
    guard !isAbandoned else { return }
    isAbandoned = true
    if status == nil { kill(-pid, SIGHUP) }
    closePorts()
  }

  func grant(_ bytes: Int) {
    if let terminal { terminal.grant(bytes) } else { pass(window.grant(bytes)) }
  }
}

/// The descriptors of a session, ours and the child's.
private struct Streams {
  var master: Int32 = -1
  var input: Int32 = -1
  var output: Int32 = -1
  var error: Int32 = -1
  private var childs: [Int32] = []

  /// Opens a terminal of a size, or pipes, and puts the child's ends into `launch`.
  init(launch: inout Launch, size: TerminalSize?) throws(SystemError) {
    if let size {
      var slave: Int32 = -1
      let code = clinux_open_terminal(
        launch.account?.uid ?? 0, UInt16(clamping: size.rows), UInt16(clamping: size.columns),
        &master, &slave)
      guard code == 0 else { throw SystemError("cannot open a terminal", code: code) }
      childs = [slave]
      launch.terminal = slave
      return
    }
    do {
      (launch.input, input) = try pipe()
      (output, launch.output) = try pipe()
      (error, launch.error) = try pipe()
    } catch let problem {
      closeOwnEnds()
      closeChildsEnds()
      throw problem
    }
  }

  /// A pipe's reading and writing end; the child's two are noted by position below.
  private mutating func pipe() throws(SystemError) -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    let code = clinux_pipe(&ends, 0)
    guard code == 0 else { throw SystemError("cannot make a pipe", code: code) }
    // The first pipe is input, whose reading end is the child's; of the others it is the writing end.
    childs.append(childs.isEmpty ? ends[0] : ends[1])
    return (ends[0], ends[1])
  }

  func closeOwnEnds() {
    for end in [master, input, output, error] where end >= 0 { close(end) }
  }

  func closeChildsEnds() {
    for end in childs { close(end) }
  }
}
