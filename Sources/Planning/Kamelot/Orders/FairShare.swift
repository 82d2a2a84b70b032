// Fair sharing: who used less than their due in the last weeks comes first (JOB_PRIORITY=FAIRSHARE).

import ClusterModel

/// What users and projects used and asked for in a window of time, in resource-seconds, in the
/// queues whose jobs are sorted.
public struct UsageSums: Hashable, Sendable {
  public private(set) var usedByUser: [String: Int] = [:]
  public private(set) var usedByProject: [String: Int] = [:]
  public private(set) var askedByUser: [String: Int] = [:]
  /// By everybody.
  public private(set) var used = 0
  /// By everybody.
  public private(set) var asked = 0

  public init() {}

  /// Counts what a user had for a project: `used` is resources × seconds run, `asked` is resources
  /// × walltime. Negative sums count as 0.
  public mutating func add(user: String, project: String, used: Int, asked: Int) {
    let more = (used: max(0, used), asked: max(0, asked))
    usedByUser[user, default: 0].addCapped(more.used)
    usedByProject[project, default: 0].addCapped(more.used)
    askedByUser[user, default: 0].addCapped(more.asked)
    self.used.addCapped(more.used)
    self.asked.addCapped(more.asked)
  }
}

/// How use turns into karma (SCHEDULER_FAIRSHARING_…).
public struct FairShareSettings: Hashable, Sendable {
  /// How much three things count.
  public struct Coefficients: Hashable, Sendable {
    /// What the project used.
    public var projectUsed: Double
    /// What the user used.
    public var userUsed: Double
    /// What the user asked for.
    public var userAsked: Double

    public init(projectUsed: Double, userUsed: Double, userAsked: Double) {
      self.projectUsed = projectUsed
      self.userUsed = userUsed
      self.userAsked = userAsked
    }

    public static let oar2 = Coefficients(projectUsed: 0, userUsed: 2, userAsked: 1)
    public static let oar3 = Coefficients(projectUsed: 0, userUsed: 1, userAsked: 1)
  }

  public var coefficients = Coefficients.oar2
  /// How far back use counts: from `now − window` to now.
  public var window: Seconds = 2_592_000
  /// The percentage of all use that is due to each; `default` for those that are not named, else 0.
  public var projectTargets: [String: Double] = [:]
  /// The same for users.
  public var userTargets: [String: Double] = [:]
  /// At most so many waiting jobs of a user are planned in a pass, the first ones; 0 for no limit.
  public var jobsPerUser = 30

  public init() {}
}

/// Karma that somebody else worked out; 0 for those that are not listed.
public struct KnownKarma: Hashable, Sendable {
  public var users: [String: Double]
  public var projects: [String: Double]

  public init(users: [String: Double] = [:], projects: [String: Double] = [:]) {
    self.users = users
    self.projects = projects
  }
}

/// What the karma of users and projects is worked out from.
public struct FairShare: Sendable {
  public var settings: FairShareSettings
  public var usage: UsageSums
  /// If present, a job's karma is that of its user plus that of its project, and use does not count.
  public var known: KnownKarma?

  public init(
    settings: FairShareSettings = FairShareSettings(), usage: UsageSums = UsageSums(),
    known: KnownKarma? = nil
  ) {
    self.settings = settings
    self.usage = usage
    self.known = known
  }
}

extension FairShare {
  /// How much more than their due a user and a project had: 0 is just their due, less comes first.
  /// Always a finite number.
  public func karma(user: String, project: String) -> Double {
    -parts(user: user, project: project).reduce(0) { $0 + $1.contribution }
  }

  /// What makes up the karma. Weights are negative, since less comes first.
  func parts(user: String, project: String) -> [JobPriority.Part] {
    if let known {
      return [
        .init("user_karma", value: known.users[user, default: 0], weight: -1),
        .init("project_karma", value: known.projects[project, default: 0], weight: -1),
      ]
    }
    let due = (
      user: target(of: user, in: settings.userTargets),
      project: target(of: project, in: settings.projectTargets)
    )
    let share = (
      projectUsed: share(usage.usedByProject[project], of: usage.used),
      userUsed: share(usage.usedByUser[user], of: usage.used),
      userAsked: share(usage.askedByUser[user], of: usage.asked)
    )
    let weight = settings.coefficients
    return [
      .init("project_used", value: share.projectUsed - due.project, weight: -weight.projectUsed),
      .init("user_used", value: share.userUsed - due.user, weight: -weight.userUsed),
      .init("user_asked", value: share.userAsked - due.user, weight: -weight.userAsked),
    ]
  }

  /// As a fraction of all use.
  private func target(of name: String, in targets: [String: Double]) -> Double {
    (targets[name] ?? targets["default"] ?? 0) / 100
  }

  private func share(_ part: Int?, of sum: Int) -> Double {
    Double(part ?? 0) / Double(max(1, sum))
  }
}

extension Int {
  fileprivate mutating func addCapped(_ other: Int) { self = addingCapped(other) }
}
