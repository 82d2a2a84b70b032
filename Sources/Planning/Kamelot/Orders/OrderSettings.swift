// The order of jobs as `oar.conf` sets it.

import ClusterModel

/// JOB_PRIORITY and the variables that go with it, read once; usage comes anew with every pass.
public struct OrderSettings: Sendable {
  private enum Choice: Sendable {
    case fifo
    case fairShare
    case multifactor(Multifactor)
  }

  private var choice = Choice.fifo
  /// How karma is worked out.
  public var fairShare = FairShareSettings()

  /// First come, first served.
  public init() {}

  /// Reads the variables. Only those that the chosen order needs are looked at.
  ///
  /// - Parameter priorityFile: the text of the PRIORITY_CONF_FILE; `nil` if there is none.
  /// - Throws: ``ConfigurationError`` or ``PriorityFileError``.
  public init(_ configuration: Configuration, priorityFile: String? = nil) throws {
    let name = configuration.text("JOB_PRIORITY", default: "FIFO")
    switch name {
    case "FIFO": return
    case "FAIRSHARE", "FAIRSHARING": choice = .fairShare
    case "MULTIFACTOR":
      guard let priorityFile else {
        throw ConfigurationError(
          name: "PRIORITY_CONF_FILE", value: configuration["PRIORITY_CONF_FILE"] ?? "",
          allowed: "a file with the weights, since JOB_PRIORITY is MULTIFACTOR")
      }
      choice = .multifactor(try Multifactor(parsing: priorityFile))
    default:
      throw ConfigurationError(
        name: "JOB_PRIORITY", value: name, allowed: "FIFO, FAIRSHARE or MULTIFACTOR")
    }
    fairShare = try FairShareSettings(configuration)
  }

  /// Whether the order depends on what users and projects used before.
  public var needsUsage: Bool {
    switch choice {
    case .fifo: false
    case .fairShare: true
    case .multifactor(let settings): settings.weight(of: .karma) != 0
    }
  }

  /// The order for a pass.
  ///
  /// - Parameters:
  ///   - usage: of the window of `fairShare`, in the queues whose jobs are sorted.
  ///   - known: karma that is given instead.
  public func policy(usage: UsageSums = UsageSums(), known: KnownKarma? = nil) -> JobOrderPolicy {
    let share = FairShare(settings: fairShare, usage: usage, known: known)
    switch choice {
    case .fifo: return .fifo
    case .fairShare: return .fairShare(share)
    case .multifactor(var settings):
      settings.fairShare = share
      return .multifactor(settings)
    }
  }
}

extension FairShareSettings {
  /// Reads the variables SCHEDULER_FAIRSHARING_….
  public init(_ configuration: Configuration) throws(ConfigurationError) {
    self.init()
    func coefficient(_ name: String, _ fallback: Double) throws(ConfigurationError) -> Double {
      let name = "SCHEDULER_FAIRSHARING_COEF_\(name)"
      guard let text = configuration[name] else { return fallback }
      guard let number = decimalNumber(text) else {
        throw ConfigurationError(name: name, value: text, allowed: "a number")
      }
      return number
    }
    coefficients.projectUsed = try coefficient("PROJECT", coefficients.projectUsed)
    coefficients.userUsed = try coefficient("USER", coefficients.userUsed)
    coefficients.userAsked = try coefficient("USER_ASK", coefficients.userAsked)
    window = try configuration.integer(
      "SCHEDULER_FAIRSHARING_WINDOW_SIZE", default: window, in: 1...endOfTime)
    jobsPerUser = try configuration.integer(
      "SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER", default: jobsPerUser)
    projectTargets = try Self.targets("PROJECT", configuration)
    userTargets = try Self.targets("USER", configuration)
  }

  private static func targets(
    _ kind: String, _ configuration: Configuration
  ) throws(ConfigurationError) -> [String: Double] {
    let variable = "SCHEDULER_FAIRSHARING_\(kind)_TARGETS"
    guard let text = configuration[variable], !text.allSatisfy(\.isWhitespace) else { return [:] }
    let allowed = "a list of names and percentages from 0 to 100, such as { physics => 75 }"
    guard case .each(let entries) = try SettingMap(parsing: text, variable: variable) else {
      throw ConfigurationError(name: variable, value: text, allowed: allowed)
    }
    var targets: [String: Double] = [:]
    for (name, value) in entries {
      guard let percent = decimalNumber(value), (0...100).contains(percent) else {
        throw ConfigurationError(name: variable, value: text, allowed: allowed)
      }
      targets[name] = percent
    }
    return targets
  }
}
