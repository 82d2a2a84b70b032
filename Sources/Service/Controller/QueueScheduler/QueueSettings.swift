// The settings of a queue's scheduler: those of the server, read such that a slip in a variable that matters
// little does not keep a whole queue from starting jobs.

import ClusterModel
import Wire

enum QueueSettings {
  /// Variables with which a site says who may have what: without them nobody starts.
  private static let policies: Set<String> = [
    "QUOTAS", "QUOTAS_CONF_FILE", "QUOTAS_WINDOW_TIME_LIMIT", "JOB_PRIORITY", "PRIORITY_CONF_FILE",
    "DB_TYPE",
  ]
  /// At most so many variables are passed over.
  private static let tolerance = 32

  /// Reads `oar.conf`. A value that can't be used is passed over, and said.
  ///
  /// - Throws: an error that names variable and value.
  static func read() throws -> (settings: ServerSettings, configuration: Configuration) {
    try read(Configuration.ofThisHost()) { QueueLog.say("[WARNING] \($0)") }
  }

  /// - Parameter tell: hears of each variable that is passed over.
  static func read(
    _ given: Configuration, tell: (String) -> Void
  ) throws -> (settings: ServerSettings, configuration: Configuration) {
    var configuration = given
    // What only a server needs.
    for name in ["LIBURNA_NODE_COMMAND", "LIBURNA_SOCKET", "SERVER_PORT"] {
      configuration[name] = nil
    }
    for _ in 0..<tolerance {
      do { return (try ServerSettings(configuration), given) } catch let error as ConfigurationError
      {
        guard !policies.contains(error.name), configuration[error.name] != nil else { throw error }
        tell("\(error); its default counts")
        configuration[error.name] = nil
      }
    }
    return (try ServerSettings(configuration), given)
  }
}
