// A command of the site's that is given a list on its standard input, such as the one that wakes hosts.

import CLinux
import Glibc
import Wire

/// A command from `oar.conf`: words without a shell.
public struct SiteCommand: Sendable {
  /// Seconds until a command that does not end is killed.
  public static let limit = 600.0

  /// The program and its arguments.
  public let words: [String]

  /// Splits the command into words at blanks; quotes keep blanks in a word.
  ///
  /// - Throws: `CommandTemplate.Failure` when it is empty or a quote is open.
  public init(_ text: String) throws(CommandTemplate.Failure) {
    words = try CommandTemplate(text).plainWords
  }

  /// Runs it with a text as its standard input; its output is dropped, its standard error is the server's.
  ///
  /// - Parameter whenDone: called on the loop with what went wrong; `nil` if it ended with 0.
  public func run(
    input text: String, on loop: EventLoop, whenDone: @escaping (_ problem: String?) -> Void
  ) {
    switch start(input: text) {
    case .failure(let error): whenDone("it can't be started: \(error)")
    case .success(let pid): watch(pid, loop, whenDone)
    }
  }

  private func start(input text: String) -> Result<pid_t, LaunchError> {
    // In memory, so that nobody has to wait for a reader.
    let bytes = Array(text.utf8)
    let input = clinux_memory_file(bytes, bytes.count)
    guard input >= 0 else { return .failure(LaunchError()) }
    defer { close(input) }
    let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard output >= 0 else { return .failure(LaunchError()) }
    defer { close(output) }
    return AgentProcess.spawn(words, input: input, output: output)
  }

  private func watch(
    _ pid: pid_t, _ loop: EventLoop, _ whenDone: @escaping (_ problem: String?) -> Void
  ) {
    let pidfd = clinux_pidfd_open(pid)
    guard pidfd >= 0 else { return whenDone("it can't be watched: \(LaunchError())") }
    let timer = loop.after(Self.limit) { kill(-pid, SIGKILL) }
    loop.watch(pidfd, for: .read) { _ in
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) != 0 else { return }
      loop.cancel(timer)
      loop.unwatch(pidfd)
      close(pidfd)
      let signal = status & 127
      whenDone(
        status == 0
          ? nil
          : signal == 0
            ? "it ended with exit code \(status >> 8 & 255)" : "it ended by signal \(signal)")
    }
  }
}
