// Where a lab's machines come from: a file that is there or comes later, in one of its forms, or the
// nodes of a job; and which of them each host takes.

import Compositions
import Encoding
import Glibc

/// What a file of machines says.
enum MachineSource: Equatable {
  case list(MachineList)
  case description(DeploymentDescription)

  /// The variable in which OAR tells a job the file of its nodes.
  static let jobVariable = "OAR_NODEFILE"
  /// How often a file is looked for that is to come, in microseconds.
  private static let pause: UInt32 = 100_000

  /// The path of the file that settings mean.
  static func path(_ settings: MachineSettings) throws -> String {
    switch settings.source {
    case .file(let path): return path
    case .job:
      guard let value = getenv(jobVariable), value.pointee != 0 else {
        throw LabError(
          "\(jobVariable) is not set: this is not a job of OAR; name a file of machines with -m")
      }
      return String(cString: value)
    }
  }

  /// Reads the machines, waiting for them if that is wanted: until the file names as many as there are
  /// hosts, each line complete.
  static func read(
    _ settings: MachineSettings, hosts: [String], say: (String) -> Void
  ) throws -> MachineSource {
    let path = try path(settings)
    guard let seconds = settings.wait else { return try read(path, onlyComplete: false) }
    let deadline = Deadline(seconds: seconds)
    var told = false
    while true {
      let isThere = Files.exists(path)
      if isThere {
        let found = try? read(path, onlyComplete: true)
        if let found, found.isEnough(for: hosts) { return found }
      }
      if deadline.isOver {
        guard isThere else { throw LabError("\(path) did not come within \(seconds) s") }
        // What it lacks is told by whoever chooses from it.
        return try read(path, onlyComplete: true)
      }
      if !told { say("waiting for \(hosts.count) machines in \(path)") }
      told = true
      usleep(Self.pause)
    }
  }

  static func read(_ path: String, onlyComplete: Bool) throws -> MachineSource {
    let bytes = try Files.read(path, limit: MachineList.sizeLimit)
    if bytes.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") {
      return .description(try DeploymentDescription(reading: bytes, file: path))
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return .list(try MachineList(text, file: path, onlyComplete: onlyComplete))
  }

  private func isEnough(for hosts: [String]) -> Bool {
    switch self {
    case .list(let list): list.names.count >= hosts.count
    case .description(let description): description.machines.count >= hosts.count
    }
  }

  // MARK: - Choosing

  /// Gives each host of a composition a machine: those that it had, if they are still named, then the
  /// others in order. A description's hosts are found by their names.
  func choose(
    for composition: Composition, keeping known: [String: String], file: String
  ) throws -> MachineChoice {
    var names: [String]
    var lines: Int
    var chosen: [String: String] = [:]
    switch self {
    case .list(let list): (names, lines) = (list.names, list.lines)
    case .description(let description):
      names = description.machines.map(\.name)
      lines = names.count
      for machine in description.machines where composition.hosts.contains(machine.host) {
        chosen[machine.host] = machine.name
      }
    }
    for (host, machine) in known where names.contains(machine) && chosen[host] == nil {
      if composition.hosts.contains(host) { chosen[host] = machine }
    }
    let taken = Set(chosen.values)
    var free = names.filter { !taken.contains($0) }[...]
    for host in composition.hosts where chosen[host] == nil {
      guard let next = free.popFirst() else {
        throw Self.tooFew(composition, machines: names.count, lines: lines, file: file)
      }
      chosen[host] = next
    }
    return MachineChoice(machines: chosen, left: Array(free))
  }

  private static func tooFew(
    _ composition: Composition, machines: Int, lines: Int, file: String
  ) -> LabError {
    let roles = composition.roles.map { "\($0.hosts.count) \($0.name)" }.joined(separator: " + ")
    let repeated =
      lines > machines ? " (\(lines) lines, \(lines - machines) of them repetitions)" : ""
    let needed = composition.hosts.count
    return LabError(
      "\(composition.name) needs \(needed) machines (\(roles)), but \(file) names \(machines)"
        + "\(repeated): \(needed - machines) too few; name more, or start fewer nodes with -n")
  }
}
