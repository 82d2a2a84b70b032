// A program that a story runs: its input is given, its output collected, its end awaited, all on a
// thread of its own, so that tests of other suites go on meanwhile.

import CLinux
import Dispatch
import Glibc

/// What a program wrote and how it ended.
package struct CommandResult: Sendable, CustomStringConvertible {
  package var stdout: String
  package var stderr: String
  /// The exit code, 128 + n after a death by signal n.
  package var exitCode: Int32

  package var lines: [String] { stdout.split(separator: "\n").map(String.init) }
  /// The output without blanks and newlines around it.
  package var word: String { String(stdout.trimmingBlanks) }
  package var description: String { "exit code \(exitCode)\n\(stdout)\n--- stderr\n\(stderr)" }
}

extension String {
  /// Without blanks and newlines at both ends.
  package var trimmingBlanks: Substring {
    let front = drop { $0.isWhitespace }
    return front[
      ..<(front.lastIndex { !$0.isWhitespace }.map { front.index(after: $0) } ?? front.startIndex)]
  }
}

/// A story that can't go on.
package struct StoryError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// Runs `work` away from the threads that tests share.
package func offThread<Value: Sendable>(
  _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "story").async { continuation.resume(with: Result(catching: work)) }
  }
}

package struct Subprocess: Sendable {
  package let pid: pid_t
  private let input: Int32
  private let output: Int32
  private let errors: Int32

  /// Starts a program with pipes for its standard files.
  package init(_ words: [String]) throws {
    var (toChild, fromChild, complaints) = ([Int32](), [Int32](), [Int32]())
    for place in 0..<3 {
      var ends: [Int32] = [0, 0]
      guard clinux_pipe(&ends, O_CLOEXEC) == 0 else { throw StoryError("pipe: errno \(errno)") }
      switch place {
      case 0: toChild = ends
      case 1: fromChild = ends
      default: complaints = ends
      }
    }
    defer { for end in [toChild[0], fromChild[1], complaints[1]] { close(end) } }
    (input, output, errors) = (toChild[1], fromChild[0], complaints[0])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
    posix_spawn_file_actions_adddup2(&actions, complaints[1], 2)
    pid = try spawn(words, actions: &actions, newSession: false)
  }

  /// Gives the program its input, collects what it writes and waits for its end.
  package func finish(input text: String = "", within seconds: Int = 120) throws -> CommandResult {
    let late = Deadline(seconds: seconds)
    var (waiting, texts) = (Array(text.utf8)[...], [[UInt8](), [UInt8]()])
    var open = [output, errors]
    _ = fcntl(input, F_SETFL, O_NONBLOCK)
    var isInputOpen = true
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while open.contains(where: { $0 >= 0 }) {
      if isInputOpen, waiting.isEmpty {
        close(input)
        isInputOpen = false
      }
      var waits = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      waits.append(pollfd(fd: isInputOpen ? input : -1, events: Int16(POLLOUT), revents: 0))
      guard poll(&waits, 3, late.milliseconds) != 0 else {
        kill(pid, SIGKILL)
        _ = reap()
        throw StoryError(
          "no end within \(seconds) s; until then:\n\(String(decoding: texts[0] + texts[1], as: UTF8.self))"
        )
      }
      if waits[2].revents != 0 {
        let put = waiting.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        waiting = put > 0 ? waiting.dropFirst(put) : []
      }
      for place in 0..<2 where waits[place].revents != 0 {
        let got = read(open[place], &chunk, chunk.count)
        if got > 0 { texts[place] += chunk[0..<got] }
        if got <= 0 {
          close(open[place])
          open[place] = -1
        }
      }
    }
    if isInputOpen { close(input) }
    return CommandResult(
      stdout: String(decoding: texts[0], as: UTF8.self),
      stderr: String(decoding: texts[1], as: UTF8.self), exitCode: reap())
  }

  private func reap() -> Int32 { exitCode(waitingFor: pid) }
}

/// Waits for a child's end.
func exitCode(waitingFor pid: pid_t) -> Int32 {
  var status: Int32 = 0
  while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
  return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
}

func spawn(
  _ words: [String], actions: inout posix_spawn_file_actions_t, newSession: Bool
) throws -> pid_t {
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigaddset(&signals, SIGPIPE)
  sigaddset(&signals, SIGINT)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  let group = newSession ? newSessionFlag : POSIX_SPAWN_SETPGROUP
  posix_spawnattr_setflags(
    &attributes, Int16(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  var arguments = words.map { strdup($0) } + [nil]
  defer { for argument in arguments { free(argument) } }
  var pid = pid_t()
  let code = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, environ)
  guard code == 0 else { throw StoryError("cannot start \(words): errno \(code)") }
  return pid
}

/// glibc's POSIX_SPAWN_SETSID, which hides behind a feature macro.
let newSessionFlag: Int32 = 0x80

/// A moment after which a story gives up.
package struct Deadline: Sendable {
  private let instant: ContinuousClock.Instant

  package init(seconds: Int) { instant = .now + .seconds(seconds) }

  package var isOver: Bool { .now >= instant }
  /// What is left, for poll; 0 when it is over.
  var milliseconds: Int32 {
    let left = instant - .now
    return Int32(
      clamping: max(
        0, left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000))
  }
}
