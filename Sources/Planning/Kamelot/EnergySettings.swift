// When idle hosts are put to sleep and woken (SCHEDULER_NODE_MANAGER_…, ENERGY_SAVING_…).

import ClusterModel
import RequestLanguage

/// So many hosts of a kind are always to be awake.
public struct KeepAlive: Hashable, Sendable {
  /// Hosts with a resource that satisfies this are of the kind.
  public var condition: PropertyExpression
  /// The condition as written.
  public var text: String
  public var count: Int

  /// - Throws: ``RequestError`` for a condition that can't be understood.
  public init(_ text: String, count: Int) throws(RequestError) {
    condition = try PropertyExpression(parsing: text)
    self.text = text
    self.count = count
  }
}

/// The variables of `oar.conf` that decide about sleep, with OAR's defaults.
public struct EnergySettings: Hashable, Sendable {
  /// Whether there is a way to wake hosts, so that they are.
  public var wakesHosts = false
  /// Whether there is a way to put hosts to sleep, so that they are.
  public var haltsHosts = false
  /// A host sleeps after so many seconds without a job (SCHEDULER_NODE_MANAGER_IDLE_TIME).
  public var idleTime: Seconds = 600
  /// … if none is planned there for so many seconds more (SCHEDULER_NODE_MANAGER_SLEEP_TIME).
  public var sleepTime: Seconds = 600
  /// A host is woken so many seconds before a job (SCHEDULER_NODE_MANAGER_WAKEUP_TIME).
  public var wakeupTime: Seconds = 600
  /// Hosts that must be awake (ENERGY_SAVING_NODES_KEEPALIVE).
  public var keepAlive: [KeepAlive] = []

  public init() {}

  /// Reads the variables.
  public init(_ configuration: Configuration) throws(ConfigurationError) {
    let mode = configuration["ENERGY_SAVING_MODE"]
    guard mode == nil || mode == "" || mode == "metascheduler_decision_making" else {
      throw ConfigurationError(
        name: "ENERGY_SAVING_MODE", value: mode ?? "",
        allowed: "empty (off) or metascheduler_decision_making")
    }
    let isInternal = try configuration.flag("ENERGY_SAVING_INTERNAL", default: false)
    let prefix = isInternal ? "ENERGY_SAVING_NODE_MANAGER" : "SCHEDULER_NODE_MANAGER"
    wakesHosts = mode != "" && !configuration.text("\(prefix)_WAKE_UP_CMD", default: "").isEmpty
    haltsHosts = mode != "" && !configuration.text("\(prefix)_SLEEP_CMD", default: "").isEmpty
    func time(_ name: String) throws(ConfigurationError) -> Seconds {
      try configuration.integer(
        "SCHEDULER_NODE_MANAGER_\(name)", default: 600, in: 0...endOfTime)
    }
    idleTime = try time("IDLE_TIME")
    sleepTime = try time("SLEEP_TIME")
    wakeupTime = try time("WAKEUP_TIME")
    keepAlive = try KeepAlive.list(configuration.text(KeepAlive.variable, default: ""))
  }
}

extension KeepAlive {
  /// The name of the variable.
  public static let variable = "ENERGY_SAVING_NODES_KEEPALIVE"

  /// Reads `condition:count` items, joined by `&` (OAR 2) or `,` (OAR 3).
  static func list(_ text: String) throws(ConfigurationError) -> [KeepAlive] {
    var list: [KeepAlive] = []
    for item in items(text) {
      let colon = item.lastIndex(of: ":")
      let condition = colon.map { String(item[..<$0]) } ?? ""
      let count = colon.flatMap { Int(item[item.index(after: $0)...].filter { $0 != " " }) }
      guard let count, count >= 0, condition.contains(where: { !$0.isWhitespace }),
        let keepAlive = try? KeepAlive(condition, count: count)
      else {
        throw ConfigurationError(
          name: variable, value: text,
          allowed: "conditions on resources with a number of hosts, such as \"type='default':2\", "
            + "joined by \"&\" or \",\"; \"\(item)\" is none")
      }
      list.append(keepAlive)
    }
    return list
  }

  /// The text cut at separators outside of quotes and parentheses; empty items are left out.
  private static func items(_ text: String) -> [Substring] {
    var items: [Substring] = []
    var start = text.startIndex
    var isQuoted = false
    var depth = 0
    for index in text.indices {
      switch text[index] {
      case "'": isQuoted.toggle()
      case "(" where !isQuoted: depth += 1
      case ")" where !isQuoted: depth -= 1
      case "&" where !isQuoted && depth == 0, "," where !isQuoted && depth == 0:
        items.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    items.append(text[start...])
    return items.filter { !$0.allSatisfy(\.isWhitespace) }
  }
}
