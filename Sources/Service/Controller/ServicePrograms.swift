// Programs of the site and of its users that the server starts as children: words without a shell, variables
// that are listed, a time limit, so many at a time. The server's loop never waits for one.

import CLinux
import ClusterModel
import Glibc
import Wire

/// How a program ended.
enum ProgramEnd: Hashable, Sendable {
  case exited(Int)
  case signalled(Int)
  /// It took longer than so many seconds, and was ended with all that it started.
  case tookTooLong(Seconds)
  /// It could not be started, with the reason.
  case notStarted(String)

  init(_ end: ChildEnd, limit: Seconds) {
    switch end {
    case .exited(let code): self = .exited(code)
    case .signalled(let signal): self = .signalled(signal)
    case .tookTooLong: self = .tookTooLong(limit)
    case .notStarted(let reason): self = .notStarted(reason)
    }
  }

  /// What went wrong; `nil` if it ended with 0.
  var problem: String? {
    switch self {
    case .exited(0): nil
    case .exited(let code): "ended with exit code \(code)"
    case .signalled(let signal): "ended by signal \(signal)"
    case .tookTooLong(let limit): "did not end within \(limit) s"
    case .notStarted(let reason): "could not be started: \(reason)"
    }
  }
}

/// What is to be run.
struct ProgramCall {
  /// The program's path, and its arguments.
  var words: [String]
  var variables: [String: String] = [:]
  /// What it reads on its standard input.
  var input: [UInt8] = []
  /// Whether what it says goes nowhere, not to the server's log.
  var isQuiet = false
  /// Seconds that it may take.
  var limit: Seconds
  /// Calls with the same key come one after the other.
  var key: String
}

/// Starts programs, each in a session of its own. Used on the server's loop alone.
final class ServicePrograms {
  /// Calls that wait for their turn; more are refused.
  static let waitingLimit = 10_000

  private struct Waiting {
    let call: ProgramCall
    let whenDone: (ProgramEnd) -> Void
  }

  private let loop: EventLoop
  private let atOnce: Int
  private var queue: [Waiting] = []
  private var running: [String: pid_t] = [:]

  init(loop: EventLoop, atOnce: Int) {
    self.loop = loop
    self.atOnce = atOnce
  }

  var isIdle: Bool { running.isEmpty && queue.isEmpty }

  /// Whether a call with the key waits or is under way.
  func isBusy(_ key: String) -> Bool {
    running[key] != nil || queue.contains { $0.call.key == key }
  }

  /// Whether a call with the key waits and has not begun.
  func isWaiting(_ key: String) -> Bool { queue.contains { $0.call.key == key } }

  /// Runs a program when its turn comes.
  ///
  /// - Parameter whenDone: called on the loop, later, with how it ended.
  func run(_ call: ProgramCall, whenDone: @escaping (ProgramEnd) -> Void) {
    guard queue.count < Self.waitingLimit else {
      return loop.afterThisRound {
        whenDone(.notStarted("\(Self.waitingLimit) programs wait already"))
      }
    }
    queue.append(Waiting(call: call, whenDone: whenDone))
    startSome()
  }

  /// Forgets what waits; what runs has its time, as long as this process lives.
  func stop() { queue = [] }

  private func startSome() {
    var place = 0
    while place < queue.count, running.count < atOnce {
      if running[queue[place].call.key] != nil {
        place += 1
      } else {
        start(queue.remove(at: place))
      }
    }
  }

  private func start(_ entry: Waiting) {
    let call = entry.call
    var report: Int32 = -1
    let pid = call.launch(&report)
    guard pid > 0 else {
      let reason = String(cString: strerror(errno))
      return loop.afterThisRound { entry.whenDone(.notStarted(reason)) }
    }
    running[call.key] = pid
    loop.wait(for: pid, limit: Double(call.limit)) { [weak self] end in
      let failure = Self.failure(in: report)
      self?.running[call.key] = nil
      entry.whenDone(failure ?? ProgramEnd(end, limit: call.limit))
      self?.startSome()
    }
  }

  /// Why a child that has ended could not become the program; it is asked then so that nobody waits.
  private static func failure(in report: Int32) -> ProgramEnd? {
    guard report >= 0 else { return nil }
    defer { close(report) }
    var problem = clinux_launch_report()
    let size = MemoryLayout<clinux_launch_report>.size
    guard read(report, &problem, size) == size else { return nil }
    return .notStarted(String(cString: strerror(problem.code)))
  }
}

extension ProgramCall {
  /// The program's file; one that is named without a folder is looked for in PATH.
  private var path: String {
    guard let name = words.first, !name.contains("/") else { return words.first ?? "" }
    let folders = (variables["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } ?? name
  }

  /// Starts it; -1 with `errno` set if that fails.
  fileprivate func launch(_ report: inout Int32) -> pid_t {
    let file = input.isEmpty ? -1 : clinux_memory_file(input, input.count)
    defer { if file >= 0 { close(file) } }
    if !input.isEmpty, file < 0 { return -1 }
    let strings = CStringStore()
    var launch = clinux_launch()
    launch.program = strings.string(path)
    launch.arguments = strings.list([path] + words.dropFirst())
    launch.environment = strings.list(variables.map { "\($0.key)=\($0.value)" })
    launch.directory = strings.string("/")
    launch.input = file
    (launch.output, launch.error) = isQuiet ? (-1, -1) : (2, 2)
    (launch.terminal, launch.group_directory) = (-1, -1)
    return withExtendedLifetime(strings) { clinux_launch(&launch, &report) }
  }
}

/// Variables of the server's own environment that its programs get, where they are set.
func variablesForPrograms() -> [String: String] {
  var variables = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  variables["HOME"] = "/"
  if let entry = getpwuid(geteuid()) {
    variables["HOME"] = String(cString: entry.pointee.pw_dir)
    variables["USER"] = String(cString: entry.pointee.pw_name)
  }
  variables["LC_ALL"] = "C.UTF-8"
  for name in ["OARCONFFILE", "OARDIR", "TZ", "PERL5LIB"] {
    if let value = getenv(name) { variables[name] = String(cString: value) }
  }
  return variables
}
