// What quotas say to a job that would start at a time.

import ClusterModel

/// Whether a job may start at an instant, and if not, why not and when it may.
public enum QuotaVerdict: Hashable, Sendable {
  case allowed
  case exceeded(QuotaExcess)
}

/// The limit that a job would exceed.
public struct QuotaExcess: Hashable, Codable, Sendable {
  public enum Limit: String, Hashable, Codable, Sendable {
    /// Resources in use at a time.
    case resources
    /// Jobs that run at a time.
    case jobs
    /// Resources × duration of the jobs that run together, in hours.
    case resourceHours
    /// The time that is planned ahead.
    case window

    /// The word of documents.
    public var word: String { self == .resourceHours ? "resource_hours" : rawValue }
  }

  /// The fields of the rule as written, such as `*,*,*,/`; empty for the window.
  public var rule: String
  /// The name of the set that the rule belongs to; empty for the window.
  public var ruleSet: String
  public var limit: Limit
  /// What would be in use together with the job: resources, jobs, or resource·seconds; for the window,
  /// seconds from now to the start.
  public var value: Int
  /// How much of it the rule allows.
  public var allowed: Int
  /// The earliest later start that quotas allow, as they are used now; `nil` if there is none.
  public var retryAt: Instant?
  /// The start that it forbids, how many resources it was asked for, and for how many seconds.
  public var start: Instant = 0
  public var resources = 0
  public var duration: Seconds = 0

  public init(
    rule: String, ruleSet: String, limit: Limit, value: Int, allowed: Int, retryAt: Instant? = nil
  ) {
    self.rule = rule
    self.ruleSet = ruleSet
    self.limit = limit
    self.value = value
    self.allowed = allowed
    self.retryAt = retryAt
  }

  /// A sentence for the user.
  public var text: String {
    let name = ruleSet == "quotas" ? "\"\(rule)\"" : "\"\(rule)\" of \"\(ruleSet)\""
    return switch limit {
    case .resources:
      "The quota \(name) allows \(allowed) resources at a time; with this job it would be \(value)."
    case .jobs:
      "The quota \(name) allows \(allowed) jobs at a time; with this job it would be \(value)."
    case .resourceHours:
      "The quota \(name) allows \(hours(allowed)) resource-hours at a time; "
        + "with this job it would be \(hours(value))."
    case .window:
      "Jobs are planned \(allowed / 3600) hours ahead; no quota allows this job to start before."
    }
  }

  /// Hours with two decimals if they are not whole, rounded up.
  private func hours(_ seconds: Int) -> String {
    guard seconds % 3600 != 0 else { return "\(seconds / 3600)" }
    let hundredths = (seconds / 36) + (seconds % 36 == 0 ? 0 : 1)
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest / 10)\(rest % 10)"
  }
}
