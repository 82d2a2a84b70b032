// Which cgroup hierarchies this machine has, and where in them a lab may be made: below the cgroup
// that the tool itself runs in on v1, and where controllers are to be had on v2.

import Glibc

/// One line of /proc/PID/mountinfo.
struct MountEntry: Equatable {
  var root: String
  var point: String
  var type: String
  var options: String

  /// Reads mountinfo text; lines that are not understood are left out.
  static func parse(_ text: String) -> [MountEntry] {
    text.split(separator: "\n").compactMap { line in
      let halves = line.split(separator: " ", omittingEmptySubsequences: false)
      guard let dash = halves.firstIndex(of: "-"), dash >= 6, halves.count >= dash + 4 else {
        return nil
      }
      return MountEntry(
        root: unescape(halves[3]), point: unescape(halves[4]), type: String(halves[dash + 1]),
        options: String(halves[dash + 3]))
    }
  }

  /// The kernel writes blanks and the like as a backslash and three octal digits.
  private static func unescape(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Cgroups {
  /// The slice of systemd that holds the scopes of labs on a pure v2 machine.
  static let systemdSlice = "system.slice"

  /// The cgroups for a new lab. `group` is the name of the lab's own directory in each hierarchy.
  static func detect(group: String) throws -> Cgroups {
    let mounts = MountEntry.parse(try Files.readText("/proc/self/mountinfo"))
    let own = ownGroups(try Files.readText("/proc/self/cgroup"))
    if Rootless.isActive { return delegated(group: group, mounts: mounts, own: own) }
    let cgroups = detect(group: group, mounts: mounts, own: own, systemd: runsSystemd)
    guard !cgroups.hierarchies.isEmpty else {
      throw LabError("this machine has no cgroup file system mounted; mount one at /sys/fs/cgroup")
    }
    return cgroups
  }

  /// What of v2 was handed to an ordinary user whom we are; without that, a lab needs none. Its group must
  /// be near our own: a process may only be moved where who moves it may write to what both have in common.
  static func delegated(group: String, mounts: [MountEntry], own: [String: String]) -> Cgroups {
    guard let unified = mounts.first(where: { $0.type == "cgroup2" }), let mine = own[""] else {
      return Cgroups(hierarchies: [])
    }
    var parent: String?
    var candidate = directory(of: mine, in: unified)
    while candidate.count > unified.point.count, isOurs(candidate) {
      parent = candidate
      guard let slash = candidate.lastIndex(of: "/") else { break }
      candidate = String(candidate[..<slash])
    }
    guard let parent else { return Cgroups(hierarchies: []) }
    return Cgroups(hierarchies: [
      CgroupHierarchy(
        mountPoint: unified.point, options: "", isUnified: true, directory: parent + "/" + group)
    ])
  }

  private static func isOurs(_ directory: String) -> Bool {
    access(directory, W_OK) == 0 && access(directory + "/cgroup.procs", W_OK) == 0
  }

  static var runsSystemd: Bool { Files.isDirectory("/run/systemd/system") }

  /// The name of the transient systemd scope that a group becomes on a pure v2 machine.
  static func scope(_ group: String) -> String { group + ".scope" }

  static func detect(
    group: String, mounts: [MountEntry], own: [String: String], systemd: Bool
  ) -> Cgroups {
    var found: [CgroupHierarchy] = []
    for mount in mounts where mount.type == "cgroup" {
      let options = mount.options.split(separator: ",").filter { wantedControllers.contains($0) }
      let key = options.joined(separator: ",")
      guard !options.isEmpty, !found.contains(where: { $0.options == key }),
        let mine = own.first(where: { $0.key.split(separator: ",").contains(options[0]) })
      else { continue }
      let parent = directory(of: mine.value, in: mount)
      found.append(
        CgroupHierarchy(
          mountPoint: mount.point, options: key, isUnified: false, directory: parent + "/" + group))
    }
    guard let unified = mounts.first(where: { $0.type == "cgroup2" }), let mine = own[""] else {
      return Cgroups(hierarchies: found)
    }
    let directory: String
    if !found.isEmpty {
      directory = self.directory(of: mine, in: unified) + "/" + group
    } else if systemd {
      // systemd owns the tree: only a scope it delegates keeps its controllers.
      directory = "\(unified.point)/\(systemdSlice)/\(scope(group))"
    } else {
      directory = unifiedParent(self.directory(of: mine, in: unified), unified.point) + "/" + group
    }
    found.append(
      CgroupHierarchy(
        mountPoint: unified.point, options: "", isUnified: true, directory: directory))
    return Cgroups(hierarchies: found)
  }

  /// Reads /proc/PID/cgroup: the path in each hierarchy, by its controllers ("" for v2).
  static func ownGroups(_ text: String) -> [String: String] {
    var groups: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      if parts.count == 3 { groups[String(parts[1])] = String(parts[2]) }
    }
    return groups
  }

  /// Where a cgroup's path shows in the file system: a mount may begin below the hierarchy's root.
  private static func directory(of path: String, in mount: MountEntry) -> String {
    var below = path
    if mount.root != "/", path == mount.root || path.hasPrefix(mount.root + "/") {
      below = String(path.dropFirst(mount.root.count))
    }
    return below == "/" || below.isEmpty ? mount.point : mount.point + below
  }

  /// The nearest group, from our own upwards, that hands controllers to its children; the root,
  /// where nobody else manages it, is made to. Our own group can't be: it holds processes.
  private static func unifiedParent(_ own: String, _ root: String) -> String {
    var candidate = own
    while candidate.count > root.count {
      let handed = Files.value(candidate + "/cgroup.subtree_control") ?? ""
      if handed.split(separator: " ").contains("cpuset") { return candidate }
      guard let slash = candidate.lastIndex(of: "/") else { break }
      candidate = String(candidate[..<slash])
    }
    return root
  }
}
