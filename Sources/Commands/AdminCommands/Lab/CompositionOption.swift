// What a lab is to consist of, as options say it: the composition, and what is changed in it.

import CommandLine
import Compositions
import Lab

enum CompositionOption {
  static let nodes = Key<Int?>.integer(
    "-n", "--nodes", value: "N", help: "So many hosts of the role node [3]")
  static let roles = Key<[String]>.texts(
    "-r", "--role", value: "ROLE=N", help: "So many hosts of a role")
  static let volumes = Key<[String]>.texts(
    "-v", "--volume", value: "HERE:THERE[:ro|rw|cow]",
    help: "A directory of this machine that every host sees; cow: each writes to a copy [rw]")
  static let variables = Key<[String]>.texts(
    "-e", "--env", value: "NAME=VALUE", help: "Set a variable for services and logins")
  static let backend = Key<String?>.text(
    "-b", "--backend", "--flavour", value: "NAME",
    help: "What makes the hosts: \(backendNames) [namespaces]")
  static let data = Key<String?>.text(
    "--data", value: "DIRECTORY",
    help: "A directory of this machine that every host sees as /data [none]")
  static let plain = Key<Bool>.flag(
    "--plain", help: "Hosts with ssh and MUNGE only, without Liburna")

  static let all: [any OptionKey] = [nodes, roles, volumes, variables, backend, data, plain]

  static let nodeRole = "node"
  static let standardNodes = 3
  static let dataDirectory = "/data"
  private static let backendNames = BackendKind.allCases.map(\.rawValue).joined(separator: ", ")

  /// What a start is asked for; what is not said is as it was before.
  static func settings(
    _ arguments: ParsedArguments, before: LabSettings?
  ) throws -> LabSettings {
    var composition = try before?.composition ?? self.composition(arguments)
    try scale(&composition, arguments)
    for text in arguments[volumes] { add(try volume(text), to: &composition) }
    if let data = arguments[data] {
      add(Volume(source: LabOption.resolved(data), target: dataDirectory), to: &composition)
    }
    for text in arguments[variables] {
      let variable = try variable(text)
      composition.variables.removeAll { $0.name == variable.name }
      composition.variables.append(variable)
    }
    let kind = try arguments[backend].map(backend(named:)) ?? before?.backend ?? .namespaces
    return LabSettings(composition, backend: kind, programs: before?.programs)
  }

  private static func composition(_ arguments: ParsedArguments) throws -> Composition {
    arguments[plain] ? .plain(nodes: standardNodes) : .liburna(nodes: standardNodes)
  }

  private static func backend(named name: String) throws(UsageError) -> BackendKind {
    guard let kind = BackendKind(rawValue: name) else {
      throw UsageError(["There is no backend \"\(shortened(name))\"; there are \(backendNames)"])
    }
    return kind
  }

  // MARK: - How many hosts

  private static func scale(
    _ composition: inout Composition, _ arguments: ParsedArguments
  ) throws {
    var counts: [(role: String, count: Int)] = []
    if let count = arguments[nodes] { counts.append((nodeRole, count)) }
    for text in arguments[roles] {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let count = Int(parts[1]) else {
        throw UsageError(["-r takes ROLE=N, such as node=4, not \"\(shortened(text))\""])
      }
      counts.append((String(parts[0]), count))
    }
    for (role, count) in counts { try scale(&composition, role: role, to: count) }
  }

  static func scale(
    _ composition: inout Composition, role: String, to count: Int
  ) throws {
    guard let place = composition.roles.firstIndex(where: { $0.name == role }) else {
      let names = composition.roles.map(\.name).joined(separator: ", ")
      throw UsageError([
        "\(composition.name) has no role \"\(shortened(role))\"; its roles are \(names)"
      ])
    }
    guard count >= 0 else { throw UsageError(["There can't be \(count) hosts of role \(role)"]) }
    guard composition.roles[place].scales || composition.roles[place].hosts.count == count else {
      throw UsageError(["The role \(role) of \(composition.name) always has one host"])
    }
    // Asked before names are made: the number may be absurd.
    let others = composition.hosts.count - composition.roles[place].hosts.count
    guard count <= Capacity.hostLimit else {
      throw CommandFailure(1, "[ERROR] \(Capacity.refusal(hosts: others + count))")
    }
    if composition.roles[place].scales { composition.roles[place].scale(to: count) }
  }

  // MARK: - Volumes and variables

  private static func add(_ volume: Volume, to composition: inout Composition) {
    composition.volumes.removeAll { $0.target == volume.target }
    composition.volumes.append(volume)
  }

  /// Reads HERE:THERE:MODE as docker and oar-docker write it; HERE alone is THERE as well.
  static func volume(_ text: String) throws(UsageError) -> Volume {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var mode = Volume.Mode.rw
    if parts.count > 1, let last = parts.last, let named = Volume.Mode(rawValue: last) {
      mode = named
      parts.removeLast()
    }
    guard (1...2).contains(parts.count), let source = parts.first, !source.isEmpty else {
      throw UsageError(["-v takes HERE:THERE[:ro|rw|cow], not \"\(shortened(text))\""])
    }
    let resolved = LabOption.resolved(source)
    let target = parts.count == 2 ? parts[1] : resolved
    guard target.hasPrefix("/"), target.count > 1 else {
      throw UsageError(["-v: \"\(shortened(target))\" must be an absolute path in the hosts"])
    }
    guard LabOption.isDirectory(resolved) else {
      throw UsageError(["-v: \"\(shortened(source))\" is no directory of this machine"])
    }
    return Volume(source: resolved, target: target, mode: mode)
  }

  static func variable(_ text: String) throws(UsageError) -> Variable {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw UsageError(["-e takes NAME=VALUE, not \"\(shortened(text))\""])
    }
    return Variable(String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}
