// What every host has whatever its role: names, accounts, ssh by key from host to host, MUNGE.

import Compositions
import Glibc

struct BaseSystem {
  let settings: LabSettings
  let lab: String
  let keys: Keys
  /// The accounts of the hosts of one role.
  private(set) var accounts: Accounts
  private var owners: [String: Account] = ["root": .root]
  private let munge: Account

  static let sshd = "/usr/sbin/sshd"
  static let munged = "/usr/sbin/munged"
  static let mungeSocket = "/run/munge/munge.socket.2"
  static let sshPort: UInt16 = 22
  /// What a host must find in its root file system, and the Debian package that brings it.
  static let needs = [
    (sshd, "openssh-server"), (Keys.keygen, "openssh-client"), ("/usr/bin/ssh", "openssh-client"),
    (munged, "munge"),
  ]

  /// The packages that every host needs.
  static let packages = Set(needs.map(\.1))

  /// Refuses an image that lacks what every host needs.
  static func check(_ image: Image, of role: Role) throws {
    for (program, package) in needs
    where !image.directories.contains(where: { Files.exists($0 + program) }) {
      throw LabError(
        "the image of role \(role.name) (\(image.origin)) has no \(program); add the package \(package) "
          + "to it")
    }
  }

  /// - Parameter accounts: those of the root file system.
  init(_ settings: LabSettings, lab: String, keys: Keys, accounts: Accounts) throws {
    self.settings = settings
    self.lab = lab
    self.keys = keys
    var accounts = accounts
    for wanted in settings.composition.accounts {
      owners[wanted.name] = accounts.add(wanted.name, home: wanted.home)
      accounts.join(wanted.name, wanted.groups)
    }
    guard let munge = accounts["munge"] else {
      throw LabError("there is no account munge; install the package munge where hosts begin")
    }
    self.munge = munge
    self.accounts = accounts
  }

  private var composition: Composition { settings.composition }

  /// The plan of one host of a role.
  func plan(host: String, role: Role, index: Int) throws -> HostPlan {
    var plan = HostPlan(name: host, role: role.name, index: index)
    plan.environment = environment(of: host, role: role, index: index)
    plan.disk = names(host) + accountFiles + ssh(controls: role.controls) + mungeFiles
    plan.disk += ownHomes + [profile(plan.environment)]
    plan.disk += try role.files.map(file)
    if composition.software == .liburna { plan.disk += Product.links }
    plan.boot = [
      .directory("/run/sshd"), .directory("/run/munge", owner: munge),
      .directory("/run/lock", mode: 0o1777),
    ]
    plan.shared += composition.shared
    plan.volumes = composition.volumes
    if composition.software == .liburna, let programs = settings.programs {
      plan.volumes.append(Volume(source: programs, target: Product.directory, mode: .ro))
    }
    plan.firstProcess = composition.firstProcess
    plan.containers = role.containers
    plan.prepare = role.prepare
    plan.services = [sshService, mungeService]
    plan.services += try role.services.map { service in
      PlannedService(
        name: service.name, arguments: service.command,
        account: try owner(service.user, for: "service \(service.name)"),
        readiness: service.ready, isKept: service.restarts)
    }
    return plan
  }

  private func owner(_ name: String, for purpose: String) throws -> Account {
    guard let account = owners[name] ?? accounts[name] else {
      throw LabError(
        "\(purpose) belongs to \(name), who has no account; add it to the composition's accounts")
    }
    return account
  }

  private func file(_ file: HostFile) throws -> PlannedItem {
    .file(
      file.path, file.content, mode: mode_t(file.mode), owner: try owner(file.owner, for: file.path)
    )
  }

  // MARK: - The environment

  /// What scripts, services and logins of a host find in their environment.
  func environment(of host: String, role: Role, index: Int) -> [String] {
    let own = [
      ("LAB_NAME", lab), ("LAB_HOST", host), ("LAB_ROLE", role.name),
      ("LAB_ADDRESS", HostAddress(index: index).description),
      ("LAB_HOSTS", composition.hosts.joined(separator: " ")),
      ("LAB_NODES", (composition.role("node")?.hosts ?? []).joined(separator: " ")),
    ]
    return (own + composition.variables.map { ($0.name, $0.value) }).map { "\($0.0)=\($0.1)" }
  }

  /// What makes the variables those of every login.
  private func profile(_ environment: [String]) -> PlannedItem {
    let lines = environment.map { variable -> String in
      let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return "export \(parts[0])='\(parts[1].replacing("'", with: "'\\''"))'\n"
    }
    return .file("/etc/profile.d/lab.sh", lines.joined())
  }

  private var sshService: PlannedService {
    PlannedService(
      name: "sshd", arguments: [Self.sshd, "-D", "-e"], account: .root,
      readiness: .port(Self.sshPort), isKept: true)
  }

  private var mungeService: PlannedService {
    PlannedService(
      name: "munged", arguments: [Self.munged, "--foreground"], account: munge,
      readiness: .socket(Self.mungeSocket))
  }

