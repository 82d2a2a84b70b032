// What a machine must allow for labs without root, and what to change where it does not.

import Glibc

enum RootlessNeeds {
  /// The calling user as the files of ids name him.
  static var user: (name: String, id: uid_t) {
    let id = geteuid()
    let name = getpwuid(id).map { String(cString: $0.pointee.pw_name) }
    return (name ?? String(id), id)
  }

  /// Where a program is, which takes part in making a user namespace.
  static func find(_ program: String) throws -> String {
    for directory in HostEntry.searchPath where Files.isExecutable(directory + "/" + program) {
      return directory + "/" + program
    }
    throw LabError(
      "\(program) is missing, without which labs need root; apt-get install uidmap (elsewhere: "
        + "shadow-utils), or run this command with sudo")
  }

  /// Why this machine would refuse a user namespace, as far as it can be seen without trying.
  static var problem: LabError? { problem { Files.value($0) } }

  /// The same for a machine whose files of the kernel have these values.
  static func problem(_ value: (String) -> String?) -> LabError? {
    for name in ["user/max_user_namespaces", "kernel/unprivileged_userns_clone"]
    where value("/proc/sys/" + name) == "0" {
      let setting = name.replacing("/", with: ".")
      return LabError(
        "this machine forbids user namespaces (\(setting) is 0), without which labs need root; let root "
          + "set it (sysctl -w \(setting)=\(name.hasPrefix("user") ? 10_000 : 1)), or use sudo")
    }
    let restricts = value("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
    let label = value("/proc/self/attr/current") ?? ""
    guard restricts, label == "unconfined" || label.isEmpty else { return nil }
    return LabError(
      "AppArmor keeps this program from user namespaces, without which labs need root; let root install "
        + "Scripts/apparmor/liburna as /etc/apparmor.d/liburna, with the path of this program in it, and "
        + "call apparmor_parser -r /etc/apparmor.d/liburna; or run this command with sudo")
  }

  /// Why making a user namespace failed at a step, with what its helpers said.
  static func explain(_ error: Int32, at step: String, _ complaints: String) -> LabError {
    let tail = complaints.split(separator: "\n").map(String.init)
    let reason = String(cString: strerror(error))
    if error == ENOSPC {
      return LabError(
        "cannot \(step): this machine allows no more of them; let root raise user.max_user_namespaces"
      )
    }
    guard step.hasPrefix("/") else {
      return LabError(
        "cannot \(step): \(reason); this machine does not let ordinary users, so use sudo",
        logTail: tail)
    }
    return LabError(
      "\(step) could not give the lab its ids; is it setuid root, and the range in its file yours?",
      logTail: tail)
  }
}
