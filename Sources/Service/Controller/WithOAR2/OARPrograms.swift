// OAR 2's own programs, run for what only they can do: `bipbip` starts and ends jobs, `Leon` kills them.
// No shell, a white list of variables, a bound on how many and how long.

import ClusterModel
import Wire

/// Runs programs of OAR's directory.
final class OARPrograms {
  /// Programs that run at a time, as in OAR.
  static let atOnce = 25
  /// Seconds after which a program is killed: OAR's own limit.
  static let limit: Seconds = 1800

  private let programs: ServicePrograms
  private let directory: String
  private let environment: [String: String]

  init(loop: EventLoop, settings: OAR2Settings) {
    programs = ServicePrograms(loop: loop, atOnce: Self.atOnce)
    directory = settings.directory
    environment = OAR2Environment.ofServer(settings)
  }

  var isIdle: Bool { programs.isIdle }

  /// Runs a program when its turn comes; runs with the same key come one after the other.
  ///
  /// - Parameter whenDone: called on the loop, later, with what went wrong; `nil` if it ended with 0.
  func run(
    _ program: String, _ arguments: [String], key: String,
    whenDone: @escaping (_ problem: String?) -> Void
  ) {
    let path = "\(directory)/\(program)"
    let call = ProgramCall(
      words: [path] + arguments, variables: environment, limit: Self.limit, key: key)
    programs.run(call) { end in whenDone(end.problem.map { "\(path) \($0)" }) }
  }

  /// Whether a run with the key waits or is under way.
  func isBusy(_ key: String) -> Bool { programs.isBusy(key) }

  /// Whether a run with the key waits and has not begun.
  func isWaiting(_ key: String) -> Bool { programs.isWaiting(key) }

  /// Forgets what waits. What runs goes on: OAR's programs may be in the middle of a job's start.
  func stop() { programs.stop() }
}
