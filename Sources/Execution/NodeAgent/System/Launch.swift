// A program to be started: a typed face of the C function that forks, confines, drops and executes.

import CLinux
import Glibc
import Wire

/// Everything about a process that is to be started, in a session of its own.
struct Launch {
  var program: String
  /// The words, the program's name included.
  var arguments: [String]
  var environment: [String: String] = [:]
  /// Entered as the user; `nil` for the present one.
  var directory: String?
  /// Entered when `directory` can't be; `nil` if that is a failure.
  var fallbackDirectory: String?
  /// Descriptors for the three streams; -1 for the paths, and /dev/null without one.
  var input: Int32 = -1
  var output: Int32 = -1
  var error: Int32 = -1
  /// Files that are opened as the user and appended to.
  var outputPath: String?
  var errorPath: String?
  /// The user side of a terminal that becomes the controlling one; -1 for none.
  var terminal: Int32 = -1
  /// The cgroup it runs in.
  var group: GroupEntry?
  /// Who runs it; `nil` for the agent's own user.
  var account: Account?
  /// Whether it is hung up when the process that started it ends.
  var hangsUpWithParent = false
  /// The soft limit of open files to set; 0 to leave it.
  var openFiles: UInt64 = 0

  init(program: String, arguments: [String]) {
    self.program = program
    self.arguments = arguments
  }

  /// Starts it. The caller closes `report`, after reading ``LaunchReport`` from it.
  func start() throws(SystemError) -> (pid: pid_t, report: Int32) {
    var report: Int32 = -1
    let pid = withStrings { launch in
      var launch = launch
      return clinux_launch(&launch, &report)
    }
    guard pid > 0 else { throw SystemError("cannot start a process for \(program)") }
    return (pid, report)
  }

  /// Goes all the way to C and starts nothing.
  func rehearse() { _ = withStrings { _ in 0 } }

  /// Lends C's view of it to `body`.
  private func withStrings(_ body: (clinux_launch) -> pid_t) -> pid_t {
    let strings = CStringStore()
    var launch = clinux_launch()
    launch.program = strings.string(program)
    launch.arguments = strings.list(arguments)
    launch.environment = strings.list(environment.map { "\($0)=\($1)" })
    launch.directory = strings.string(directory)
    launch.fallback_directory = strings.string(fallbackDirectory)
    (launch.input, launch.output, launch.error) = (input, output, error)
    launch.output_path = strings.string(outputPath)
    launch.error_path = strings.string(errorPath)
    launch.terminal = terminal
    launch.group_directory = group?.directory ?? -1
    launch.hangup_with_parent = hangsUpWithParent
    launch.open_files = openFiles
    launch.drop = account != nil
    launch.user = account?.uid ?? 0
    launch.group = account?.gid ?? 0
    let groups = account?.groups ?? []
    let files = group?.taskFiles ?? []
    return groups.withUnsafeBufferPointer { groups in
      files.withUnsafeBufferPointer { files in
        launch.groups = groups.baseAddress
        launch.group_count = groups.count
        launch.group_files = files.baseAddress
        launch.group_file_count = files.count
        return withExtendedLifetime(strings) { body(launch) }
      }
    }
  }
}

/// Where and why a start failed, as the child tells through the report pipe.
struct LaunchReport {
  let step: clinux_step
  let code: Int32

  /// The report in the pipe's bytes; `nil` when the pipe just ended: the program runs.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == MemoryLayout<clinux_launch_report>.size else { return nil }
    let report = bytes.withUnsafeBytes { $0.loadUnaligned(as: clinux_launch_report.self) }
    step = clinux_step(rawValue: UInt32(bitPattern: report.step))
    code = report.code
  }

  var reason: String { String(cString: strerror(code)) }
}
