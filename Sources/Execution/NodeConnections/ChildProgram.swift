// A program run as a child in a session of its own: words without a shell, and no variable but those that are
// listed.

import CLinux
import Glibc
import Wire

/// A program to start.
public struct ChildProgram: Sendable {
  /// Its file; a name without a slash is looked for in its PATH.
  public var path: String
  public var arguments: [String]
  /// All the variables that it gets.
  public var environment: [String: String]
  /// Where it begins; `nil` for this process's directory.
  public var directory: String?
  /// What its standard input holds.
  public var input = ""

  public init(_ path: String, _ arguments: [String], environment: [String: String]) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
  }

  /// Starts it. It may outlive this process.
  ///
  /// - Parameters:
  ///   - output: the descriptor for what it prints; -1 to drop that.
  ///   - error: the same for its standard error.
  public func start(output: Int32 = -1, error: Int32 = 2) throws(LaunchError) -> pid_t {
    guard let file else { throw LaunchError("there is no \(path)") }
    let input = try memoryFile(self.input)
    defer { close(input) }
    let strings = CStringStore()
    var launch = clinux_launch()
    launch.program = strings.string(file)
    launch.arguments = strings.list([file] + arguments)
    launch.environment = strings.list(environment.map { "\($0)=\($1)" })
    launch.directory = strings.string(directory)
    (launch.input, launch.output, launch.error) = (input, output, error)
    (launch.terminal, launch.group_directory) = (-1, -1)
    var report: Int32 = -1
    let pid = withExtendedLifetime(strings) { clinux_launch(&launch, &report) }
    guard pid > 0 else { throw LaunchError(file, code: errno) }
    defer { close(report) }
    var failure = clinux_launch_report()
    let size = MemoryLayout<clinux_launch_report>.size
    guard read(report, &failure, size) == size else { return pid }
    waitpid(pid, nil, 0)
    throw LaunchError(file, code: failure.code)
  }

  private var file: String? {
    if path.contains("/") { return path }
    let folders = environment["PATH"] ?? "/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(path)" }.first { access($0, X_OK) == 0 }
  }
}

/// A text in memory to read from, so that nobody has to wait for a reader.
func memoryFile(_ text: String) throws(LaunchError) -> Int32 {
  let bytes = Array(text.utf8)
  let file = clinux_memory_file(bytes, bytes.count)
  guard file >= 0 else { throw LaunchError() }
  return file
}

/// Why a program could not be started.
public struct LaunchError: Error, CustomStringConvertible {
  public let description: String

  init(code: Int32 = errno) { description = String(cString: strerror(code)) }

  init(_ file: String, code: Int32) {
    description = "\(file): \(String(cString: strerror(code)))"
  }

  init(_ text: String) { description = text }
}
