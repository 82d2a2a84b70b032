// What every host has whatever its role: names, accounts, ssh by key from host to host, MUNGE.

import Glibc

struct BaseSystem {
  var composition: Composition
  var accounts: Accounts
  private var owners: [String: Account]
  private var munge: Account

  static let sshd = "/usr/sbin/sshd"
  static let munged = "/usr/sbin/munged"
  static let mungeSocket = "/run/munge/munge.socket.2"
  static let sshPort: UInt16 = 22
  /// What a host must find on the machine, and the Debian package that brings it.
  static let needs = [
    (sshd, "openssh-server"), (Keys.keygen, "openssh-client"), ("/usr/bin/ssh", "openssh-client"),
    (munged, "munge"),
  ]

  init(_ composition: Composition, machine: Accounts) throws {
    self.composition = composition
    var accounts = machine
    var owners: [String: Account] = ["root": .root]
    for (name, home) in composition.accounts { owners[name] = accounts.add(name, home: home) }
    guard let munge = accounts["munge"] else {
      throw LabError("there is no account munge on this machine; run Scripts/setup")
    }
    self.accounts = accounts
    self.owners = owners
    self.munge = munge
  }

  /// The plan of one host of a role.
  func plan(host: String, role: Role, index: Int, keys: Keys, layers: [String]) throws -> HostPlan {
    var plan = HostPlan(name: host, index: index, layers: layers)
    plan.disk = names(host) + accountFiles + ssh(keys, controls: role.controls) + mungeFiles(keys)
    plan.disk += homes + composition.files(accounts) + commandLinks
    plan.boot = [
      .directory("/run/sshd"), .directory("/run/munge", owner: munge),
      .directory("/run/lock", mode: 0o1777),
    ]
    if let service = owners[Composition.serviceAccount.name] {
      plan.boot.append(.directory("/run/liburna", owner: service))
    }
    if let binaries = composition.binaries {
      plan.binds = [
        PlannedBind(source: binaries, target: Composition.productDirectory, readOnly: true)
      ]
    }
    if let data = composition.data {
      plan.binds.append(PlannedBind(source: data, target: "/data", readOnly: false))
    }
    plan.services = [sshService, mungeService]
    for service in role.services {
      guard let account = owners[service.user] else {
        throw LabError("service \(service.name) runs as \(service.user), who has no account")
      }
      plan.services.append(
        PlannedService(
          name: service.name, arguments: service.arguments, account: account,
          readiness: service.readiness, isKept: service.isKept))
    }
    return plan
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

  private var homes: [PlannedItem] {
    composition.accounts.filter { !$0.home.hasPrefix("/home/") }
      .compactMap { owners[$0.name] }
      .map { .directory($0.home, mode: 0o755, owner: $0) }
  }

  private var commandLinks: [PlannedItem] {
    composition.commands.map {
      .link("/usr/local/bin/" + $0.name, to: "\(Composition.productDirectory)/\($0.program)")
    }
  }

  private func mungeFiles(_ keys: Keys) -> [PlannedItem] {
    // munged insists on a key that only its own account can read, in a directory of the same.
    [
      .directory("/etc/munge", mode: 0o700, owner: munge),
      .file("/etc/munge/munge.key", keys.munge, mode: 0o400, owner: munge),
      .directory("/var/lib/munge", mode: 0o711, owner: munge),
      .directory("/var/log/munge", mode: 0o700, owner: munge),
    ]
  }

  private func ssh(_ keys: Keys, controls: Bool) -> [PlannedItem] {
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
    if let service = owners[Composition.serviceAccount.name] {
      items += [
        .directory(service.home, owner: service),
        .directory(service.home + "/.ssh", mode: 0o700, owner: service),
        .file(service.home + "/.ssh/id_ed25519", keys.control.secret, mode: 0o600, owner: service),
      ]
    }
    return items
  }

  /// The shared /home: everybody's directory, with a key that opens everybody's own account.
  func sharedHomes(_ keys: Keys) -> [PlannedItem] {
    composition.accounts.filter { $0.home.hasPrefix("/home/") }.compactMap { owners[$0.name] }
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
  static func hostsFile(_ hosts: [String]) -> String {
    let lines = hosts.enumerated().map { "\(HostAddress(index: $0.offset + 1)) \($0.element)\n" }
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
