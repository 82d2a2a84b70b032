// The files of one lab: all of them below one directory, which is gone when the lab is.

struct LabPaths {
  /// The lab's directory, absolute and without symbolic links.
  var directory: String

  var state: String { directory + "/state" }
  var keys: String { directory + "/keys" }
  var hostsFile: String { directory + "/hosts" }
  var plans: String { directory + "/plans" }
  func plan(_ host: String) -> String { plans + "/" + host }
  func logs(_ host: String) -> String { allLogs + "/" + host }
  var allLogs: String { directory + "/logs" }
  func log(_ host: String, _ service: String) -> String { logs(host) + "/" + service + ".log" }

  /// Where the holder, and hosts while they boot, have the file system of disks.
  var disks: String { directory + "/disks" }
  /// What the lab was like at each snapshot, and the disks then.
  var snapshots: String { directory + "/snapshots" }
  var snapshotDisks: String { disks + "/snapshots" }
  /// A directory that all hosts share, by its path in them.
  func shared(_ path: String) -> String { disks + "/shared/" + path.replacing("/", with: ":") }
  /// Where the holder of a lab without root has copies of what is root's on the machine.
  var rootCopies: String { disks + "/machine" }
  func disk(_ host: String) -> String { disks + "/" + host }

  /// The group of the holder among the lab's cgroups, and its name in messages.
  static let holder = "holder"
  /// The log of a host's own first process.
  static let bootLog = "boot"
  /// The log of the composition's steps on a host.
  static let stepLog = "steps"
}
