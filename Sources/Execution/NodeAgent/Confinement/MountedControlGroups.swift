// Which cgroups this host has: read from the mount table.

import Glibc
import Wire

/// Finds the back end for this host.
enum MountedControlGroups {
  /// Version 1 where its controllers are mounted (they are not to be had in version 2 then), else
  /// version 2, else none.
  ///
  /// - Parameters:
  ///   - root: a cgroup as `/proc/self/cgroup` names it, below which everything is made; empty for the top.
  ///   - usesCPUs: whether jobs are bound to CPUs.
  static func find(root: String, usesCPUs: Bool, mountTable: String? = nil) -> any ControlGroups {
    let mounts = parse(mountTable ?? readMountTable())
    let prefix = root == "/" ? "" : root
    if let groups = ControlGroupsV1(mounts: mounts.version1, root: prefix, usesCPUs: usesCPUs) {
      return groups
    }
    if let mount = mounts.version2 {
      return ControlGroupsV2(mount: mount, root: prefix, usesCPUs: usesCPUs)
    }
    return NoControlGroups()
  }

  private static func readMountTable() -> String {
    String(decoding: (try? Files.read("/proc/self/mountinfo")) ?? [], as: UTF8.self)
  }

  /// The mount points of `/proc/self/mountinfo`.
  static func parse(_ table: String) -> (version1: [String: String], version2: String?) {
    var version1: [String: String] = [:]
    var version2: String?
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count, dash > 4 else {
        continue
      }
      let point = String(fields[4])
      if fields[dash + 1] == "cgroup2" {
        version2 = version2 ?? point
      } else if fields[dash + 1] == "cgroup" {
        for option in fields[dash + 3].split(separator: ",") { version1[String(option)] = point }
      }
    }
    return (version1, version2)
  }
}

/// A host without cgroups: jobs run unconfined, and only their own processes are found again.
final class NoControlGroups: ControlGroups {
  var remarks = ["no cgroups are mounted: jobs are not confined"]

  func prepare(for confinement: Confinement) {}
  func create(_ confinement: Confinement) {}
  func exists(_ path: String) -> Bool { true }
  func entry(_ path: String) -> GroupEntry { GroupEntry() }
  func children(_ path: String) -> [String] { [] }
  func directories(_ path: String) -> [String] { [] }
  func processes(_ path: String) -> [pid_t] { [] }
  func setFrozen(_ path: String, _ frozen: Bool) throws(SystemError) {
    throw SystemError("no cgroups are mounted: \(path) can't be suspended", code: ENOTSUP)
  }
  func killAll(_ path: String) {}
  func remove(_ path: String) -> Bool { true }
}
