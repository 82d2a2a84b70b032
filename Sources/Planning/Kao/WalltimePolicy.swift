// What a site allows of changes to the walltimes of running jobs (WALLTIME_…).

import ClusterModel
import Kamelot

/// A length of time, or a share of the walltime that a job was submitted with.
public enum WalltimeAmount: Hashable, Sendable {
  case seconds(Seconds)
  /// More than 0, less than 1.
  case share(Double)

  /// The length for a job submitted with `walltime`, in whole seconds, rounded down.
  public func seconds(of walltime: Seconds) -> Seconds {
    switch self {
    case .seconds(let seconds): seconds
    case .share(let share): Int(Double(min(max(0, walltime), endOfTime)) * share)
    }
  }
}

/// Users who may do something.
public enum AllowedUsers: Hashable, Sendable {
  case all
  case only(Set<String>)

  /// Whether `user` is one of them; `oar` and `root` always are.
  public func contains(_ user: String) -> Bool {
    if WalltimePolicy.isOperator(user) { return true }
    return switch self {
    case .all: true
    case .only(let users): users.contains(user)
    }
  }
}

/// A value that may differ from queue to queue.
public struct PerQueue<Value: Hashable & Sendable>: Hashable, Sendable {
  public var byQueue: [String: Value]
  /// For queues that are not listed (`_`).
  public var others: Value

  public init(_ others: Value, byQueue: [String: Value] = [:]) {
    self.byQueue = byQueue
    self.others = others
  }

  /// The value for a queue.
  public subscript(queue: String) -> Value { byQueue[queue] ?? others }
}

/// The variables WALLTIME_… of `oar.conf`, with OAR's defaults.
public struct WalltimePolicy: Hashable, Sendable {
  /// Whether walltimes can change at all.
  public var isEnabled = false
  /// By how much a walltime may grow, all changes together: −1 for any length, 0 for none but by
  /// `oar` and `root`.
  public var maxIncrease = PerQueue(WalltimeAmount.seconds(0))
  /// Shorter walltimes can't change.
  public var minForChange = PerQueue(WalltimeAmount.seconds(0))
  /// An increase is granted that long before the job's end; 0 for at once.
  public var applyTime = PerQueue(WalltimeAmount.seconds(0))
  /// An increase is granted in steps of that length; 0 for all in one.
  public var increment = PerQueue(WalltimeAmount.seconds(0))
  /// Who may have an increase at once, whatever `applyTime` and `increment` are.
  public var usersToForce = PerQueue(AllowedUsers.only([]))
  /// Who may have an increase that other jobs must wait for.
  public var usersToDelayJobs = PerQueue(AllowedUsers.only([]))

  public init() {}

  /// Reads the variables.
  public init(_ configuration: Configuration) throws(ConfigurationError) {
    isEnabled = try configuration.flag("WALLTIME_CHANGE_ENABLED", default: false)
    maxIncrease = try Self.amounts("WALLTIME_MAX_INCREASE", configuration, orUnlimited: true)
    minForChange = try Self.amounts("WALLTIME_MIN_FOR_CHANGE", configuration)
    applyTime = try Self.amounts("WALLTIME_CHANGE_APPLY_TIME", configuration)
    increment = try Self.amounts("WALLTIME_INCREMENT", configuration)
    usersToForce = try Self.users("WALLTIME_ALLOWED_USERS_TO_FORCE", configuration)
    usersToDelayJobs = try Self.users("WALLTIME_ALLOWED_USERS_TO_DELAY_JOBS", configuration)
  }

  /// Whether `user` stands above the limits.
  static func isOperator(_ user: String) -> Bool { user == "oar" || user == "root" }
}

// Reading one variable.
extension WalltimePolicy {
  private static func amounts(
    _ variable: String, _ configuration: Configuration, orUnlimited: Bool = false
  ) throws(ConfigurationError) -> PerQueue<WalltimeAmount> {
    try values(variable, configuration, default: .seconds(0)) { text throws(ConfigurationError) in
      if let seconds = Int(text), (orUnlimited ? -1 : 0)...endOfTime ~= seconds {
        return .seconds(seconds)
      }
      if let share = decimalNumber(text), share > 0, share < 1 { return .share(share) }
      let unlimited = orUnlimited ? ", -1 for no limit" : ""
      throw ConfigurationError(
        name: variable, value: configuration.text(variable, default: text),
        allowed: "whole seconds\(unlimited), or a part of the walltime such as 0.5; or a list of "
          + "these by queue, such as { default => 7200, _ => 0 }")
    }
  }

  private static func users(
    _ variable: String, _ configuration: Configuration
  ) throws(ConfigurationError) -> PerQueue<AllowedUsers> {
    try values(variable, configuration, default: .only([])) { text throws(ConfigurationError) in
      let names = text.split { $0 == "," || $0.isWhitespace }.map(String.init)
      return names.contains("*") ? .all : .only(Set(names))
    }
  }

  private static func values<Value>(
    _ variable: String, _ configuration: Configuration, default fallback: Value,
    read: (String) throws(ConfigurationError) -> Value
  ) throws(ConfigurationError) -> PerQueue<Value> {
    guard let text = configuration[variable] else { return PerQueue(fallback) }
    switch try SettingMap(parsing: text, variable: variable) {
    case .one(""): return PerQueue(fallback)
    case .one(let value): return PerQueue(try read(value))
    case .each(let entries):
      var result = PerQueue(fallback)
      for (queue, value) in entries {
        if queue == "_" {
          result.others = try read(value)
        } else {
          result.byQueue[queue] = try read(value)
        }
      }
      return result
    }
  }
}
