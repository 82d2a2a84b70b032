// What a lab is, remembered in its directory before anything of it exists: whoever comes later, even
// after a tool that was killed half way, knows what to find and to remove.

import Compositions
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
  var settings: LabSettings
  var cgroups = Cgroups(hierarchies: [])
  var holder: KnownProcess?
  /// The second byte of the lab's addresses.
  var subnet = HostAddress.standardSubnet
  /// The hosts in the order of their addresses.
  var hosts: [Host] = []
  /// The steps that were done, by their keys, and a fingerprint of the hosts that the lab had then.
  var done: [String: String] = [:]

  struct Host: Equatable, Codable {
    var name: String
    var role: String
    /// Its place in the lab, from 1, which gives its address; kept while others come and go.
    var index: Int
    /// Its first process on this machine, once it was started.
    var first: KnownProcess?
    /// What the backend calls it, where that isn't a process.
    var id: String?
    /// The machine that it is, as ssh calls it, where hosts are machines.
    var machine: String?
    /// Its address, where that isn't one of the lab's own network.
    var address: String?
    var isPaused = false
    var link = LinkState.whole
  }

  /// What the others know a host by.
  func address(of host: Host) -> String {
    host.address ?? HostAddress(index: host.index, subnet: subnet).description
  }

  func host(_ name: String) -> Host? { hosts.first { $0.name == name } }

  mutating func update(_ name: String, _ change: (inout Host) -> Void) {
    guard let place = hosts.firstIndex(where: { $0.name == name }) else { return }
    change(&hosts[place])
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