  /// Names are looked up in files alone: no server outside could be reached, nor should be asked.
  private func names(_ host: String) -> [PlannedItem] {
    [
      .file("/etc/hostname", host + "\n"),
      .file("/etc/resolv.conf", "# The lab's names are all in /etc/hosts.\n"),
      .file(
        "/etc/nsswitch.conf",
        ["passwd", "group", "shadow", "hosts", "services", "protocols", "networks"]
          .map { "\($0): files\n" }.joined()),
    ]
  }

  private var accountFiles: [PlannedItem] {
    [
      .file("/etc/passwd", accounts.passwdText),
      .file("/etc/group", accounts.groupText),
      .file("/etc/shadow", accounts.shadowText, mode: 0o600),
    ]
  }

  /// Homes of accounts of services, which are the host's own.
  private var ownHomes: [PlannedItem] {
    composition.accounts.filter { !$0.isShared }.compactMap { owners[$0.name] }
      .map { .directory($0.home, mode: 0o755, owner: $0) }
  }

  private var mungeFiles: [PlannedItem] {
    // munged insists on a key that only its own account can read, in a directory of the same.
    [
      .directory("/etc/munge", mode: 0o700, owner: munge),
      .file("/etc/munge/munge.key", keys.munge, mode: 0o400, owner: munge),
      .directory("/var/lib/munge", mode: 0o711, owner: munge),
      .directory("/var/log/munge", mode: 0o700, owner: munge),
    ]
  }

  private func ssh(controls: Bool) -> [PlannedItem] {
    var items: [PlannedItem] = [
      .file("/etc/ssh/ssh_host_ed25519_key", keys.host.secret, mode: 0o600),
      .file("/etc/ssh/ssh_host_ed25519_key.pub", keys.host.open),
      .file("/etc/ssh/ssh_known_hosts", "* " + keys.host.open),
      .file("/etc/ssh/sshd_config", Self.sshdConfiguration),
      .file("/etc/ssh/ssh_config", Self.sshConfiguration),
      .directory("/root", mode: 0o700),
      .directory("/root/.ssh", mode: 0o700),
      .file("/root/.ssh/authorized_keys", keys.control.open, mode: 0o600),
    ]
    guard controls else { return items }
    items.append(.file("/root/.ssh/id_ed25519", keys.control.secret, mode: 0o600))
    for service in composition.accounts.filter({ !$0.isShared }).compactMap({ owners[$0.name] }) {
      items += [
        .directory(service.home, owner: service),
        .directory(service.home + "/.ssh", mode: 0o700, owner: service),
        .file(service.home + "/.ssh/id_ed25519", keys.control.secret, mode: 0o600, owner: service),
      ]
    }
    return items
  }

  /// The shared /home: everybody's directory, with a key that opens everybody's own account.
  var sharedHomes: [PlannedItem] {
    composition.accounts.filter(\.isShared).compactMap { owners[$0.name] }
      .flatMap { account -> [PlannedItem] in
        let home = String(account.home.dropFirst("/home".count))
        return [
          .directory(home, owner: account),
          .directory(home + "/.ssh", mode: 0o700, owner: account),
          .file(home + "/.ssh/id_ed25519", keys.user.secret, mode: 0o600, owner: account),
          .file(home + "/.ssh/id_ed25519.pub", keys.user.open, owner: account),
          .file(home + "/.ssh/authorized_keys", keys.user.open, mode: 0o600, owner: account),
        ]
      }
  }

  /// /etc/hosts: every host by name.
  static func hostsFile(_ hosts: [LabState.Host]) -> String {
    let lines = hosts.map { "\(HostAddress(index: $0.index)) \($0.name)\n" }
    return "127.0.0.1 localhost\n" + lines.joined()
  }

  /// The quick one: the standard exchange costs a tenth of a second of processor time per login, to
  /// keep secrets for decades that never leave this machine.
  private static let keyExchange = "curve25519-sha256"

  /// Without PAM, whose modules expect a machine of their own, and with room for many logins at
  /// once: a job that starts on all hosts is one.
  private static let sshdConfiguration = """
    Port \(sshPort)
    AddressFamily inet
    HostKey /etc/ssh/ssh_host_ed25519_key
    AuthorizedKeysFile .ssh/authorized_keys
    PermitRootLogin prohibit-password
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    UsePAM no
    UseDNS no
    PrintMotd no
    PrintLastLog no
    MaxStartups 1000
    MaxSessions 1000
    PidFile none
    AcceptEnv LANG LC_*
    Subsystem sftp internal-sftp
    KexAlgorithms \(keyExchange)

    """

  private static let sshConfiguration = """
    Host *
      AddressFamily inet
      GSSAPIAuthentication no
      StrictHostKeyChecking yes
      UserKnownHostsFile /dev/null
      UpdateHostKeys no
      SendEnv LANG LC_*
      KexAlgorithms \(keyExchange)

    """
}
