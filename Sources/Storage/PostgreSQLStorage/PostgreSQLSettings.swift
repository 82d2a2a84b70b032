// Where the database is and who we are there: what `oar.conf` says to every program of OAR's.

import ClusterModel

/// How a PostgreSQL database is reached. The password is in no description and on no command line.
public struct PostgreSQLSettings: Sendable, CustomStringConvertible {
  /// DB_HOSTNAME: a name, an address, or the folder of a unix socket; empty for the usual folder.
  public var host: String
  /// DB_PORT.
  public var port: Int
  /// DB_BASE_NAME.
  public var database: String
  /// DB_BASE_LOGIN.
  public var user: String
  /// DB_BASE_PASSWD.
  public var password: String
  /// How long a database that is away is waited for.
  public var patience: Duration = .seconds(5)
  /// How long is waited to learn whether a transaction was committed whose answer was lost.
  public var fateLimit: Duration = .seconds(120)
  /// After so many milliseconds the database gives up one statement.
  public var statementLimit = 60_000
  /// How many milliseconds a lock that another program holds is waited for.
  public var lockLimit = 5000
  /// Whether the database is to refuse whatever would change it.
  public var isReadOnly = false
  /// Whether this is the server on a database of its own: what it writes is not told to itself.
  var isOurServer = false

  public init(
    host: String, port: Int = 5432, database: String = "oar", user: String = "oar",
    password: String = ""
  ) {
    self.host = host
    self.port = port
    self.database = database
    self.user = user
    self.password = password
  }

  /// Reads the settings.
  ///
  /// - Throws: ``ConfigurationError`` with the variable that can't be used.
  public init(_ configuration: Configuration) throws(ConfigurationError) {
    self.init(
      host: configuration.text("DB_HOSTNAME", default: "localhost"),
      port: try configuration.integer("DB_PORT", default: 5432, in: 1...65535),
      database: configuration.text("DB_BASE_NAME", default: "oar"),
      user: configuration.text("DB_BASE_LOGIN", default: "oar"),
      password: configuration.text("DB_BASE_PASSWD", default: ""))
  }

  /// What the database is called in messages.
  public var description: String {
    "the database \(database) at \(host.isEmpty ? "this host" : host):\(port)"
  }

  /// The parameters of a connection, for libpq.
  var parameters: [(name: String, value: String)] {
    var parameters = [
      ("dbname", database), ("user", user), ("port", String(port)),
      ("application_name", "liburna"), ("client_encoding", "UTF8"),
      // Kerberos costs a message to and fro at each start, and OAR knows none.
      ("gssencmode", "disable"),
      // A server that vanished is noticed within some 15 seconds.
      ("keepalives_idle", "5"), ("keepalives_interval", "3"), ("keepalives_count", "3"),
      ("tcp_user_timeout", "15000"),
    ]
    if !host.isEmpty { parameters.append(("host", host)) }
    if !password.isEmpty { parameters.append(("password", password)) }
    return parameters.map { (name: $0.0, value: $0.1) }
  }
}

/// What we may take for granted in a database, and do to it.
public enum Manner: Sendable {
  /// The schema is made and checked by us, one server of ours writes.
  case ours
  /// The database of an OAR 2 or OAR 3 server: nothing is made in it, no column is taken for granted that only
  /// we or OAR 3 have, others write at the same time.
  case shared
  /// The same, and we are the server: our own tables are made beside OAR's, which stay as they are.
  case sharedWithOurTables
}
