// What a judgement of a site depends on, as values: read from this host, or made up by a test.

import ClusterModel
import PostgreSQLStorage

/// Something that could not be read, and why.
struct Unreadable: Error, Hashable, Sendable {
  var reason: String
}

/// Who accepts connections on SERVER_PORT.
enum PortReading: Hashable, Sendable {
  case nobody
  /// A program on this host, as its first words say.
  case program(String)
  /// Somebody on this host, and we may not see who.
  case somebody
  /// SERVER_HOSTNAME is another host, or no name at all.
  case elsewhere(String)
}

/// What was asked of the database.
enum DatabaseReading: Sendable {
  /// `oar.conf` names none that could be asked.
  case notAsked
  case refused(String)
  case read(DatabaseSurvey)
}

/// A variable whose value can't be used.
struct UnusableValue: Hashable, Sendable {
  var name: String
  var text: String
  /// Only the server minds.
  var isServers = false
}

/// A site as it was seen.
struct SiteReadings: Sendable {
  /// Who looks.
  var user = "root"
  /// Where `oar.conf` is, and what it says.
  var configurationPath = Configuration.standardPath
  var configuration: Result<String, Unreadable> = .success("")
  var unusable: [UnusableValue] = []
  var database = DatabaseReading.notAsked
  /// Versions of installed packages, as dpkg says; empty without dpkg.
  var packages: [String: String] = [:]
  /// OARDIR.
  var directory = "/usr/lib/oar"
  /// The programs in OARDIR that can be run.
  var programs: Set<String> = []
  /// Where OAR looks for the schedulers of queues.
  var schedulersDirectory = "/usr/lib/oar/schedulers"
  /// What can be run there; `nil` if it can't be looked at.
  var schedulers: Set<String>?
  /// Our own programs by name, where they are.
  var ownPrograms: [String: String] = [:]
  /// OAR's rules of quotas, a Perl program, if there is one.
  var perlQuotas: String?
  /// Who listens on SERVER_PORT; `nil` if nobody looked, since the port is not known.
  var port: PortReading?
}
