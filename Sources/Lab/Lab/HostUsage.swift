// What a host uses of the machine: its processes, found by its cgroup, and their memory.

import Glibc

/// What the processes of a host use.
public struct HostUsage: Equatable, Sendable {
  public var processes: Int
  /// What they have for themselves or share among each other, in bytes: without the programs' files,
  /// which all hosts have in common.
  public var memory: Int
}

extension Cgroups {
  /// What the processes below a group use now, or nil if the group can't be read.
  func usage(_ group: String) -> HostUsage? {
    guard let hierarchy = hierarchies.first else { return nil }
    let directory = hierarchy.directory + "/" + group
    guard Files.isDirectory(directory) else { return nil }
    var usage = HostUsage(processes: 0, memory: 0)
    Self.forEachProcess(below: directory, depth: 0) { process in
      guard let status = Files.value("/proc/\(process)/status") else { return }
      usage.processes += 1
      usage.memory += Self.memory(inStatus: status)
    }
    return usage
  }

  /// The deepest groups that are looked at: hosts' own jobs are two below them.
  private static let depthLimit = 8

  private static func forEachProcess(
    below directory: String, depth: Int, _ body: (Substring) -> Void
  ) {
    for process in (Files.value(directory + "/cgroup.procs") ?? "").split(separator: "\n") {
      body(process)
    }
    guard depth < depthLimit else { return }
    for name in Files.list(directory) where Files.isDirectory(directory + "/" + name) {
      forEachProcess(below: directory + "/" + name, depth: depth + 1, body)
    }
  }

  /// Anonymous and shared memory, from the text of /proc/PID/status, in bytes.
  static func memory(inStatus text: String) -> Int {
    text.split(separator: "\n").reduce(0) { sum, line in
      guard line.hasPrefix("RssAnon:") || line.hasPrefix("RssShmem:") else { return sum }
      return sum
        + (line.split(whereSeparator: \.isWhitespace).dropFirst().first
          .flatMap { Int($0) } ?? 0) * 1024
    }
  }
}
