// A job's cgroups as OAR 2's job manager makes them: by them `oarsh`, suspending and the clean-up of OAR 2 find
// the job's processes.

import CLinux
import Glibc
import Wire

extension ControlGroupsV1 {
  /// The controllers that OAR 2's job manager uses.
  static let sharedNames: Set<String> = ["cpuset", "cpu", "cpuacct", "devices", "freezer"]
  /// Where OAR 2's job manager and `oarsh` look for hierarchies, a link each.
  static let links = "/dev/oar_cgroups_links"
  /// Where they look for that of cpusets.
  static let cpusetLink = "/dev/cpuset"

  func share(_ path: String, with owner: Account) throws(SystemError) {
    try shareParents(of: path, with: owner)
    for (controller, root) in shared {
      let directory = "\(root)/\(path)"
      guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
        isShared = false
        throw SystemError("cannot make the cgroup \(directory)")
      }
      if controller == "cpuset" { try fill(directory, from: root, path) }
      give(directory, to: owner)
    }
  }

  /// Makes what stands above all jobs, once.
  private func shareParents(of path: String, with owner: Account) throws(SystemError) {
    guard !isShared else { return }
    let parent = path.split(separator: "/").dropLast().joined(separator: "/")
    for (controller, root) in shared {
      try Files.makeDirectories("\(root)/\(parent)", mode: 0o755)
      if controller == "cpuset" { try fill("\(root)/\(parent)", from: root, parent) }
      give("\(root)/\(parent)", to: owner)
    }
    if isWhole { try makeLinks() }
    isShared = true
  }

  /// A cpuset without CPUs and memory takes no process; what is not set is as above.
  private func fill(_ directory: String, from root: String, _ path: String) throws(SystemError) {
    var level = root
    for name in path.split(separator: "/") {
      let above = level
      level += "/\(name)"
      for file in ["cpuset.cpus", "cpuset.mems"] where Files.text("\(level)/\(file)") == "" {
        try Files.control("\(level)/\(file)", Files.text("\(above)/\(file)") ?? "")
      }
    }
  }

  /// OAR 2 thaws and freezes jobs as its own account.
  private func give(_ directory: String, to owner: Account) {
    chown(directory, owner.uid, gid_t.max)
    for name in Files.names(in: directory) { lchown("\(directory)/\(name)", owner.uid, gid_t.max) }
  }

  private func makeLinks() throws(SystemError) {
    try Files.makeDirectories(Self.links, mode: 0o755)
    for (controller, root) in shared { try link(root, "\(Self.links)/\(controller)") }
    if let root = shared["cpuset"] { try link(root, Self.cpusetLink) }
  }

  private func link(_ target: String, _ path: String) throws(SystemError) {
    guard symlink(target, path) == 0 || errno == EEXIST else {
      throw SystemError("cannot make the link \(path)")
    }
  }
}
