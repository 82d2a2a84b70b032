// cgroup version 1: a hierarchy a controller. The freezer holds every job; cpuset and memory those that
// ask for them.

import Glibc
import Wire

final class ControlGroupsV1: ControlGroups {
  var remarks: [String] = []
  /// Where each controller's hierarchy begins for us: mount point and root together.
  private let hierarchies: [String: String]
  /// The hierarchy that every job is in: the freezer, where there is one.
  private let base: String
  /// The hierarchies of OAR 2's job manager, beside those that we use ourselves.
  let shared: [String: String]
  /// Where hierarchies begin that are not cut down to a part of ours.
  let isWhole: Bool
  /// Whether the directories above the jobs' are as OAR 2's job manager makes them.
  var isShared = false
  private let usesCPUs: Bool
  private var readyParents: Set<String> = []
  private var said: Set<String> = []

  /// - Parameters:
  ///   - mounts: the mount point of each controller; at least one.
  ///   - root: the cgroup below which everything is made, such as `/lab/node1`; empty for the mount points.
  init?(mounts: [String: String], root: String, usesCPUs: Bool) {
    let wanted = mounts.filter { ["freezer", "cpuset", "memory"].contains($0.key) }
    guard let base = ["freezer", "cpuset", "memory"].first(where: { wanted[$0] != nil }) else {
      return nil
    }
    hierarchies = wanted.mapValues { $0 + root }
    shared = mounts.filter { Self.sharedNames.contains($0.key) }.mapValues { $0 + root }
    isWhole = root.isEmpty
    self.base = base
    self.usesCPUs = usesCPUs
  }

  private func directory(_ controller: String, _ path: String) -> String? {
    hierarchies[controller].map { "\($0)/\(path)" }
  }

  private func baseDirectory(_ path: String) -> String {
    "\(hierarchies[base] ?? "")/\(path)"
  }

  func prepare(for confinement: Confinement) throws(SystemError) {
    for controller in wanted(confinement) where hierarchies[controller] == nil {
      remarkMissing(controller, &said)
    }
    let names = confinement.path.split(separator: "/")
    let parent = names.dropLast().joined(separator: "/")
    guard !readyParents.contains(parent) else { return }
    for (controller, root) in hierarchies {
      try Files.makeDirectories("\(root)/\(parent)", mode: 0o755)
      if controller == "cpuset" { try openCPUSets(root, names.dropLast().map(String.init)) }
    }
    readyParents.insert(parent)
  }

  /// A cpuset without CPUs and memory nodes accepts no process: each level takes its parent's, and
  /// passes them on to the jobs' by itself.
  private func openCPUSets(_ root: String, _ names: [String]) throws(SystemError) {
    var levels = [root]
    for name in names { levels.append("\(levels[levels.count - 1])/\(name)") }
    for level in levels {
      for file in ["cpuset.cpus", "cpuset.mems"] where Files.text("\(level)/\(file)") == "" {
        let slash = level.lastIndex(of: "/") ?? level.startIndex
        try Files.control("\(level)/\(file)", Files.text("\(level[..<slash])/\(file)") ?? "")
      }
    }
    try Files.control("\(levels[levels.count - 1])/cgroup.clone_children", "1")
  }

  func create(_ confinement: Confinement) throws(SystemError) {
    try prepare(for: confinement)
    for controller in wanted(confinement) {
      guard let directory = directory(controller, confinement.path) else { continue }
      var isThere = mkdir(directory, 0o755) == 0 || errno == EEXIST
      if !isThere, errno == ENOENT {
        // Somebody removed the parents behind our back.
        readyParents = []
        try prepare(for: confinement)
        isThere = mkdir(directory, 0o755) == 0
      }
      guard isThere else { throw SystemError("cannot make the cgroup \(directory)") }
      if controller == "cpuset", usesCPUs, !confinement.cpus.isEmpty {
        try Files.control("\(directory)/cpuset.cpus", cpuList(confinement.cpus))
      } else if controller == "memory", let limit = confinement.memoryLimit {
        try Files.control("\(directory)/memory.limit_in_bytes", String(limit))
      }
    }
  }

  /// The hierarchies a job is in: the base and those with something to enforce.
  private func wanted(_ confinement: Confinement) -> [String] {
    var wanted = [base]
    if usesCPUs, !confinement.cpus.isEmpty { wanted.append("cpuset") }
    if confinement.memoryLimit != nil { wanted.append("memory") }
    return wanted
  }

  func exists(_ path: String) -> Bool { access(baseDirectory(path), F_OK) == 0 }

  func entry(_ path: String) throws(SystemError) -> GroupEntry {
    var files: [Int32] = []
    for root in Set(hierarchies.values).union(shared.values) {
      // `tasks`, not `cgroup.procs`: for a single thread it spares the kernel a wait for all CPUs.
      let file = open("\(root)/\(path)/tasks", O_WRONLY | O_CLOEXEC)
      if file >= 0 {
        files.append(file)
      } else if errno != ENOENT {
        let error = SystemError("cannot open \(root)/\(path)/tasks")
        for file in files { close(file) }
        throw error
      }
    }
    return GroupEntry(taskFiles: files)
  }

  func children(_ path: String) -> [String] { groupNames(in: baseDirectory(path)) }

  func directories(_ path: String) -> [String] {
    [baseDirectory(path)] + [directory("freezer", path)].compactMap { $0 }
  }

  func processes(_ path: String) -> [pid_t] { processesOfGroupTree(baseDirectory(path)) }

  func setFrozen(_ path: String, _ frozen: Bool) throws(SystemError) {
    guard let directory = directory("freezer", path) else {
      throw SystemError("no freezer is mounted: \(path) can't be suspended", code: ENOTSUP)
    }
    try Files.control("\(directory)/freezer.state", frozen ? "FROZEN" : "THAWED")
  }

  func killAll(_ path: String) {
    // Frozen processes can't fork while the list is read; the signal reaches them as they thaw.
    try? setFrozen(path, true)
    signal(path, SIGKILL)
    try? setFrozen(path, false)
  }

  func remove(_ path: String) -> Bool {
    guard removeGroupTree(baseDirectory(path)) else { return false }
    let others = Set(hierarchies.values).union(shared.values).subtracting([hierarchies[base] ?? ""])
    return others.allSatisfy { removeGroupTree("\($0)/\(path)") }
  }
}
