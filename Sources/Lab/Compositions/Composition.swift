// What a lab consists of, as a composition file says it: roles with hosts, what is installed and started
// in each, and what is done once they all answer. Nothing here knows how hosts are made; a backend makes
// whatever is composed.

import Documents

/// A whole lab, with the set-ups and the backend chosen.
public struct Composition: Equatable, Codable, Sendable {
  /// 1 to 32 small letters, digits and dashes.
  public var name: String
  /// One line about it.
  public var about: String = ""
  /// What the hosts' file systems begin as.
  public var root: RootSource = .host
  /// Debian packages that every host needs beside those of its role.
  public var packages: [String] = []
  /// The program that hosts run first.
  public var firstProcess: FirstProcess = .tiny
  /// Ordinary users first, then accounts of services.
  public var accounts: [LabAccount] = LabAccount.people
  /// Directories that all hosts share, beside /home.
  public var shared: [String] = []
  /// Directories of the machine that every host sees.
  public var volumes: [Volume] = []
  /// Set in the environment of services, scripts and logins, in this order.
  public var variables: [Variable] = []
  /// What the lab is a lab of: programs that are built and installed by other means than packages.
  public var software: Software?
  /// What is built on the machine before hosts start, and is seen in all of them.
  public var builds: [Build] = []
  public var roles: [Role]
  /// Commands that are run once the services of all hosts answer, in this order.
  public var steps: [Step] = []
  /// The script of `lab test`, or nil for none.
  public var test: String?

  public init(name: String, roles: [Role]) {
    self.name = name
    self.roles = roles
  }

  /// Every host in order; a host's place in it gives its address.
  public var hosts: [String] { roles.flatMap(\.hosts) }

  public func role(_ name: String) -> Role? { roles.first { $0.name == name } }
}

/// What a host's file system begins as; a host's own changes lie on top.
public enum RootSource: Equatable, Codable, Sendable {
  /// The machine's own.
  case host
  /// A directory with a root file system.
  case directory(String)
  /// A tar file: of a root file system, of an OCI layout, or as `docker save` writes it.
  case archive(String)
  /// A release of Debian by its name, such as `bookworm`, made with mmdebstrap.
  case debian(String)
  /// An image that podman or docker has or fetches.
  case image(String)
}

/// The first process of a host.
public enum FirstProcess: String, Equatable, Codable, Sendable, CaseIterable {
  /// Liburna's own, which starts the services and reaps what dies.
  case tiny
  /// systemd, with a unit for each service.
  case systemd
}

/// Somebody with an account on every host.
public struct LabAccount: Equatable, Codable, Sendable {
  public var name: String
  /// Absolute. Below /home it is shared by all hosts.
  public var home: String
  /// Further groups, made if they are missing.
  public var groups: [String] = []

  public init(name: String, home: String, groups: [String] = []) {
    (self.name, self.home, self.groups) = (name, home, groups)
  }

  /// Whether the home is below /home, which all hosts share.
  public var isShared: Bool { home.hasPrefix("/home/") }

  /// The ordinary users of a lab that names no others.
  public static let people = [
    LabAccount(name: "user1", home: "/home/user1"), LabAccount(name: "user2", home: "/home/user2"),
  ]
}

/// A directory of the machine that hosts see.
public struct Volume: Equatable, Codable, Sendable {
  public enum Mode: String, Equatable, Codable, Sendable, CaseIterable {
    /// Read and write: what hosts change, the machine sees.
    case rw
    case ro
    /// Each host writes to a copy of its own, which ends with the lab.
    case cow
  }

  /// Absolute, on the machine.
  public var source: String
  /// Absolute, in the hosts.
  public var target: String
  public var mode: Mode = .rw

  public init(source: String, target: String, mode: Mode = .rw) {
    (self.source, self.target, self.mode) = (source, target, mode)
  }

  /// Directories that hosts can't do without, or that the kernel fills.
  private static let taken = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys",
    "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var",
  ]
  private static let filledByKernel = ["/dev/", "/proc/", "/sys/"]

  /// Why hosts can't see a volume at a path, or nil if they can.
  public static func problem(target: String) -> String? {
    guard NameRule.path.accepts(target) else {
      return "\(quoted(target)) is no path in the lab: \(NameRule.path.allowed)"
    }
    if taken.contains(target) || filledByKernel.contains(where: target.hasPrefix) {
      return "hosts need their own \(target); choose another path, such as /src"
    }
    return nil
  }
}

