// Running a command in a host for somebody: with our own standard files, on a terminal of the host,
// or with its output collected.

import CLinux
import Glibc

/// A command to be run in a host.
public struct HostCommand: Equatable, Codable, Sendable {
  /// Empty: the user's shell.
  public var arguments: [String]
  public var user: String
  /// Start the user's shell as a login does, when there are no arguments.
  public var login: Bool

  public init(_ arguments: [String], user: String = "root", login: Bool = false) {
    self.arguments = arguments
    self.user = user
    self.login = login
  }
}

extension Lab {
  /// The backend of a lab in which a host is alive.
  func backend(reaching host: String, in state: LabState) throws -> any Backend {
    guard let found = state.host(host) else { throw unknown(host, in: state) }
    let backend = try state.settings.backend.backend(for: self)
    guard backend.isAlive(found, in: state) else {
      throw LabError("it is down; `liburna lab start --keep` brings it back", host: host)
    }
    // What enters a host that stands still stands still as well, for as long.
    guard !found.isPaused else {
      throw LabError("it is paused; `liburna lab resume \(host)` lets it go on", host: host)
    }
    return backend
  }

  /// The exit codes that shells use for a command that can't be run, and for one that isn't there.
  static let cannotRun: Int32 = 126
  static let notFound: Int32 = 127

  /// Runs a command with our standard input, output and error, and gives its exit code, 128 + n for
  /// a death by signal n. With `terminal`, it gets a terminal of the host, relayed to ours.
  ///
  /// - Parameter watched: a descriptor; the command is hung up when its other end is closed.
  public func exec(
    _ command: HostCommand, on host: String, terminal: Bool, watching watched: Int32? = nil
  ) throws -> Int32 {
    let state = try existing()
    let backend = try backend(reaching: host, in: state)
    do {
      guard terminal else {
        let child = try backend.start(command, on: host, in: state, descriptors: [0, 1, 2])
        return SignalRelay.wait(for: child, watching: watched)
      }
      return try backend.runOnTerminal(command, on: host, in: state)
    } catch let error as StartError {
      // Other than ssh, we hand words over as they are.
      let isLine = command.arguments.first?.contains(" ") ?? false
      let hint = isLine ? "; a line for a shell is given as: sh -c 'LINE'" : ""
      StandardError.say("liburna lab: \(host): \(error)\(hint)")
      return error.code == ENOENT ? Self.notFound : Self.cannotRun
    }
  }

  /// Runs a command without input and gives its exit code and all that it wrote to standard output
  /// and error, at most 16 MiB.
  public func output(
    of command: HostCommand, on host: String
  ) throws -> (code: Int32, text: String) {
    let state = try existing()
    let backend = try backend(reaching: host, in: state)
    return try Child.output(limit: 16 << 20) { descriptors in
      try backend.start(command, on: host, in: state, descriptors: descriptors)
    }
  }
}

/// Waits for a command while passing on the signals that are meant for it.
enum SignalRelay {
  /// Those that the terminal sends to the command as well, as it is in our process group.
  private static let shared = [SIGINT, SIGQUIT]
  private static let passedOn = [SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]

  static func wait(for child: Child, watching watched: Int32? = nil) -> Int32 {
    let signals = open(shared + passedOn)
    defer { close(signals) }
    var watched = watched ?? -1
    while true {
      var waits = [
        pollfd(fd: child.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        pollfd(fd: watched, events: 0, revents: 0),
      ]
      _ = poll(&waits, nfds_t(waits.count), -1)
      if waits[0].revents != 0 { return child.wait() }
      if waits[2].revents != 0 {
        Glibc.kill(child.pid, SIGHUP)
        watched = -1
      }
      if let signal = next(signals), passedOn.contains(signal) { Glibc.kill(child.pid, signal) }
    }
  }

  /// A descriptor from which the given signals are read instead of acting on us.
  static func open(_ signals: [Int32]) -> Int32 {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    return signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
  }

  static func next(_ descriptor: Int32) -> Int32? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard read(descriptor, &information, size) == size else { return nil }
    return Int32(bitPattern: information.ssi_signo)
  }
}
