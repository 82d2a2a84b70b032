// A program of OAR 2's, or of the site's, run as a child: words without a shell, an environment that lists what
// it needs, a time limit.

import CLinux
import ClusterModel
import Glibc

/// A program to run, and what became of it.
struct OAR2Program {
  var path: String
  var arguments: [String]
  /// What its standard input holds.
  var input = ""

  /// How a program ended.
  enum End: Equatable {
    case exited(Int)
    case signalled(Int)
    /// It was ended because it took longer than it may.
    case tookTooLong
    /// It could not be started, with the reason.
    case notStarted(String)
  }

  /// Variables of ours that children get; all others stay here.
  static let inherited = [
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "OARCONFFILE", "OARDIR", "OARUSER", "OARDO_UID",
    "OARDO_USER",
    "PERL5LIB",
  ]
  /// What OAR 2's programs do not work without, where somebody calls us by hand.
  private static let fallbacks = [
    "PATH": "/usr/local/bin:/usr/bin:/bin", "OARCONFFILE": Configuration.standardPath,
    "OARDIR": "/usr/lib/oar", "OARUSER": "oar",
  ]
  /// Bytes of one line of output that are looked at.
  private static let longestLine = 64 * 1024

  /// Runs it to its end, at most `limit` seconds; what it prints comes line by line.
  func run(limit: Int, line: (String) async throws -> Void) async rethrows -> End {
    var ends: [Int32] = [-1, -1]
    guard clinux_pipe(&ends, 0) == 0 else { return .notStarted(Self.reason(errno)) }
    let launched = launch(output: ends[1])
    close(ends[1])
    defer { close(ends[0]) }
    guard case .success(let pid) = launched else {
      if case .failure(let failure) = launched { return .notStarted(failure.description) }
      return .notStarted("")
    }
    let deadline = Self.seconds() + limit
    var lines = LineBuffer(longest: Self.longestLine)
    do {
      while let some = Self.read(ends[0], until: deadline) {
        for text in lines.add(some) { try await line(text) }
      }
      if let rest = lines.rest { try await line(rest) }
    } catch {
      Self.end(pid)
      throw error
    }
    return Self.wait(for: pid, until: deadline)
  }

  /// Runs a part of this program, with a variable that says which, to its end. What it prints is this one's.
  func runPart(_ variable: String, limit: Int) -> End {
    switch launch(output: 2, extra: [variable], endsWithUs: true) {
    case .failure(let failure): return .notStarted(failure.description)
    case .success(let pid): return Self.wait(for: pid, until: Self.seconds() + limit)
    }
  }

  /// Starts it and leaves it alone: it may outlive this process. Its output is dropped.
  ///
  /// - Returns: why it could not be started; `nil` if it was.
  func start(extra environment: [String] = []) -> String? {
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard null >= 0 else { return Self.reason(errno) }
    defer { close(null) }
    switch launch(output: null, error: null, extra: environment) {
    case .success: return nil
    case .failure(let failure): return failure.description
    }
  }

  // MARK: Parts

  private struct Failure: Error, CustomStringConvertible { var description: String }

  private func launch(
    output: Int32, error: Int32 = 2, extra: [String] = [], endsWithUs: Bool = false
  ) -> Result<pid_t, Failure> {
    // In memory, so that nobody has to wait for a reader.
    let bytes = Array(input.utf8)
    let file = clinux_memory_file(bytes, bytes.count)
    guard file >= 0 else { return .failure(Failure(description: Self.reason(errno))) }
    defer { close(file) }
    guard let path = Self.find(path) else {
      return .failure(Failure(description: "there is no \(path)"))
    }
    let words = CStrings([path] + arguments)
    let variables = CStrings(
      Self.inherited.compactMap { name in
        (getenv(name).map { String(cString: $0) } ?? Self.fallbacks[name]).map { "\(name)=\($0)" }
      } + extra)
    var report: Int32 = -1
    let pid = withExtendedLifetime((words, variables)) {
      var launch = clinux_launch()
      launch.program = UnsafePointer(words.pointer[0])
      launch.arguments = UnsafePointer(words.pointer)
      launch.environment = UnsafePointer(variables.pointer)
      (launch.input, launch.output, launch.error) = (file, output, error)
      (launch.terminal, launch.group_directory) = (-1, -1)
      launch.hangup_with_parent = endsWithUs
      return clinux_launch(&launch, &report)
    }
    guard pid > 0 else { return .failure(Failure(description: Self.reason(errno))) }
    defer { close(report) }
    var problem = clinux_launch_report()
    let size = MemoryLayout<clinux_launch_report>.size
    if Glibc.read(report, &problem, size) == size {
      waitpid(pid, nil, 0)
      return .failure(Failure(description: "\(path): \(Self.reason(problem.code))"))
    }
    return .success(pid)
  }

  /// The file of a program; a name without a slash is looked for in PATH.
  private static func find(_ path: String) -> String? {
    if path.contains("/") { return path }
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(path)" }.first { access($0, X_OK) == 0 }
  }

  /// The next bytes; `nil` at the end or when the time is over.
  private static func read(_ descriptor: Int32, until deadline: Int) -> [UInt8]? {
    while true {
      let left = deadline - seconds()
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&entry, 1, Int32(clamping: left * 1000)) > 0 else { return nil }
      var buffer = [UInt8](repeating: 0, count: 16 * 1024)
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count > 0 { return Array(buffer[..<count]) }
      if count == 0 || errno != EINTR { return nil }
    }
  }

  private static func wait(for pid: pid_t, until deadline: Int) -> End {
    var status: Int32 = 0
    let descriptor = clinux_pidfd_open(pid)
    if descriptor >= 0 {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // One that has closed its output has little left to do.
      let left = max(1, deadline - seconds())
      let ended = poll(&entry, 1, Int32(clamping: left * 1000)) > 0
      close(descriptor)
      if !ended {
        end(pid)
        return .tookTooLong
      }
    }
    waitpid(pid, &status, 0)
    return status & 127 == 0 ? .exited(Int(status >> 8 & 255)) : .signalled(Int(status & 127))
  }

  /// Ends a child and what it started, which are a session of their own.
  private static func end(_ pid: pid_t) {
    kill(-pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  private static func seconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Bytes put together to lines; what is too long for one is cut.
struct LineBuffer {
  private let longest: Int
  private var bytes: [UInt8] = []

  init(longest: Int) { self.longest = longest }

  /// The lines that are whole now.
  mutating func add(_ some: [UInt8]) -> [String] {
    var lines: [String] = []
    for byte in some {
      if byte == UInt8(ascii: "\n") {
        lines.append(String(decoding: bytes, as: UTF8.self))
        bytes.removeAll(keepingCapacity: true)
      } else if bytes.count < longest {
        bytes.append(byte)
      }
    }
    return lines
  }

  /// A last line without its end.
  var rest: String? { bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
}

/// Texts as C wants them: a list of pointers that ends with NULL.
final class CStrings {
  private var texts: [UnsafeMutablePointer<CChar>?]
  let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

  init(_ list: [String]) {
    texts = list.map { strdup($0) } + [nil]
    pointer = .allocate(capacity: texts.count)
    pointer.initialize(from: texts, count: texts.count)
  }

  deinit {
    texts.forEach { free($0) }
    pointer.deallocate()
  }
}
