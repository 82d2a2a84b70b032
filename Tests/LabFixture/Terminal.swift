// A terminal with somebody at it: what is typed goes to a program, what the program shows is awaited.

import CLinux
import Glibc

package final class Terminal: @unchecked Sendable {
  // All calls come from one story, one after the other.
  private let pid: pid_t
  private let descriptor: Int32
  /// Everything that was shown and not yet awaited.
  private var screen: [UInt8] = []
  /// Everything that was shown.
  package private(set) var transcript = ""

  /// Starts a program at a new terminal, its controlling one.
  package init(_ words: [String], rows: Int = 24, columns: Int = 80) throws {
    var (master, slave): (Int32, Int32) = (-1, -1)
    let failure = clinux_open_terminal(
      geteuid(), UInt16(rows), UInt16(columns), &master, &slave)
    guard failure == 0 else { throw StoryError("no terminal: errno \(failure)") }
    defer { close(slave) }
    descriptor = master
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The leader of a new session gets the first terminal that it opens.
    posix_spawn_file_actions_addopen(&actions, 0, try Self.name(of: slave), O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    pid = try spawn(words, actions: &actions, newSession: true)
  }

  private static func name(of terminal: Int32) throws -> String {
    guard let path = realpath("/proc/self/fd/\(terminal)", nil) else {
      throw StoryError("the terminal has no name: errno \(errno)")
    }
    defer { free(path) }
    return String(cString: path)
  }

  package func type(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let put = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard put > 0 else { return }
      rest = rest.dropFirst(put)
    }
  }

  package func resize(rows: Int, columns: Int) {
    _ = clinux_resize_terminal(descriptor, UInt16(rows), UInt16(columns))
  }

  /// Waits until a text is shown and gives what was shown before it.
  @discardableResult
  package func await(_ text: String, within seconds: Int = 120) async throws -> String {
    try await offThread { try self.wait(for: text, Deadline(seconds: seconds)) }
  }

  private func wait(for text: String, _ late: Deadline) throws -> String {
    let wanted = Array(text.utf8)
    while true {
      if let found = screen.firstRange(of: wanted) {
        let before = String(decoding: screen[..<found.lowerBound], as: UTF8.self)
        screen.removeSubrange(..<found.upperBound)
        return before
      }
      guard try show(late) else {
        throw StoryError("the terminal was closed; it never showed \(text):\n\(transcript)")
      }
    }
  }

  /// Takes what the program shows; `false` when it has closed the terminal.
  private func show(_ late: Deadline) throws -> Bool {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&ready, 1, late.milliseconds) > 0 else {
      throw StoryError("nothing more was shown in time; so far:\n\(transcript)")
    }
    var chunk = [UInt8](repeating: 0, count: 4096)
    let got = read(descriptor, &chunk, chunk.count)
    guard got > 0 else { return false }
    screen += chunk[0..<got]
    transcript += String(decoding: chunk[0..<got], as: UTF8.self)
    return true
  }

  /// Waits until the program has ended; its exit code.
  package func end(within seconds: Int = 120) async throws -> Int32 {
    try await offThread {
      let late = Deadline(seconds: seconds)
      while try self.show(late) {}
      close(self.descriptor)
      return exitCode(waitingFor: self.pid)
    }
  }

  /// The terminal's window is closed: the program hears of it as of a line that was hung up.
  package func hangUp() async throws -> Int32 {
    close(descriptor)
    return try await offThread { exitCode(waitingFor: self.pid) }
  }
}
