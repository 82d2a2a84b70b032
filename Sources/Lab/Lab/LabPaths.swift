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

  /// A directory for the socket of a host that is reached by one.
  func line(_ host: String) -> String { directory + "/lines/" + host }
  /// A link to the program that hosts of this lab run first, where that isn't the tool itself.
  var hostProgram: String { directory + "/" + HostProgram.name }

  /// Where the holder, and hosts while they boot, have the file system of disks. What is there beside
  /// the disks of hosts has a colon first, which no host has in its name.
  var disks: String { directory + "/disks" }
  /// What the lab was like at each snapshot, and the disks then.
  var snapshots: String { directory + "/snapshots" }
  var snapshotDisks: String { disks + "/:snapshots" }
  /// A directory that all hosts share, by its path in them.
  func shared(_ path: String) -> String { disks + "/:shared/" + path.replacing("/", with: ":") }
  /// Where the holder of a lab without root has copies of what is root's on the machine.
  var rootCopies: String { disks + "/:machine" }
  func disk(_ host: String) -> String { disks + "/" + host }

  /// The group of the holder among the lab's cgroups, and its name in messages.
  static let holder = "holder"
  /// The log of a host's own first process.
  static let bootLog = "boot"
  /// The log of the connection to a host that is a machine.
  static let connectionLog = "connection"
  /// The log of the composition's steps on a host.
  static let stepLog = "steps"
}
