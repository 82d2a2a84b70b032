// The configuration of the product in a lab: /etc/oar/oar.conf, the same on all hosts.

enum OarConfiguration {
  static let path = "/etc/oar/oar.conf"
  static let stateDirectory = "/var/lib/oar"
  static let socket = "/run/liburna/liburnad.sock"
  static let port = 6668

  /// The variables in the order in which they are written. Values hold no quote and no newline.
  static let variables: [(name: String, value: String)] = [
    ("SERVER_HOSTNAME", "server"),
    ("SERVER_PORT", String(port)),
    ("DB_TYPE", "SQLite"),
    ("DB_BASE_FILE", "\(stateDirectory)/oar.sqlite"),
    ("LIBURNA_SOCKET", socket),
    ("LIBURNA_NODE_COMMAND", nodeCommand),
    ("OARSUB_DEFAULT_RESOURCES", "/resource_id=1"),
    ("OARSUB_NODES_RESOURCES", "network_address"),
    ("HIERARCHY_LABELS", "resource_id,network_address,host,cpu,core"),
    ("JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD", "cpuset"),
    ("CPUSET_PATH", "/oar"),
    ("DEFAULT_JOB_WALLTIME", "7200"),
    ("SCHEDULER_JOB_SECURITY_TIME", "1"),
    ("LIBURNA_NODE_TIMEOUT", "10"),
    ("LOG_LEVEL", "3"),
  ]

  /// How the server reaches the agent of `{host}`: over ssh as root, without ever asking.
  static let nodeCommand = [
    "ssh -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3",
    "-o LogLevel=ERROR root@{host} liburna-node agent",
  ].joined(separator: " ")

  static var text: String {
    "# Written by the lab.\n" + variables.map { "\($0.name)=\"\($0.value)\"\n" }.joined()
  }
}
