// The disks of hosts, in the holder's file system, and copies of them beside. They end with the lab.

import CLinux
import Glibc

extension NamespacesBackend {
  func save(_ snapshot: String, of state: LabState) throws {
    let copy = lab.paths.snapshotDisks + "/" + snapshot
    try run(["rm", "-rf", "--", copy, copy + ".new"], in: state)
    try run(["mkdir", "-p", copy + ".new"], in: state)
    let disks = try run(["ls", lab.paths.disks], in: state).split(separator: "\n")
      .map { lab.paths.disks + "/" + $0 }.filter { $0 != lab.paths.snapshotDisks }
    do {
      try run(["cp", "-a", "--"] + disks + [copy + ".new"], in: state)
      try run(["mv", copy + ".new", copy], in: state)
    } catch {
      // Half a copy would only take the room of the disks.
      _ = try? run(["rm", "-rf", "--", copy + ".new"], in: state)
      throw error
    }
  }

  func restore(_ snapshot: String, of state: LabState) throws {
    let paths = lab.paths
    let old = try run(["ls", paths.disks], in: state).split(separator: "\n")
      .map { paths.disks + "/" + $0 }.filter { $0 != paths.snapshotDisks }
    try run(["rm", "-rf", "--"] + old, in: state)
    try run(["cp", "-a", "\(paths.snapshotDisks)/\(snapshot)/.", paths.disks], in: state)
  }

  func discard(_ host: String, in state: LabState) throws {
    try run(["rm", "-rf", "--", lab.paths.disk(host)], in: state)
  }

  /// The most that a command of these writes.
  private static let outputLimit = 1 << 20

  /// Runs a command where the disks are and gives its output.
  @discardableResult
  private func run(_ words: [String], in state: LabState) throws -> String {
    guard let holder = state.holder, holder.isAlive else {
      throw LabError("the lab's disks are gone; `liburna lab start` makes it anew")
    }
    let process = clinux_ns_pidfd(holder.pid)
    guard process >= 0 else { throw LabError.system("reach", "the lab's disks") }
    defer { close(process) }
    let entry = try state.cgroups.open(LabPaths.holder, leafOnly: true)
    defer { entry.close() }
    let launch = Launch(
      program: .search(words[0], in: HostEntry.searchPath), arguments: words,
      environment: RunningServices.environment, cgroup: entry, join: (process, clinux_ns_mount),
      directory: "/")
    let (code, text) = try launch.output(limit: Self.outputLimit)
    guard code == 0 else {
      throw LabError(
        "\(words[0]) of the disks: exit code \(code)",
        logTail: text.split(separator: "\n").suffix(Startup.logLines).map(String.init))
    }
    return text
  }
}