/// A variable of the environment.
public struct Variable: Equatable, Codable, Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }

  /// What the lab's own variables begin with.
  static let own = "LAB_"

  /// Why a variable can't have a name, or nil if it can.
  public static func problem(name: String) -> String? {
    guard NameRule.variable.accepts(name) else {
      return "\(quoted(name)) is no \(NameRule.variable.what): \(NameRule.variable.allowed)"
    }
    return name.hasPrefix(own) ? "variables named \(own)… are set by the lab itself" : nil
  }
}

/// Something that a script makes on the machine, once, for hosts to see.
public struct Build: Equatable, Codable, Sendable {
  /// Absolute, in the hosts, which may only read it.
  public var target: String
  /// A script or another file that can be run; the last line of its output is the directory that hosts
  /// see at the target. When all is made already it only says where.
  public var script: String

  public init(target: String, script: String) { (self.target, self.script) = (target, script) }
}

/// Programs with an installation of their own (`lab install`).
public enum Software: String, Equatable, Codable, Sendable, CaseIterable {
  /// Liburna's programs and OAR's commands as names of them.
  case liburna
  case oar2
  case oar3
}

/// One kind of host.
public struct Role: Equatable, Codable, Sendable {
  public var name: String
  /// The names of its hosts: the role's own for one that does not scale, else `node1`, `node2` …
  public var hosts: [String]
  /// Whether `-n` and `-r` may change how many there are.
  public var scales = false
  /// Debian packages beside those of the composition.
  public var packages: [String] = []
  /// Files made when a host is new.
  public var files: [HostFile] = []
  /// Scripts of /bin/sh that root runs at each boot, before the services.
  public var prepare: [String] = []
  /// Started in this order when a host boots, after sshd and MUNGE.
  public var services: [Service] = []
  /// Whether root there, and service accounts, may log in to root of every host.
  public var controls = false
  /// Whether its hosts run containers of their own, which takes more of the machine's kernel.
  public var containers = false
  /// Memory of a virtual machine, in MiB.
  public var memory: Int?
  /// Processors of a virtual machine.
  public var processors: Int?

  public init(name: String, hosts: [String]) {
    self.name = name
    self.hosts = hosts
  }

  /// Gives a role that scales so many hosts.
  public mutating func scale(to count: Int) {
    hosts = (0..<max(0, count)).map { "\(name)\($0 + 1)" }
  }
}

/// A file of a host.
public struct HostFile: Equatable, Codable, Sendable {
  /// Absolute.
  public var path: String
  public var content: String
  /// Permission bits.
  public var mode: UInt32 = 0o644
  /// An account of the lab or of its root file system.
  public var owner: String = "root"

  public init(path: String, content: String, mode: UInt32 = 0o644, owner: String = "root") {
    (self.path, self.content, self.mode, self.owner) = (path, content, mode, owner)
  }
}

/// A program of a role.
public struct Service: Equatable, Codable, Sendable {
  public var name: String
  /// The program, by its path or a name found in the usual places, and its arguments.
  public var command: [String]
  /// The account it runs as.
  public var user = "root"
  public var ready: Readiness = .none
  /// Whether it is started again when it ends.
  public var restarts = false

  public init(
    _ name: String, _ command: [String], user: String = "root", ready: Readiness = .none,
    restarts: Bool = false
  ) {
    self.name = name
    self.command = command
    self.user = user
    self.ready = ready
    self.restarts = restarts
  }
}

/// How to find out that a service answers.
public enum Readiness: Equatable, Codable, Sendable {
  /// It needs no waiting for.
  case none
  /// Something listens on this TCP port of the host.
  case port(UInt16)
  /// Something listens on this unix socket in the host.
  case socket(String)
  /// There is such a file in the host.
  case file(String)
}

/// A script of /bin/sh, run in hosts when all services answer.
public struct Step: Equatable, Codable, Sendable {
  /// Where it is run.
  public enum Place: Equatable, Codable, Sendable {
    /// On the first host of a role.
    case first(String)
    /// On every host of a role, one after the other.
    case each(String)
  }

  /// When it is run again.
  public enum Repetition: String, Equatable, Codable, Sendable, CaseIterable {
    /// Once in the life of a lab (on `each`: of a host).
    case once
    /// Whenever the lab has other hosts than when it was run last.
    case hosts
    /// At every start.
    case start
  }

  /// What it does, in a few words; tells steps apart.
  public var title: String
  public var place: Place
  public var user = "root"
  public var repetition: Repetition = .once
  public var script: String

  public init(
    _ title: String, on place: Place, user: String = "root", repetition: Repetition = .once,
    script: String
  ) {
    self.title = title
    self.place = place
    self.user = user
    self.repetition = repetition
    self.script = script
  }
}
