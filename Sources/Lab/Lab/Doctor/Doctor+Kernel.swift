// Checks of the kernel: who we are to it, overlays, namespaces.

extension Doctor {
  static func user(_ readings: Readings) -> Finding {
    readings.isRoot
      ? Finding("user", .fine, "root")
      : Finding(
        "user", .limited, "\(readings.userName), an ordinary user",
        remedy: "sudo lets labs use what is root's: cgroups v1, roots of Debian")
  }

  static func overlay(_ readings: Readings) -> Finding {
    let known = readings.text("/proc/filesystems") ?? ""
    if known.split(whereSeparator: \.isWhitespace).contains("overlay") {
      return Finding("overlay file systems", .fine, "the kernel has them")
    }
    return Finding(
      "overlay file systems", .missing, "the kernel has none",
      remedy: "modprobe overlay, or a kernel with CONFIG_OVERLAY_FS")
  }

  /// The kinds that a host is made of, by their names in /proc/self/ns.
  static let namespaceKinds = ["mnt", "uts", "ipc", "pid", "net", "cgroup"]

  static func namespaces(_ readings: Readings) -> Finding {
    let missing = namespaceKinds.filter { !hasNamespace($0, readings) }
    guard missing.isEmpty else {
      return Finding(
        "kernel namespaces", .missing, "the kernel lacks \(missing.joined(separator: ", "))",
        remedy: "a kernel with CONFIG_NAMESPACES and all kinds of it")
    }
    return Finding("kernel namespaces", .fine, namespaceKinds.joined(separator: ", "))
  }

  /// The files of /proc/self/ns are links that only root of the machine may always read; limits of
  /// their numbers are there for everybody.
  private static func hasNamespace(_ kind: String, _ readings: Readings) -> Bool {
    (readings.number("/proc/sys/user/max_\(kind)_namespaces") ?? 0) > 0
  }

  /// Whether an ordinary user may make namespaces: what keeps them from it comes first.
  static func userNamespaces(_ readings: Readings) -> Finding {
    let subject = "user namespaces"
    if (readings.number("/proc/sys/user/max_user_namespaces") ?? 0) == 0 {
      return Finding(
        subject, .missing, "user.max_user_namespaces is 0, or the kernel has none",
        remedy: "sysctl -w user.max_user_namespaces=10000")
    }
    if readings.number("/proc/sys/kernel/unprivileged_userns_clone") == 0 {
      return Finding(
        subject, .missing, "kernel.unprivileged_userns_clone is 0: for root only",
        remedy: "sysctl -w kernel.unprivileged_userns_clone=1")
    }
    if readings.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 {
      return Finding(
        subject, .missing,
        "AppArmor forbids them to programs without a profile "
          + "(kernel.apparmor_restrict_unprivileged_userns is 1)",
        remedy: "an AppArmor profile with `userns,` for liburna, or "
          + "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
    }
    if readings.isRoot { return Finding(subject, .fine, "allowed to everybody") }
    return identities(readings)
  }

  /// A user needs numbers for the users of hosts.
  private static func identities(_ readings: Readings) -> Finding {
    let subject = "user namespaces"
    for file in ["/etc/subuid", "/etc/subgid"] {
      let lines = (readings.text(file) ?? "").split(separator: "\n")
      let owners = [readings.userName, String(readings.user)]
      guard lines.contains(where: { line in owners.contains { line.hasPrefix($0 + ":") } }) else {
        return Finding(
          subject, .limited, "\(file) has no numbers for \(readings.userName)",
          remedy: "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "
            + readings.userName)
      }
    }
    for program in ["newuidmap", "newgidmap"] where readings.program(program) == nil {
      return Finding(
        subject, .limited, "\(program) is missing", remedy: "apt-get install uidmap")
    }
    return Finding(subject, .fine, "allowed, with numbers for \(readings.userName)")
  }
}
