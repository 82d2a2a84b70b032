// OAR 2's own programs, run for what only they can do: `bipbip` starts and ends jobs, `Leon` kills them.
// No shell, a white list of variables, a bound on how many and how long.

import ClusterModel
import Glibc
import NodeConnections
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
    let program: ChildProgram
    /// Runs with the same key come one after the other.
    let key: String
    let whenDone: (String?) -> Void
  }

  private let loop: EventLoop
  private let directory: String
  private let environment: [String: String]
  private var queue: [Run] = []
  /// The keys of what runs, with its processes.
  private(set) var running: [String: pid_t] = [:]

  init(loop: EventLoop, settings: OAR2Settings) {
    self.loop = loop
    directory = settings.directory
    environment = OAR2Environment.ofServer(settings)
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
    var child = ChildProgram("\(directory)/\(program)", arguments, environment: environment)
    child.directory = "/"
    queue.append(Run(program: child, key: key, whenDone: whenDone))
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
    let name = run.program.path
    do {
      // Its output goes where the server's errors go.
      let child = try run.program.start(output: 2)
      running[run.key] = child
      loop.wait(for: child, limit: Self.limit) { [weak self] end in
        self?.running[run.key] = nil
        run.whenDone(end.problem.map { "\(name) \($0)" })
        self?.startSome()
      }
    } catch {
      run.whenDone("\(name) can't be started: \(error)")
    }
  }
}
