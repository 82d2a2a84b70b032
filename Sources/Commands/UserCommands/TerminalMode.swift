// The user's terminal: its size, and raw mode that is always undone.

import CommandLine
import Glibc
import Wire

/// What a terminal is like.
enum TerminalMode {
  /// The size of the terminal behind a descriptor; `nil` if it is none.
  static func size(of descriptor: Int32) -> TerminalSize? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
      return nil
    }
    return TerminalSize(rows: Int(size.ws_row), columns: Int(size.ws_col))
  }

  /// What a terminal on a host needs to know of the one here; a common size without one.
  static func specification(in context: CommandContext) -> TerminalSpecification {
    TerminalSpecification(
      type: context.variable("TERM") ?? "dumb",
      size: size(of: context.input) ?? TerminalSize(rows: 24, columns: 80))
  }
}

/// Signals whose default action would leave the terminal raw.
private let fatalSignals = [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP]

/// The terminal to restore if this process crashes; read by a signal handler, hence plain memory.
/// Written only by ``RawTerminal``, of which a process has one at a time.
private nonisolated(unsafe) var crashDescriptor: Int32 = -1
private nonisolated(unsafe) var crashMode = termios()

/// A terminal in raw mode: every key goes to the job. It is restored by ``restore()``, when the
/// object goes, and when the process crashes.
final class RawTerminal {
  private let descriptor: Int32
  private var original = termios()
  private var isRaw = false

  /// Makes the terminal behind a descriptor raw; `nil` if there is none.
  init?(_ descriptor: Int32) {
    self.descriptor = descriptor
    guard tcgetattr(descriptor, &original) == 0 else { return nil }
    crashMode = original
    crashDescriptor = descriptor
    for number in fatalSignals { signal(number, restoreAndDie) }
    enter()
  }

  deinit { restore() }

  /// Makes it raw again after ``restore()``.
  func enter() {
    var raw = original
    cfmakeraw(&raw)
    isRaw = tcsetattr(descriptor, TCSADRAIN, &raw) == 0
  }

  /// Puts it back as it was.
  func restore() {
    guard isRaw else { return }
    isRaw = false
    tcsetattr(descriptor, TCSADRAIN, &original)
  }
}

private func restoreAndDie(_ number: Int32) {
  if crashDescriptor >= 0 { tcsetattr(crashDescriptor, TCSANOW, &crashMode) }
  signal(number, SIG_DFL)
  raise(number)
}
