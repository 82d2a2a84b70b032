// What the agent wants of cgroups, whichever version the kernel offers: one protocol, two back ends.

import Glibc
import Wire

/// The descriptors through which a new process joins a cgroup. Owns them.
final class GroupEntry {
  /// Version 1: the open `tasks` files.
  let taskFiles: [Int32]
  /// Version 2: the open directory; -1 for none.
  let directory: Int32

  init(taskFiles: [Int32] = [], directory: Int32 = -1) {
    self.taskFiles = taskFiles
    self.directory = directory
  }

  deinit {
    for file in taskFiles { close(file) }
    if directory >= 0 { close(directory) }
  }
}

/// The cgroups of jobs on this host. Paths are those of ``Confinement/path``.
protocol ControlGroups: AnyObject {
  /// Things worth a line in the log, such as a controller that is not there; each is said once.
  var remarks: [String] { get set }
  /// Makes the directories above a job's, and remarks what can't be enforced; both only once.
  func prepare(for confinement: Confinement) throws(SystemError)
  /// Makes a job's cgroup, or brings the one that is there up to date.
  func create(_ confinement: Confinement) throws(SystemError)
  /// Makes a job's cgroup what OAR 2's commands and modules expect of one: in all the hierarchies that they
  /// look at, and an account's own.
  func share(_ path: String, with owner: Account) throws(SystemError)
  func exists(_ path: String) -> Bool
  /// The way in, for a process that is about to start.
  func entry(_ path: String) throws(SystemError) -> GroupEntry
  /// The names of the cgroups directly below it.
  func children(_ path: String) -> [String]
  /// The directories in which one sees that a cgroup is made below it.
  func directories(_ path: String) -> [String]
  /// The processes in it and below it.
  func processes(_ path: String) -> [pid_t]
  /// Stops everything in it, or lets it go on.
  func setFrozen(_ path: String, _ frozen: Bool) throws(SystemError)
  /// Sends SIGKILL to everything in it, so that forking does not help; frozen processes die as well.
  func killAll(_ path: String)
  /// Removes it. True if it is gone; false while processes are left.
  func remove(_ path: String) -> Bool
}

extension ControlGroups {
  func share(_ path: String, with owner: Account) throws(SystemError) {}

  /// Sends a signal to every process in it.
  func signal(_ path: String, _ number: Int32) {
    for process in processes(path) { kill(process, number) }
  }

  /// Kills what is in it and removes it. Blocks until it is gone, or `patience` seconds are over (false):
  /// a process in an uninterruptible sleep can't be killed.
  func destroy(_ path: String, patience: Double) -> Bool {
    let end = EventLoop.monotonicNanoseconds + UInt64(patience * 1e9)
    var pause: UInt32 = 500
    while !remove(path) {
      guard EventLoop.monotonicNanoseconds < end else { return false }
      killAll(path)
      usleep(pause)
      pause = min(pause * 2, 50_000)
    }
    return true
  }

  /// Remarks that a controller is missing.
  func remarkMissing(_ controller: String, _ said: inout Set<String>) {
    guard said.insert(controller).inserted else { return }
    remarks.append("no cgroup controller \"\(controller)\": jobs are not confined by it")
  }
}

/// Whether a path may name a job's cgroup: relative, of ordinary names, with something above it.
func isGroupPath(_ path: String) -> Bool {
  let names = path.split(separator: "/", omittingEmptySubsequences: false)
  return names.count >= 2 && path.utf8.count <= 1024
    && names.allSatisfy { name in
      !name.isEmpty && name != "." && name != ".." && name.utf8.allSatisfy { $0 > 32 && $0 != 127 }
    }
}

/// Removes an empty cgroup and those that a job made below it.
func removeGroupTree(_ directory: String) -> Bool {
  if rmdir(directory) == 0 || errno == ENOENT { return true }
  for child in groupDirectories(in: directory) where !removeGroupTree(child) { return false }
  return rmdir(directory) == 0 || errno == ENOENT
}

/// The processes of a cgroup and of those below it.
func processesOfGroupTree(_ directory: String) -> [pid_t] {
  let text = Files.text(directory + "/cgroup.procs") ?? ""
  let own = text.split(separator: "\n").compactMap { pid_t($0) }.filter { $0 > 0 }
  return groupDirectories(in: directory).reduce(own) { $0 + processesOfGroupTree($1) }
}

private func groupDirectories(in directory: String) -> [String] {
  groupNames(in: directory).map { "\(directory)/\($0)" }
}

/// The names of the cgroups directly below a directory.
func groupNames(in directory: String) -> [String] {
  Files.names(in: directory).filter { name in
    var status = stat()
    return lstat("\(directory)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

/// The numbers as the kernel reads and writes lists: `0-3,8`.
func cpuList(_ cpus: [Int]) -> String {
  var ranges: [(first: Int, last: Int)] = []
  for cpu in Set(cpus).sorted() {
    if let range = ranges.last, range.last + 1 == cpu {
      ranges[ranges.count - 1].last = cpu
    } else {
      ranges.append((cpu, cpu))
    }
  }
  return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
    .joined(separator: ",")
}
