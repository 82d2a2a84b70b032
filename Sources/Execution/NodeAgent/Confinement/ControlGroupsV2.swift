// cgroup version 2: one hierarchy, whose controllers are switched on level by level.

import Glibc
import Wire

final class ControlGroupsV2: ControlGroups {
  /// Where the agent and its shepherds go when the root must be empty of processes.
  static let leaf = "liburna-node"
  /// The controllers that confinements can ask for.
  static let controllers = ["cpuset", "memory"]

  var remarks: [String] = []
  private let mount: String
  private let root: String
  private let usesCPUs: Bool
  /// By the directory above the jobs': what can be enforced in them.
  private var readyParents: [String: Set<String>] = [:]
  private var said: Set<String> = []

  /// - Parameters:
  ///   - mount: where the hierarchy is mounted.
  ///   - root: the cgroup below which everything is made; empty for the mount point.
  init(mount: String, root: String, usesCPUs: Bool) {
    self.mount = mount
    self.root = mount + root
    self.usesCPUs = usesCPUs
  }

  private func directory(_ path: String) -> String { "\(root)/\(path)" }

  private func parent(of path: String) -> String {
    path.split(separator: "/").dropLast().joined(separator: "/")
  }

  func prepare(for confinement: Confinement) throws(SystemError) {
    let parent = directory(parent(of: confinement.path))
    if readyParents[parent] == nil {
      try Files.makeDirectories(parent, mode: 0o755)
      var level = mount
      switchOn(at: level)
      for name in parent.dropFirst(mount.count).split(separator: "/") {
        level += "/\(name)"
        switchOn(at: level)
      }
      readyParents[parent] = Set(words("\(parent)/cgroup.subtree_control"))
    }
    for controller in wanted(confinement) where readyParents[parent]?.contains(controller) != true {
      remarkMissing(controller, &said)
    }
  }

  /// Gives a level's controllers to those below it. What can't be given is found missing at the end.
  ///
  /// A cgroup that gives controllers may hold no process itself (but the real root): if the agent is in
  /// there, it moves out of the way.
  private func switchOn(at level: String) {
    let given = words("\(level)/cgroup.subtree_control")
    let available = words("\(level)/cgroup.controllers")
    for controller in Self.controllers where available.contains(controller) {
      guard !given.contains(controller) else { continue }
      do {
        try Files.control("\(level)/cgroup.subtree_control", "+\(controller)")
      } catch  where error.code == EBUSY && level == root {
        try? Files.makeDirectories("\(root)/\(Self.leaf)", mode: 0o755)
        try? Files.control("\(root)/\(Self.leaf)/cgroup.procs", "0")
        try? Files.control("\(level)/cgroup.subtree_control", "+\(controller)")
      } catch {}
    }
  }

  private func words(_ path: String) -> [String] {
    (Files.text(path) ?? "").split(separator: " ").map(String.init)
  }

  private func wanted(_ confinement: Confinement) -> [String] {
    (usesCPUs && !confinement.cpus.isEmpty ? ["cpuset"] : [])
      + (confinement.memoryLimit != nil ? ["memory"] : [])
  }

  func create(_ confinement: Confinement) throws(SystemError) {
    try prepare(for: confinement)
    let directory = directory(confinement.path)
    var isThere = mkdir(directory, 0o755) == 0 || errno == EEXIST
    if !isThere, errno == ENOENT {
      // Somebody removed the parents behind our back.
      readyParents = [:]
      try prepare(for: confinement)
      isThere = mkdir(directory, 0o755) == 0
    }
    guard isThere else { throw SystemError("cannot make the cgroup \(directory)") }
    let enforced = readyParents[self.directory(parent(of: confinement.path))] ?? []
    for controller in wanted(confinement) where enforced.contains(controller) {
      if controller == "cpuset" {
        try Files.control("\(directory)/cpuset.cpus", cpuList(confinement.cpus))
      } else if let limit = confinement.memoryLimit {
        try Files.control("\(directory)/memory.max", String(limit))
      }
    }
  }

  func exists(_ path: String) -> Bool { access(directory(path), F_OK) == 0 }

  func entry(_ path: String) throws(SystemError) -> GroupEntry {
    let file = open(directory(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw SystemError("cannot open the cgroup \(directory(path))") }
    return GroupEntry(directory: file)
  }

  func children(_ path: String) -> [String] { groupNames(in: directory(path)) }

  func directories(_ path: String) -> [String] { [directory(path)] }

  func processes(_ path: String) -> [pid_t] { processesOfGroupTree(directory(path)) }

  func setFrozen(_ path: String, _ frozen: Bool) throws(SystemError) {
    try Files.control("\(directory(path))/cgroup.freeze", frozen ? "1" : "0")
  }

  func killAll(_ path: String) {
    do {
      try Files.control("\(directory(path))/cgroup.kill", "1")
    } catch {
      // Kernels before 5.14.
      try? setFrozen(path, true)
      signal(path, SIGKILL)
      try? setFrozen(path, false)
    }
  }

  func remove(_ path: String) -> Bool { removeGroupTree(directory(path)) }
}
