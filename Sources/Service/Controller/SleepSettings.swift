// What `oar.conf` says about hosts that sleep while nobody needs them.

import ClusterModel
import Kamelot
import NodeConnections

/// When hosts sleep, and how they are told to.
public struct SleepSettings: Sendable {
  public var policy: EnergySettings
  /// SCHEDULER_NODE_MANAGER_WAKE_UP_CMD: gets the names of hosts on its standard input, blanks between them.
  public var wakeCommand: SiteCommand?
  /// SCHEDULER_NODE_MANAGER_SLEEP_CMD: likewise.
  public var sleepCommand: SiteCommand?
  /// ENERGY_SAVING_NODE_MANAGER_WAKEUP_TIMEOUT: from so many hosts woken at once, how long they may take.
  public var wakeTimeouts: [(count: Int, seconds: Seconds)]

  /// Reads the variables; `nil` unless there is a command.
  ///
  /// - Throws: ``ConfigurationError`` or `CommandTemplate.Failure`.
  public init?(_ configuration: Configuration) throws {
    policy = try EnergySettings(configuration)
    wakeTimeouts = try Self.timeouts(configuration)
    guard policy.wakesHosts || policy.haltsHosts else { return nil }
    let isInternal = try configuration.flag("ENERGY_SAVING_INTERNAL", default: false)
    let prefix = isInternal ? "ENERGY_SAVING_NODE_MANAGER" : "SCHEDULER_NODE_MANAGER"
    if policy.wakesHosts {
      wakeCommand = try SiteCommand(configuration.text("\(prefix)_WAKE_UP_CMD", default: ""))
    }
    if policy.haltsHosts {
      sleepCommand = try SiteCommand(configuration.text("\(prefix)_SLEEP_CMD", default: ""))
    }
  }

  /// How long hosts may take to wake when so many are woken together.
  func wakeTimeout(of count: Int) -> Seconds {
    wakeTimeouts.last { $0.count <= count }?.seconds ?? wakeTimeouts.first?.seconds ?? 900
  }

  /// `900`, or `1:500 11:1000 21:2000`: from 11 hosts on 1000 s, and so on.
  private static func timeouts(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> [(count: Int, seconds: Seconds)] {
    let name = "ENERGY_SAVING_NODE_MANAGER_WAKEUP_TIMEOUT"
    let text = configuration.text(name, default: "900")
    var timeouts: [(count: Int, seconds: Seconds)] = []
    for item in text.split(whereSeparator: \.isWhitespace) {
      let numbers = item.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
      let (count, seconds) = numbers.count == 1 ? (1, numbers[0]) : (numbers[0] ?? 0, numbers[1])
      guard numbers.count <= 2, count > 0, let seconds, (1...endOfTime).contains(seconds) else {
        throw ConfigurationError(
          name: name, value: text,
          allowed: "seconds, or for numbers of hosts such as 1:500 11:1000")
      }
      timeouts.append((count, seconds))
    }
    return timeouts.sorted { $0.count < $1.count }
  }
}
