// What the first process of a host does once the host is up: it takes requests, reaps what ends and
// keeps services alive. One thread; whoever may reach the line is root and is trusted.

import CLinux
import Compositions
import Glibc

struct GuestServer {
  let plan: HostPlan
  private(set) var services: RunningServices?
  private var line: OpenHostLine
  /// Connections of the socket whose requests are still to come.
  private var connections: Set<Int32> = []
  /// The connections that follow a command.
  private var commands: [pid_t: Int32] = [:]
  private var hungUp = false

  /// How long a request may take to arrive once it has begun, in seconds.
  private static let patience = 5
  /// How often a device is looked at whose other end is closed, in milliseconds.
  private static let pause: Int32 = 250

  init(plan: HostPlan, services: RunningServices?, line: OpenHostLine) {
    (self.plan, self.services, self.line) = (plan, services, line)
  }

  mutating func serveForever() -> Never {
    let ends = SignalRelay.open([SIGCHLD])
    // What ended before gives no signal any more.
    reap()
    while true {
      var waits = [ends, line.listener, hungUp ? -1 : line.input].map(Self.wait)
      waits += (Array(connections) + commands.values).map(Self.wait)
      let count = poll(&waits, nfds_t(waits.count), hungUp ? Self.pause : -1)
      hungUp = false
      guard count > 0 else { continue }
      if waits[0].revents != 0 {
        while SignalRelay.next(ends) != nil {}
        reap()
      }
      if waits[1].revents != 0 {
        let connection = line.accept()
        if connection >= 0 { connections.insert(connection) }
      }
      if waits[2].revents != 0 { hearLine() }
      for wait in waits.dropFirst(3) where wait.revents != 0 { hear(wait.fd) }
    }
  }

  private static func wait(_ descriptor: Int32) -> pollfd {
    pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  }

  // MARK: - What ends

  private mutating func reap() {
    let channel = BootChannel(input: line.input, output: line.output)
    var ended: [(pid_t, Int32)] = []
    if services != nil {
      services?.reap(reporting: { if line.output >= 0 { channel.send($0) } }) {
        ended.append(($0, $1))
      }
    } else {
      var status: Int32 = 0
      while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
        ended.append((pid, exitCode(ofStatus: status)))
      }
    }
    for (pid, code) in ended {
      guard let connection = commands.removeValue(forKey: pid) else { continue }
      answer(.exited(code), to: connection)
      close(connection)
    }
  }

  // MARK: - What is asked

  /// The stream that the host was made over.
  private mutating func hearLine() {
    if serve(line.input, line.output) { return }
    hungUp = line.returns
    guard !line.returns else { return }
    close(line.input)
    if line.output != line.input { close(line.output) }
    (line.input, line.output) = (-1, -1)
  }

  private mutating func hear(_ descriptor: Int32) {
    if let command = commands.first(where: { $0.value == descriptor })?.key {
      pass(signalFrom: descriptor, to: command)
    } else if connections.contains(descriptor), !serve(descriptor, descriptor) {
      connections.remove(descriptor)
      close(descriptor)
    }
  }

  /// Takes one request. False when there will be no more.
  private mutating func serve(_ input: Int32, _ output: Int32) -> Bool {
    do {
      let deadline = Deadline(seconds: Self.patience)
      guard
        let request = try ByteStream.receive(HostRequest.self, from: input, before: deadline)
      else { return false }
      try perform(request, input, output, deadline)
      return true
    } catch {
      answer(.refused(0, "\(error)"), to: output)
      return false
    }
  }

  private mutating func perform(
    _ request: HostRequest, _ input: Int32, _ output: Int32, _ deadline: Deadline
  ) throws {
    switch request {
    case .boot: answer(.refused(0, "this host is \(plan.name) already"), to: output)
    case .probe(let all): answer(.answers(all.map(isReady)), to: output)
    case .hosts(let text):
      try Files.write(text, to: GuestPaths.hosts)
      answer(.done, to: output)
    case .terminal: try openTerminal(output)
    case .run(let command, let terminal):
      let descriptors = try GuestDescriptors.receive(3, from: input)
      defer { for descriptor in descriptors { close(descriptor) } }
      do {
        let child = try start(command, terminal, descriptors)
        close(child.descriptor)
        connections.remove(input)
        commands[child.pid] = input
        answer(.done, to: output)
      } catch let error as StartError {
        answer(.refused(error.code, error.message), to: output)
      }
    }
  }

  private func answer(_ answer: HostAnswer, to descriptor: Int32) {
    try? ByteStream.write(answer.line + "\n", to: descriptor)
  }

  private func isReady(_ readiness: Readiness) -> Bool {
    switch readiness {
    case .none: true
    case .file(let path): Files.exists(path)
    case .socket(let path): Probe.accepts(socket: path)
    case .port(let port): Probe.accepts(port, at: plan.address.bytes)
    }
  }

  // MARK: - Commands

  private func start(
    _ command: HostCommand, _ terminal: HostTerminalUse, _ descriptors: [Int32]
  ) throws -> Child {
    let accounts = try Accounts(root: "")
    guard let account = accounts[command.user] else {
      throw LabError("there is no user \(command.user)")
    }
    var launch = command.launch(
      as: account, groups: accounts.groups(of: account), environment: plan.environment,
      terminalKind: terminal.kind, below: "")
    launch.descriptors = descriptors
    launch.newSession = true
    launch.controllingTerminal = terminal.controls
    return try launch.start()
  }

  /// A byte is a signal; the end of the line means that nobody waits for the command any more.
  private func pass(signalFrom descriptor: Int32, to command: pid_t) {
    var number: UInt8 = 0
    guard read(descriptor, &number, 1) == 1 else {
      kill(command, SIGKILL)
      // Its end is still to be reaped; until then this would be heard again and again.
      shutdown(descriptor, Int32(SHUT_RDWR))
      usleep(1000)
      return
    }
    // What a terminal sends goes to all processes of a command.
    let isKeyboard = [SIGINT, SIGQUIT].contains(Int32(number))
    kill(isKeyboard ? -command : command, Int32(number))
  }

  private func openTerminal(_ output: Int32) throws {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard master >= 0 else { throw LabError.system("open", "/dev/ptmx") }
    defer { close(master) }
    let text = Array((HostAnswer.done.line + "\n").utf8)
    guard clinux_send_descriptor(output, master, text, text.count) == text.count else {
      throw LabError.system("hand over", "a terminal")
    }
  }
}

/// Descriptors that come over a socket, each with one byte.
enum GuestDescriptors {
  static func receive(_ count: Int, from socket: Int32) throws -> [Int32] {
    var received: [Int32] = []
    for _ in 0..<count {
      var byte: UInt8 = 0
      var descriptor: Int32 = -1
      guard clinux_receive_descriptor(socket, &descriptor, &byte, 1) == 1, descriptor >= 0 else {
        for descriptor in received { close(descriptor) }
        throw LabError("a command came without its standard files")
      }
      received.append(descriptor)
    }
    return received
  }
}
