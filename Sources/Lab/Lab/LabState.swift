// What a lab is, remembered in its directory before anything of it exists: whoever comes later, even
// after a tool that was killed half way, knows what to find and to remove.

import Glibc

/// A process that must still be the one it was: pids are used again.
struct KnownProcess: Equatable, Codable {
  var pid: pid_t
  /// In clock ticks after the machine started.
  var started: String

  init?(pid: pid_t) {
    guard let started = Self.startTime(of: pid) else { return nil }
    self.pid = pid
    self.started = started
  }

  var isAlive: Bool { Self.startTime(of: pid) == started }

  /// Takes note of its death, if it is a child of ours: as when one process starts and stops a lab.
  func reap() { waitpid(pid, nil, WNOHANG) }

  /// Field 22 of /proc/PID/stat, or nil for a process that is gone or only waits to be reaped. The
  /// name before it may contain anything, so it counts from the last parenthesis.
  private static func startTime(of pid: pid_t) -> String? {
    guard let text = Files.value("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[end...].split(separator: " ")
    guard fields.count > 20, fields[1] != "Z", fields[1] != "X" else { return nil }
    return String(fields[20])
  }
}

struct LabState: Equatable, Codable {
  enum Phase: String, Codable {
    /// Not everything has ever been up: whoever finds this with the lock free removes the lab.
    case starting
    case running
  }

  var name: String
  var phase = Phase.starting
  var kind: String
  var nodes: Int
  var binaries: String?
  var data: String?
  var cgroups: Cgroups
  var holder: KnownProcess?
  /// The hosts in the order of their addresses, and the first process of those that were started.
  var hosts: [Host] = []
  /// The provisioning steps that were done.
  var done: [String] = []

  struct Host: Equatable, Codable {
    var name: String
    var first: KnownProcess?
    var isAlive: Bool { first?.isAlive ?? false }
  }

  func host(_ name: String) -> Host? { hosts.first { $0.name == name } }

  mutating func set(_ name: String, _ first: KnownProcess?) {
    guard let place = hosts.firstIndex(where: { $0.name == name }) else {
      hosts.append(Host(name: name, first: first))
      return
    }
    hosts[place].first = first
  }
}

extension LabState {
  func write(to path: String) throws { try Kept.write(self, to: path) }

  /// Reads the state, or nil if the lab has none yet.
  init?(reading path: String) throws {
    guard Files.exists(path) else { return nil }
    self = try Kept.read(LabState.self, from: path)
  }
}
