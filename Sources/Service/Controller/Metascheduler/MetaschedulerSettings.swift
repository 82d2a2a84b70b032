// What `oar.conf` of an OAR 2 server says to its metascheduler. A variable that can't be used counts as not
// set, and the log says so: one wrong value must not keep a cluster from working.

import ClusterModel
import Glibc
import Wire

/// The settings of one pass.
struct MetaschedulerSettings: Sendable {
  /// What our own planner depends on.
  var planner: ServerSettings
  /// SERVER_HOSTNAME and SERVER_PORT: where OAR 2's Almighty listens.
  var almighty: (host: String, port: Int)
  /// OARDIR: where OAR 2's programs are.
  var directory: String
  /// SCHEDULERS_PATH, else `schedulers` of OARDIR: where the schedulers of queues are.
  var schedulers: String
  /// METASCHEDULER_MODE says `internal`: our planner serves all queues, whatever they name.
  var plansAllQueues: Bool
  /// SCHEDULER_LAUNCHER_OPTIMIZATION: jobs start while the scheduler of their queue still works.
  var launchesEarly: Bool
  /// Seconds after which the scheduler of a queue is ended: it should have given up long before.
  var schedulerLimit: Seconds
  /// SCHEDULER_LOG_DECISIONS: every plan is kept.
  var logsDecisions: Bool
  /// SCHEDULER_PRIORITY_HIERARCHY_ORDER: the columns by which besteffort jobs keep others off their hosts.
  var priorityLevels: [String]
  /// How processes of suspended jobs are woken; `nil` where OAR manages no processes (CPUSET_PATH).
  var resume: ResumeSettings?
  /// What could not be used, a sentence each.
  var problems: [String]

  /// Names of our planner among those of the schedulers of queues.
  static let ourNames: Set<String> = ["kamelot", "kao"]

  /// Reads the settings.
  ///
  /// - Throws: when even without the variables that can't be used there are none, such as when quotas are
  ///   wanted and their file can't be read.
  init(_ configuration: Configuration, environment: (String) -> String?) throws {
    var lenient = LenientReading(configuration)
    planner = try lenient.serverSettings()
    func number(_ name: String, _ fallback: Int, _ range: ClosedRange<Int>) -> Int {
      lenient.read(fallback) { configuration throws(ConfigurationError) in
        try configuration.integer(name, default: fallback, in: range)
      }
    }
    func flag(_ name: String, _ fallback: Bool) -> Bool {
      lenient.read(fallback) { configuration throws(ConfigurationError) in
        try configuration.flag(name, default: fallback)
      }
    }
    almighty = (
      configuration.text("SERVER_HOSTNAME", default: "localhost"),
      number("SERVER_PORT", OAR2Settings.standardPort, 1...65535)
    )
    directory = environment("OARDIR") ?? OAR2Settings.standardDirectory
    let path = configuration.text("SCHEDULERS_PATH", default: "")
    schedulers = path.isEmpty ? directory + "/schedulers" : path
    plansAllQueues = configuration["METASCHEDULER_MODE"] == "internal"
    launchesEarly = flag("SCHEDULER_LAUNCHER_OPTIMIZATION", true)
    schedulerLimit = max(120, 4 * number("SCHEDULER_TIMEOUT", 30, 0...3600))
    logsDecisions = flag("SCHEDULER_LOG_DECISIONS", false)
    priorityLevels = configuration.text("SCHEDULER_PRIORITY_HIERARCHY_ORDER", default: "")
      .split(separator: "/").map(String.init)
    resume = ResumeSettings(configuration)
    problems = lenient.problems
  }

  /// Whether our planner serves a queue.
  func isOurs(_ queue: Queue) -> Bool { plansAllQueues || Self.ourNames.contains(queue.policy) }
}

/// Reads variables, and leaves those out that can't be used.
private struct LenientReading {
  private var configuration: Configuration
  private(set) var problems: [String] = []
  private var left: Set<String> = []

  init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  mutating func serverSettings() throws -> ServerSettings {
    while true {
      do {
        return try ServerSettings(configuration)
      } catch let error as ConfigurationError {
        // What was left out already does not help.
        guard left.insert(error.name).inserted else { throw error }
        leaveOut(error)
      }
    }
  }

  mutating func read<Value>(
    _ fallback: Value, _ body: (Configuration) throws(ConfigurationError) -> Value
  ) -> Value {
    do { return try body(configuration) } catch {
      leaveOut(error)
      return fallback
    }
  }

  private mutating func leaveOut(_ error: ConfigurationError) {
    configuration[error.name] = nil
    problems.append("\(error); it counts as not set")
  }
}
