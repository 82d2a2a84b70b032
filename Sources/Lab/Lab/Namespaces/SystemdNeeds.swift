// What the machine must have for hosts whose first process is systemd.

import Compositions
import Glibc

enum SystemdNeeds {
  /// Instances of inotify that the programs of one host use: systemd itself, its journal, the bus.
  static let instances = 7
  /// What others of the machine use already, roughly.
  private static let others = 20
  private static let limit = "/proc/sys/fs/inotify/max_user_instances"

  /// Why a composition can't have systemd here, or nil.
  static func problem(_ composition: Composition) -> LabError? {
    problem(composition, allowed: Files.value(limit).flatMap { Int($0) })
  }

  /// The same where a user may have so many instances of inotify.
  static func problem(_ composition: Composition, allowed: Int?) -> LabError? {
    guard composition.root != .host else {
      return LabError(
        "systemd in hosts on the machine's own root would start all that the machine starts; give them "
          + "an image, such as root: debian:bookworm")
    }
    let needed = composition.hosts.count * instances + others
    guard let allowed, allowed < needed else { return nil }
    return LabError(
      "systemd in \(composition.hosts.count) hosts needs about \(needed) instances of inotify, and this "
        + "machine allows \(allowed); let root call sysctl -w fs.inotify.max_user_instances=\(2 * needed)"
    )
  }
}

/// How the services of a host with systemd are.
enum SystemdState {
  /// The exit code of each of these services that has failed. Nothing if systemd can't be asked yet.
  static func failures(of services: [String], asking: (HostCommand) throws -> String) -> [(
    service: String, code: Int32
  )] {
    let units = services.map(SystemdUnits.name)
    let command = HostCommand(
      ["systemctl", "show", "--property=Id,ActiveState,ExecMainStatus"] + units)
    guard let text = try? asking(command) else { return [] }
    return text.split(separator: "\n\n").compactMap { block -> (String, Int32)? in
      var values: [Substring: Substring] = [:]
      for line in block.split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 { values[parts[0]] = parts[1] }
      }
      guard values["ActiveState"] == "failed",
        let service = services.first(where: { SystemdUnits.name($0) == values["Id"] ?? "" })
      else { return nil }
      return (service, Int32(values["ExecMainStatus"] ?? "") ?? 1)
    }
  }
}
