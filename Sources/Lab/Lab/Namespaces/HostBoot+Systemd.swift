// Hosts whose first process is systemd: what it needs beside what every host has, and the step into it.

import CLinux
import Glibc

extension HostBoot {
  /// What systemd asks to find out that it has no machine of its own.
  private static let container = ("container", "liburna-lab")
  private static let idPath = "/etc/machine-id"

  /// Makes ready what systemd needs, before the host's root is entered.
  func prepareSystemd(_ root: String) throws {
    // The services' logs stay where the lab has those of all hosts.
    try Files.makeDirectories(root + GuestPaths.logs)
    try Mounts.bind(paths.logs(plan.name), to: root + GuestPaths.logs)
    // It would mount the controllers that are missing, and so change those of the machine.
    let groups = root + "/sys/fs/cgroup"
    if hierarchies.contains(where: { !$0.isUnified }) { try Mounts.makeReadOnly(groups) }
    let mark = paths.disk(plan.name) + "/named"
    guard !Files.exists(mark) else { return }
    try Installer.install([.file(Self.idPath, Self.newID() + "\n", mode: 0o444)], below: root)
    try Files.write("", to: mark)
  }

  /// Hosts of one image must not take themselves for the same machine.
  private static func newID() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<32).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
  }

  /// Reports, waits to be remembered, and becomes systemd. Only returns if that fails.
  func becomeSystemd(_ channel: BootChannel) throws -> Int32 {
    try Installer.install(SystemdUnits.items(plan), below: "")
    channel.send(.ready)
    guard channel.waitUntilRemembered() else { return 1 }
    clinux_ns_outlive()
    setenv(Self.container.0, Self.container.1, 1)
    // Nothing but the log goes along.
    clinux_close_from(3)
    throw LabError.system("run", SystemdUnits.program, SystemdUnits.run())
  }
}
