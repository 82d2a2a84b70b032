// The batch system of a site, as the lender's server sees it: looked at again and again, whatever its hooks say.

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
}

/// Why a batch system could not be asked.
struct BatchError: Error, CustomStringConvertible {
  let description: String
}
