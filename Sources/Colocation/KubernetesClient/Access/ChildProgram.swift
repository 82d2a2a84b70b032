// A program that is run without a shell, in an environment of few variables, and read until its end:
// bounded in time and in what it may write.

import CLinux
import Glibc

/// Why a program gave nothing.
enum ChildProblem: Error, Equatable {
  case missing
  case notStarted(Int32)
  case late(seconds: Int)
  case tooLong(limit: Int)
  case failed(code: Int32)
  case killed(signal: Int32)

  var words: String {
    switch self {
    case .missing: "is not there"
    case .notStarted(let code): "can't be started: \(errorText(code))"
    case .late(let seconds): "did not end within \(seconds) s"
    case .tooLong(let limit): "wrote more than \(limit) bytes"
    case .failed(let code): "failed with exit code \(code); what it says is on standard error"
    case .killed(let signal): "was ended by signal \(signal)"
    }
  }
}

struct ChildProgram: Sendable {
  var command: String
  var arguments: [String]
  var environment: [String: String]

  /// What programs may know of our environment: who and where they are, how to reach the network.
  private static let inherited = [
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME",
  ]
  private static let usualPath = "/usr/local/bin:/usr/bin:/bin"

  static func plainEnvironment() -> [String: String] {
    var environment: [String: String] = [:]
    for name in inherited { environment[name] = ClusterAccess.processEnvironment(name) }
    environment["PATH"] = environment["PATH"] ?? usualPath
    return environment
  }

  /// Runs it, on a thread of its own, and gives what it wrote to standard output.
  ///
  /// - Throws: ``ChildProblem``.
  func run(seconds: Double, limit: Int) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      let work = Work {
        continuation.resume(
          with: Result { () throws -> [UInt8] in try runHere(seconds: seconds, limit: limit) })
      }
      var thread = pthread_t()
      let context = Unmanaged.passRetained(work)
      let code = pthread_create(
        &thread, nil,
        { context in
          context.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
          return nil
        }, context.toOpaque())
      guard code == 0 else {
        context.release()
        return continuation.resume(throwing: ChildProblem.notStarted(code))
      }
      pthread_detach(thread)
    }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private func runHere(seconds: Double, limit: Int) throws(ChildProblem) -> [UInt8] {
    guard let program = found() else { throw .missing }
    var ends: [Int32] = [-1, -1]
    guard clinux_pipe(&ends, 0) == 0 else { throw .notStarted(errno) }
    defer { close(ends[0]) }
    let started = Result { () throws(ChildProblem) in try start(program, output: ends[1]) }
    close(ends[1])
    let pid = try started.get()
    let deadline = ConnectionPool.now + UInt64(seconds * 1e9)
    do throws(ChildProblem) {
      let output = try Self.read(ends[0], until: deadline, limit: limit, Int(seconds))
      try Self.reap(pid, until: deadline, Int(seconds))
      return output
    } catch {
      switch error {
      case .late, .tooLong:
        // A session of its own: what it started goes with it.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
      default: break
      }
      throw error
    }
  }

  /// The file to run.
  private func found() -> String? {
    if command.contains("/") { return access(command, X_OK) == 0 ? command : nil }
    let directories = (environment["PATH"] ?? Self.usualPath).split(separator: ":")
    return directories.map { "\($0)/\(command)" }.first { access($0, X_OK) == 0 }
  }

  private func start(_ program: String, output: Int32) throws(ChildProblem) -> pid_t {
    let words = ([command] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    let path = strdup(program)
    defer { for text in words + variables + [path] { free(text) } }
    var report: Int32 = -1
    let pid = words.withUnsafeBufferPointer { words in
      variables.withUnsafeBufferPointer { variables in
        var launch = clinux_launch()
        launch.program = path.map { UnsafePointer($0) }
        launch.arguments = words.baseAddress
        launch.environment = variables.baseAddress
        (launch.input, launch.output, launch.error) = (-1, output, STDERR_FILENO)
        (launch.terminal, launch.group_directory) = (-1, -1)
        return clinux_launch(&launch, &report)
      }
    }
    guard pid > 0 else { throw .notStarted(errno) }
    defer { close(report) }
    var failure = clinux_launch_report()
    let size = MemoryLayout<clinux_launch_report>.size
    guard Glibc.read(report, &failure, size) == size else { return pid }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    throw .notStarted(failure.code)
  }

  private static func read(
    _ descriptor: Int32, until deadline: UInt64, limit: Int, _ seconds: Int
  ) throws(ChildProblem) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&wait, 1, left(until: deadline))
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { throw .late(seconds: seconds) }
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw .tooLong(limit: limit) }
    }
  }

  /// Waits for the end of the program, which may close its output long before.
  private static func reap(
    _ pid: pid_t, until deadline: UInt64, _ seconds: Int
  ) throws(ChildProblem) {
    let handle = clinux_pidfd_open(pid)
    if handle >= 0 {
      defer { close(handle) }
      var wait = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
      var ready: Int32
      repeat { ready = poll(&wait, 1, left(until: deadline)) } while ready < 0 && errno == EINTR
      guard ready > 0 else { throw .late(seconds: seconds) }
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    if status & 0x7F != 0 { throw .killed(signal: status & 0x7F) }
    guard status >> 8 & 0xFF == 0 else { throw .failed(code: status >> 8 & 0xFF) }
  }

  private static func left(until deadline: UInt64) -> Int32 {
    let now = ConnectionPool.now
    return now >= deadline ? 0 : Int32(clamping: (deadline - now) / 1_000_000 + 1)
  }
}
