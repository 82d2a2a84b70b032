// OAR 2's own programs, run for what only they can do: `bipbip` starts and ends jobs, `Leon` kills them.
// No shell, a white list of variables, a bound on how many and how long.

import CLinux
import ClusterModel
import Glibc
import Wire

/// Runs programs of OAR's directory.
final class OARPrograms {
  /// Programs that run at a time, as in OAR.
  static let atOnce = 25
  /// Seconds after which a program is killed: OAR's own limit.
  static let limit = 1800.0
  /// Programs that wait for their turn; more are refused.
  static let waiting = 10_000

  /// One run that waits.
  private struct Run {
    let words: [String]
    /// Runs with the same key come one after the other.
    let key: String
    let whenDone: (String?) -> Void
  }

  private let loop: EventLoop
  private let directory: String
  private let environment: [String]
  private var queue: [Run] = []
  /// The keys of what runs, with its processes.
  private(set) var running: [String: pid_t] = [:]

  init(loop: EventLoop, settings: OAR2Settings) {
    self.loop = loop
    directory = settings.directory
    environment = Self.environment(settings)
  }

  /// OAR's programs find their configuration and libraries by these.
  private static func environment(_ settings: OAR2Settings) -> [String] {
    var account = "oar"
    var home = "/var/lib/oar"
    if let entry = getpwuid(geteuid()) {
      account = String(cString: entry.pointee.pw_name)
      home = String(cString: entry.pointee.pw_dir)
    }
    var variables = [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(home)",
      "OARDIR=\(settings.directory)", "OARCONFFILE=\(settings.configurationPath)",
      "OARUSER=\(account)", "OARDO_USER=\(account)", "OARDO_UID=\(geteuid())", "LC_ALL=C.UTF-8",
    ]
    // Where a site's Perl or its host's clock is another one.
    for name in ["PERL5LIB", "TZ"] {
      if let value = getenv(name) { variables.append("\(name)=\(String(cString: value))") }
    }
    return variables
  }

  /// Runs a program when its turn comes; runs with the same key come one after the other.
  ///
  /// - Parameter whenDone: called on the loop with what went wrong; `nil` if it ended with 0.
  func run(
    _ program: String, _ arguments: [String], key: String,
    whenDone: @escaping (_ problem: String?) -> Void
  ) {
    guard queue.count < Self.waiting else {
      return whenDone("\(queue.count) programs of OAR's wait already")
    }
    queue.append(Run(words: ["\(directory)/\(program)"] + arguments, key: key, whenDone: whenDone))
    startSome()
  }

  /// Whether a run with the key waits or is under way.
  func isBusy(_ key: String) -> Bool {
    running[key] != nil || queue.contains { $0.key == key }
  }

  /// Whether a run with the key waits and has not begun.
  func isWaiting(_ key: String) -> Bool { queue.contains { $0.key == key } }

  /// Forgets what waits. What runs goes on: OAR's programs may be in the middle of a job's start.
  func stop() { queue = [] }

  private func startSome() {
    var place = 0
    while place < queue.count, running.count < Self.atOnce {
      if running[queue[place].key] != nil {
        place += 1
        continue
      }
      start(queue.remove(at: place))
    }
  }

  private func start(_ run: Run) {
    let pid = Self.launch(run.words, environment)
    guard pid > 0 else {
      return run.whenDone(
        "\(run.words[0]) can't be started: \(String(cString: strerror(errno)))")
    }
    let pidfd = clinux_pidfd_open(pid)
    guard pidfd >= 0 else {
      return run.whenDone("\(run.words[0]) can't be watched: \(String(cString: strerror(errno)))")
    }
    running[run.key] = pid
    let timer = loop.after(Self.limit) { kill(-pid, SIGKILL) }
    loop.watch(pidfd, for: .read) { [weak self, loop] _ in
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) != 0 else { return }
      loop.cancel(timer)
      loop.unwatch(pidfd)
      close(pidfd)
      self?.running[run.key] = nil
      run.whenDone(Self.problem(run.words[0], status))
      self?.startSome()
    }
  }

  /// Starts a process in a session of its own; its output goes where the server's errors go.
  private static func launch(_ words: [String], _ environment: [String]) -> pid_t {
    var strings: [UnsafeMutablePointer<CChar>?] = []
    func list(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
      let copies = texts.map { strdup($0) }
      strings += copies
      return copies + [nil]
    }
    defer { strings.forEach { free($0) } }
    let arguments = list(words)
    let variables = list(environment)
    var report: Int32 = -1
    let pid = arguments.withUnsafeBufferPointer { arguments in
      variables.withUnsafeBufferPointer { variables in
        "/".withCString { root in
          var launch = clinux_launch()
          launch.program = UnsafePointer(arguments[0])
          launch.arguments = UnsafePointer(arguments.baseAddress)
          launch.environment = UnsafePointer(variables.baseAddress)
          launch.directory = root
          launch.input = -1
          launch.output = 2
          launch.error = 2
          launch.terminal = -1
          launch.group_directory = -1
          return clinux_launch(&launch, &report)
        }
      }
    }
    if report >= 0 { close(report) }
    return pid
  }

  private static func problem(_ program: String, _ status: Int32) -> String? {
    if status == 0 { return nil }
    let signal = status & 127
    return signal == 0
      ? "\(program) ended with exit code \(status >> 8 & 255)"
      : "\(program) ended by signal \(signal)"
  }
}
