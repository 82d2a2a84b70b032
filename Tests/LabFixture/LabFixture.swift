// A lab for the stories of one suite: a server, a frontend and nodes on this machine, with commands run
// as anybody on any of them. Its name holds the id of the test process, so that labs of several
// processes live side by side and what a killed process left behind is found and removed.

import Glibc
import Testing

package struct LabFixture: Sendable {
  package let name: String
  /// Where the programs under test are: beside the running tests.
  package let binaries: String

  /// The lab of the suite that is running.
  @TaskLocal package static var current: LabFixture?

  /// The lab of the running suite; the suite must carry the trait `lab`.
  package static var here: LabFixture {
    get throws {
      guard let lab = current else { throw StoryError("this suite has no trait .lab") }
      return lab
    }
  }

  static let prefix = "story"

  init(label: String) throws {
    name = "\(Self.prefix)-\(getpid())-\(label)"
    binaries = try Self.directoryOfTests()
  }

  private static func directoryOfTests() throws -> String {
    guard let path = realpath("/proc/self/exe", nil) else {
      throw StoryError("cannot read /proc/self/exe")
    }
    defer { free(path) }
    let program = String(cString: path)
    return String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
  }

  // MARK: The lab as a whole

  /// Calls `liburna lab` with the name of this lab.
  @discardableResult
  package func lab(_ verb: String, _ words: String..., within seconds: Int = 120) async throws
    -> CommandResult
  {
    let result = try await finish([verb, "--name", name] + words, input: "", within: seconds)
    guard result.exitCode == 0 else { throw StoryError("lab \(verb) \(words): \(result)") }
    return result
  }

  func start(nodes: Int) async throws {
    try await removeLeftovers()
    try await lab("start", "-n", String(nodes))
  }

  func stop() async throws { try await lab("stop") }

  /// Removes the labs of test processes that are no more.
  private func removeLeftovers() async throws {
    guard let folder = opendir("/run/liburna-lab") else { return }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let found = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let parts = found.split(separator: "-")
      guard parts.count == 3, parts[0] == Self.prefix, let pid = pid_t(parts[1]),
        Glibc.kill(pid, 0) != 0, errno == ESRCH
      else { continue }
      _ = try await offThread { [binaries] in
        try Subprocess([binaries + "/liburna", "lab", "stop", "--name", found]).finish()
      }
    }
  }

  // MARK: Commands

  /// Runs a command on a host and gives what it wrote and its exit code.
  @discardableResult
  package func run(
    _ words: String..., as user: String = "user1", on host: String = "frontend",
    input: String = "", within seconds: Int = 120
  ) async throws -> CommandResult {
    try await run(words, as: user, on: host, input: input, within: seconds)
  }

  @discardableResult
  package func run(
    _ words: [String], as user: String = "user1", on host: String = "frontend",
    input: String = "", within seconds: Int = 120
  ) async throws -> CommandResult {
    try await finish(
      ["exec", "--name", name, "--user", user, host, "--"] + words, input: input, within: seconds)
  }

  /// Runs a script of the shell on a host; it must succeed.
  @discardableResult
  package func shell(
    _ script: String, as user: String = "user1", on host: String = "frontend",
    within seconds: Int = 120
  ) async throws -> String {
    let result = try await run(["bash", "-c", script], as: user, on: host, within: seconds)
    guard result.exitCode == 0 else { throw StoryError("\(host)$ \(script)\n\(result)") }
    return result.stdout
  }

  /// The words that run a command on a host from here.
  package func words(_ command: [String], as user: String, on host: String, terminal: Bool = false)
    -> [String]
  {
    [binaries + "/liburna", "lab", "exec", "--name", name, "--user", user]
      + (terminal ? ["--tty"] : []) + [host, "--"] + command
  }

  private func finish(
    _ arguments: [String], input: String, within seconds: Int
  ) async throws -> CommandResult {
    let words = [binaries + "/liburna", "lab"] + arguments
    return try await offThread {
      do {
        return try Subprocess(words).finish(input: input, within: seconds)
      } catch {
        throw StoryError("\(arguments.joined(separator: " ")): \(error)")
      }
    }
  }

  /// Writes a file on a host.
  package func write(
    _ text: String, to path: String, as user: String = "user1", on host: String = "frontend"
  ) async throws {
    let result = try await run(
      ["bash", "-c", "cat > \"$0\"", path], as: user, on: host, input: text)
    guard result.exitCode == 0 else { throw StoryError("cannot write \(path): \(result)") }
  }

  /// The text of a file on a host.
  package func read(
    _ path: String, as user: String = "user1", on host: String = "frontend"
  ) async throws -> String {
    let result = try await run(["cat", path], as: user, on: host)
    guard result.exitCode == 0 else { throw StoryError("cannot read \(path): \(result)") }
    return result.stdout
  }
}
