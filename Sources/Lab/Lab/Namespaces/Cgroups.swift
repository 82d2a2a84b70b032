// Where a lab's processes live: one cgroup per host in every hierarchy of the machine, v1 and v2
// alike. A whole host or lab ends by ending its cgroup, whatever its processes did meanwhile.

import Glibc

/// One cgroup hierarchy of the machine, and the directory in it that holds the lab.
struct CgroupHierarchy: Equatable, Codable {
  /// Where the machine has it mounted.
  var mountPoint: String
  /// The options it is mounted with, say `cpu,cpuacct`; empty for v2.
  var options: String
  var isUnified: Bool
  /// The lab's own cgroup, an absolute path below the mount point.
  var directory: String

  var controllers: [Substring] { options.split(separator: ",") }
  /// What hosts call it below /sys/fs/cgroup.
  var name: String { mountPoint.split(separator: "/").last.map(String.init) ?? "cgroup" }
}

/// Descriptors through which a new process enters its cgroups.
struct CgroupEntry {
  /// A v2 directory that the process is born in: it never lives anywhere else.
  var birth: Int32?
  /// `cgroup.procs` of the v1 groups, entered first.
  var memberships: [Int32] = []
  /// `cgroup.procs` of the v2 leaf, entered once the cgroup namespace is made: a v2 group with
  /// controllers for its children may hold no process itself.
  var leaves: [Int32] = []

  func close() {
    for descriptor in memberships + leaves { Glibc.close(descriptor) }
    if let birth { Glibc.close(birth) }
  }
}

/// The cgroups of one lab.
struct Cgroups: Equatable, Codable {
  var hierarchies: [CgroupHierarchy]

  /// The v1 controllers that hosts get, where the machine has them.
  static let wantedControllers: Set<Substring> = [
    "cpuset", "cpu", "cpuacct", "memory", "freezer", "pids", "devices", "blkio",
    // systemd's own, without a controller.
    "name=systemd",
  ]
  /// The leaf of v2 in which a host's processes start.
  static let leaf = "init"

  /// Whether the lab's group is a scope that systemd makes, on a machine with v2 alone.
  var isScope: Bool {
    hierarchies.allSatisfy(\.isUnified) && hierarchies.contains { $0.directory.hasSuffix(".scope") }
  }

  func create() throws {
    // Without systemd nobody else hands controllers out at the root of a pure v2 tree.
    if let only = hierarchies.first, hierarchies.count == 1, only.isUnified, !isScope {
      let parent = String(
        only.directory[..<(only.directory.lastIndex(of: "/") ?? only.directory.endIndex)])
      Self.enableControllers(in: parent, Self.wantedControllers)
    }
    for hierarchy in hierarchies { try make(hierarchy.directory, in: hierarchy) }
    for hierarchy in hierarchies where hierarchy.isUnified {
      Self.enableControllers(in: hierarchy.directory)
    }
  }

  func create(_ group: String) throws {
    for hierarchy in hierarchies {
      let directory = hierarchy.directory + "/" + group
      try make(directory, in: hierarchy)
      if hierarchy.isUnified { try make(directory + "/" + Self.leaf, in: hierarchy) }
    }
  }

  private func make(_ directory: String, in hierarchy: CgroupHierarchy) throws {
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
      throw LabError.system("create the cgroup", directory)
    }
    guard hierarchy.controllers.contains("cpuset") else { return }
    // A v1 cpuset starts out empty and then takes no process.
    for file in ["cpuset.cpus", "cpuset.mems"] where Files.value(directory + "/" + file) == "" {
      let parent = directory + "/../" + file
      guard let value = Files.value(parent) else { throw LabError.system("read", parent) }
      try Files.set(value, in: directory + "/" + file)
    }
  }

  /// Lets the children of a v2 group use the controllers that the group itself has, all or some.
  static func enableControllers(in directory: String, _ some: Set<Substring>? = nil) {
    let available = Files.value(directory + "/cgroup.controllers") ?? ""
    for controller in available.split(separator: " ") where some?.contains(controller) ?? true {
      // One at a time: a controller that can't be enabled must not keep the others away.
      try? Files.set("+" + controller, in: directory + "/cgroup.subtree_control")
    }
  }

  /// Opens the way into a group. With `leafOnly`, v2 is entered at the leaf from the start, as for
  /// a process that joins a running host. The caller closes the entry.
  func open(_ group: String, leafOnly: Bool) throws -> CgroupEntry {
    var entry = CgroupEntry()
    do {
      for hierarchy in hierarchies {
        let directory = hierarchy.directory + "/" + group
        let leaf = directory + "/" + Self.leaf
        if hierarchy.isUnified {
          entry.birth = try Self.open(leafOnly ? leaf : directory, O_DIRECTORY)
          if !leafOnly { entry.leaves.append(try Self.open(leaf + "/cgroup.procs", O_WRONLY)) }
        } else {
          entry.memberships.append(try Self.open(directory + "/cgroup.procs", O_WRONLY))
        }
      }
    } catch {
      entry.close()
      throw error
    }
    return entry
  }

  /// Moves a process to the leaf of a group in every hierarchy.
  func move(_ process: pid_t, to group: String) throws {
    for hierarchy in hierarchies {
      let directory = hierarchy.directory + "/" + group
      let place = hierarchy.isUnified ? directory + "/" + Self.leaf : directory
      try Files.set(String(process), in: place + "/cgroup.procs")
    }
  }

  private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
    let descriptor = Glibc.open(path, flags | O_CLOEXEC)
    guard descriptor >= 0 else { throw LabError.system("open", path) }
    return descriptor
  }
}
