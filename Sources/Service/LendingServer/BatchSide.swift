// The batch system of a site, as the lender's server sees it: looked at again and again, whatever its hooks say.

import Glibc
import Wire

/// What a batch system shows at one moment.
struct BatchPicture: Sendable, Equatable {
  /// Its hosts, and whether it may give them jobs now.
  var hosts: [String: Bool] = [:]
  /// The hosts that each job has, from the decision to launch it until it has left them.
  var jobs: [String: Set<String>] = [:]
  /// Seconds from now until the next job is planned to begin on a host.
  var starts: [String: Double] = [:]
  /// Hosts that get no jobs because we said so.
  var excluded: Set<String> = []
}

/// What is asked of a batch system.
protocol BatchSide: AnyObject, Sendable {
  /// Looks at it.
  ///
  /// - Throws: ``BatchError``; what was seen last holds until it answers.
  func look() async throws -> BatchPicture
  /// Takes a host that can't be had out of its hands, alone; or gives it back.
  func setUsable(_ isUsable: Bool, _ host: String, reason: String) async throws
  /// The hook of a job is about to say that it can't begin: sees to it that it begins elsewhere, where the hook's
  /// word alone does not.
  ///
  /// - Parameter bad: its hosts that can't be had.
  func giveUp(_ job: String, bad: Set<String>, reason: String) async throws
  /// Whether it runs the hooks, and waits for them as long as they may take.
  func check() async -> [LendingFinding]
}

extension BatchSide {
  /// Seconds that `bebida hook` waits unless it is told otherwise, and takes beyond that at most.
  static var hookLimit: Int { 50 }
  static var hookLatency: Int { 5 }

  /// Whether a hook is named that can be run.
  func found(hook: String?, as setting: String) -> LendingFinding {
    guard let hook, !hook.isEmpty else {
      return LendingFinding(
        .bad, "\(setting) is not set: jobs begin without waiting for their nodes")
    }
    return access(hook, X_OK) == 0
      ? LendingFinding(.good, "\(setting) is \(hook)")
      : LendingFinding(.bad, "\(setting) is \(hook), which can't be run")
  }

  /// Whether the hooks have the time that they may take.
  func found(limit: Int, as setting: String) -> LendingFinding {
    let needed = Self.hookLimit + Self.hookLatency
    return limit >= needed
      ? LendingFinding(.good, "\(setting) gives hooks \(limit) s")
      : LendingFinding(
        .bad,
        "\(setting) gives hooks \(limit) s: set it to \(needed) at least, or give them a smaller --limit"
      )
  }
}

/// Why a batch system could not be asked.
struct BatchError: Error, CustomStringConvertible {
  let description: String
}
