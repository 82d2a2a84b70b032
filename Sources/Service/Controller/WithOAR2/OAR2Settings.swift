// What `oar.conf` says to a server that stands in the place of OAR 2's Almighty.

import ClusterModel

/// The settings of LIBURNA_WITH_OAR2. Names in capitals are variables of `oar.conf`.
public struct OAR2Settings: Sendable {
  /// OARDIR of the environment, as OAR's own programs know it: where `bipbip` and `Leon` are.
  public var directory: String
  /// Where `oar.conf` is; OAR's programs are told.
  public var configurationPath: String
  /// SERVER_HOSTNAME and SERVER_PORT: where OAR's programs send their words.
  public var serverHost: String
  public var port: Int
  /// LIBURNA_OAR2_POLL: seconds from one look at the database to the next when no word comes.
  public var lookInterval: Seconds
  /// JOBDEL_WALLTIME: seconds after which a job of OAR's that does not end is given up.
  public var exterminationDelay: Seconds
  /// How jobs are run on OAR 2's nodes.
  public var nodes: OAR2NodeSettings
  /// OAR_SSH_CONNECTION_TIMEOUT: seconds that OAR's programs give a host to answer.
  public var connectionLimit: Seconds

  /// Where Debian's packages put OAR's programs.
  static let standardDirectory = "/usr/lib/oar"
  /// OAR's port, where SERVER_PORT is not set.
  static let standardPort = 6666

  /// Reads the settings; `nil` if the server's database is its own.
  ///
  /// - Throws: ``ConfigurationError``, naming variable and value.
  init?(
    _ configuration: Configuration, environment: (String) -> String?
  ) throws {
    guard try configuration.flag("LIBURNA_WITH_OAR2", default: false) else { return nil }
    directory = environment("OARDIR") ?? Self.standardDirectory
    guard directory.hasPrefix("/") else {
      throw ConfigurationError(
        name: "OARDIR", value: directory, allowed: "an absolute directory (of the environment)")
    }
    configurationPath = environment("OARCONFFILE") ?? Configuration.standardPath
    serverHost = configuration.text("SERVER_HOSTNAME", default: "localhost")
    port = try configuration.integer("SERVER_PORT", default: Self.standardPort, in: 0...65535)
    lookInterval = try configuration.integer("LIBURNA_OAR2_POLL", default: 3, in: 1...3600)
    exterminationDelay = try configuration.integer("JOBDEL_WALLTIME", default: 300, in: 1...86400)
    connectionLimit = try configuration.integer(
      "OAR_SSH_CONNECTION_TIMEOUT", default: 120, in: 1...3600)
    nodes = try OAR2NodeSettings(configuration)
  }
}
