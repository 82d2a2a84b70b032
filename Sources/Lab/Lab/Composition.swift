// What a lab consists of: roles with hosts and services, and what is done once they all answer.
// Nothing here knows how hosts are made; the backend makes whatever is composed.

import Glibc

/// A program of a role, started when its host boots.
public struct Service: Sendable {
  public var name: String
  public var arguments: [String]
  /// The account it runs as.
  public var user: String
  var readiness: Readiness
  /// Whether it is started again when it ends.
  var isKept: Bool

  init(
    _ name: String, _ arguments: [String], user: String = "root", readiness: Readiness,
    isKept: Bool = false
  ) {
    self.name = name
    self.arguments = arguments
    self.user = user
    self.readiness = readiness
    self.isKept = isKept
  }
}

/// One kind of host.
public struct Role: Sendable {
  public var name: String
  public var hosts: [String]
  /// Beside the ones every host runs.
  public var services: [Service] = []
  /// Root there may log in to root of every host.
  public var controls = false

  public init(name: String, hosts: [String]) {
    self.name = name
    self.hosts = hosts
  }
}

/// A command that is run once in the life of a lab, when all services answer.
struct ProvisionStep: Equatable, Sendable {
  /// Remembered, so that the step is not repeated.
  var id: String
  var host: String
  var arguments: [String]
}

/// A whole lab.
public struct Composition: Sendable {
  /// How the state file remembers which composition this is.
  public var kind: String
  public var nodes: Int
  /// The directory with the product's programs, or nil for none.
  public var binaries: String?
  /// A directory of the machine that every host sees as `/data`, or nil for none. Hosts' own disks
  /// are memory; what is kept here is on a real one, and stays when the lab is gone.
  public var data: String?
  public var roles: [Role]
  /// Names that users find in /usr/local/bin, and the program each stands for.
  var commands: [(name: String, program: String)] = []
  /// Files that every host has beside those of the base system.
  var files: @Sendable (Accounts) -> [PlannedItem] = { _ in [] }
  /// Accounts beside those of the machine; each has its home below /home or a place of its own.
  var accounts: [(name: String, home: String)] = Composition.people
  var provisioning: [ProvisionStep] = []

  /// The kind of a lab without the product.
  public static let plainKind = "plain"

  /// The ordinary users of every lab.
  public static let people: [(name: String, home: String)] = [
    ("user1", "/home/user1"), ("user2", "/home/user2"),
  ]

  init(kind: String, nodes: Int, binaries: String?, roles: [Role]) {
    self.kind = kind
    self.nodes = nodes
    self.binaries = binaries
    self.roles = roles
  }

  /// Every host in order; a host's place in it gives its address.
  public var hosts: [String] { roles.flatMap(\.hosts) }

  /// A lab of server, frontend and nodes with nothing on them but what every host has.
  public static func plain(nodes: Int, binaries: String? = nil) -> Composition {
    var server = Role(name: "server", hosts: ["server"])
    server.controls = true
    let frontend = Role(name: "frontend", hosts: ["frontend"])
    let node = Role(name: "node", hosts: (1...max(1, nodes)).map { "node\($0)" })
    return Composition(
      kind: plainKind, nodes: nodes, binaries: binaries, roles: [server, frontend, node])
  }
}
