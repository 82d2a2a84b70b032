// Ending a cgroup: kill everything in it, however nested, wait until it is empty, remove it.

import Glibc

extension Cgroups {
  /// How long killed processes may take to be gone, in seconds: memory is freed meanwhile.
  static let deathDeadline = 20

  /// Kills and removes one group and all below it; "" is the whole lab. Does nothing if it is gone.
  func remove(_ group: String = "") throws {
    let directories = hierarchies.map { hierarchy in
      (hierarchy, group.isEmpty ? hierarchy.directory : hierarchy.directory + "/" + group)
    }
    let deadline = Deadline(seconds: Self.deathDeadline)
    let freezer = directories.first { $0.0.controllers.contains("freezer") }?.1
    // Some processes may be in one hierarchy only, so each is emptied. v2 first: it kills at once.
    for (hierarchy, directory) in directories.sorted(by: { $0.0.isUnified && !$1.0.isUnified }) {
      try Self.empty(directory, hierarchy, freezer: freezer, deadline)
    }
    for (_, directory) in directories { try Self.removeTree(directory, deadline) }
  }

  private static func empty(
    _ directory: String, _ hierarchy: CgroupHierarchy, freezer: String?, _ deadline: Deadline
  ) throws {
    let hasKill = hierarchy.isUnified && Files.exists(directory + "/cgroup.kill")
    while true {
      let processes = self.processes(in: directory)
      if processes.isEmpty { return }
      if hasKill {
        try? Files.set("1", in: directory + "/cgroup.kill")
      } else {
        for process in processes { Glibc.kill(process, SIGKILL) }
      }
      if let freezer { thaw(freezer) }
      guard !deadline.isOver else {
        throw LabError(
          "processes \(processes) in \(directory) do not die; look at /proc/PID/stack of each")
      }
      usleep(500)
    }
  }

  /// Lets frozen v1 groups run again: a frozen process takes no signal, not even a deadly one.
  private static func thaw(_ directory: String) {
    let state = directory + "/freezer.state"
    guard Files.exists(state) else { return }
    try? Files.set("THAWED", in: state)
    for name in Files.list(directory) where Files.isDirectory(directory + "/" + name) {
      thaw(directory + "/" + name)
    }
  }

  /// Every process in a group and the groups below it.
  static func processes(in directory: String) -> [pid_t] {
    guard Files.isDirectory(directory) else { return [] }
    var found = (Files.value(directory + "/cgroup.procs") ?? "")
      .split(separator: "\n").compactMap { pid_t($0) }
      .filter { $0 > 0 }  // 0 stands for a process this pid namespace can't see
    for name in Files.list(directory) where Files.isDirectory(directory + "/" + name) {
      found += processes(in: directory + "/" + name)
    }
    return found
  }

  /// Removes the directories from the bottom up. The kernel may need a moment after the last death.
  private static func removeTree(_ directory: String, _ deadline: Deadline) throws {
    for name in Files.list(directory) where Files.isDirectory(directory + "/" + name) {
      try removeTree(directory + "/" + name, deadline)
    }
    while rmdir(directory) != 0 {
      if errno == ENOENT { return }
      guard errno == EBUSY, !deadline.isOver else {
        throw LabError.system("remove the cgroup", directory)
      }
      usleep(500)
    }
  }
}
