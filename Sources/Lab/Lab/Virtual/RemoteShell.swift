// Commands in virtual machines: an ssh of this machine in the network of the lab's switch, as root with
// the lab's control key. Connections are shared, so that the second command starts at once.

import CLinux
import Glibc

struct RemoteShell {
  let lab: Lab
  let state: LabState
  let host: String

  /// How long an unused connection is kept, in seconds.
  private static let persistence = 600
  private static let program = "ssh"

  func start(
    _ command: HostCommand, descriptors: [Int32], terminal: Bool = false
  ) throws -> Child {
    guard let holder = state.holder, let found = state.host(host) else {
      throw LabError("the lab has no switch", host: host)
    }
    let process = clinux_ns_pidfd(holder.pid)
    defer { close(process) }
    guard process >= 0, holder.isAlive else { throw LabError.system("reach", "the lab's switch") }
    // What is connected to a host ends with it.
    let entry = try state.cgroups.open(host, leafOnly: true)
    defer { entry.close() }
    var environment = RunningServices.environment + ["HOME=/nonexistent"]
    if let terminal = getenv("TERM") { environment.append("TERM=" + String(cString: terminal)) }
    let remote = ([GuestInit.program] + GuestCommand.words(command)).map(Self.quoted)
    return try Launch(
      program: .search(Self.program, in: HostCommand.searchPath),
      arguments: [Self.program] + (terminal ? ["-tt"] : ["-T"]) + options
        + ["root@\(HostAddress(index: found.index))", remote.joined(separator: " ")],
      environment: environment, descriptors: descriptors, cgroup: entry,
      join: (process, clinux_ns_network), directory: lab.paths.machine(host)
    ).start()
  }

  /// The files are named as seen from the machine's own directory: a socket's path must be short.
  private var options: [String] {
    let settings = [
      "BatchMode=yes", "IdentitiesOnly=yes", "IdentityFile=\(lab.paths.keys)/control",
      "UserKnownHostsFile=known", "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes",
      "UpdateHostKeys=no", "LogLevel=ERROR", "ConnectTimeout=20", "ServerAliveInterval=15",
      "KexAlgorithms=curve25519-sha256", "AddressFamily=inet", "EscapeChar=none",
      "ControlMaster=auto", "ControlPath=connection", "ControlPersist=\(Self.persistence)",
    ]
    return ["-F", "/dev/null"] + settings.flatMap { ["-o", $0] }
  }

  /// What ssh may take for the host's own key.
  func writeKnownHosts() throws {
    let keys = try Keys(reading: lab.paths.keys)
    try Files.write("* " + keys.host.open, to: lab.paths.machine(host) + "/known", mode: 0o600)
  }

  /// A word as any shell takes it.
  static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }
}
