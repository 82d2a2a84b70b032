// A command of the site's that is given a list on its standard input, such as the one that wakes hosts.

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
    do {
      let child = try start(input: text)
      loop.wait(for: child, limit: Self.limit) { end in whenDone(end.problem.map { "it \($0)" }) }
    } catch {
      whenDone("it can't be started: \(error)")
    }
  }

  private func start(input text: String) throws(LaunchError) -> pid_t {
    let input = try memoryFile(text)
    defer { close(input) }
    let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard output >= 0 else { throw LaunchError() }
    defer { close(output) }
    return try AgentProcess.spawn(words, input: input, output: output).get()
  }
}
