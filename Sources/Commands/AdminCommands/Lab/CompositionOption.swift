// What a lab is to consist of, as options say it: a composition, and what is changed in it.

import CommandLine
import Compositions
import Glibc
import Lab

enum CompositionOption {
  static let composition = Key<String?>.text(
    "-c", "--composition", value: "NAME",
    help: "What the lab is made of: a file, or one of `init --list` [./lab.yaml, else liburna]")
  static let setups = Key<[String]>.texts(
    "-s", "--setup", value: "NAME", help: "A set-up of the composition")
  static let nodes = Key<Int?>.integer(
    "-n", "--nodes", value: "N", help: "So many hosts of the role node")
  static let roles = Key<[String]>.texts(
    "-r", "--role", value: "ROLE=N", help: "So many hosts of a role")
  static let volumes = Key<[String]>.texts(
    "-v", "--volume", value: "HERE:THERE[:MODE]",
    help: "A directory of this machine that every host sees; MODE is rw, ro, or cow: each host "
      + "writes to a copy [rw]")
  static let variables = Key<[String]>.texts(
    "-e", "--env", value: "NAME=VALUE", help: "Set a variable for services and logins")
  static let backend = Key<String?>.text(
    "-b", "--backend", "--flavour", value: "NAME",
    help: "What makes the hosts: \(backendNames) [namespaces]")

  static let all: [any OptionKey] = [
    composition, setups, nodes, roles, volumes, variables, backend,
  ]

  static let nodeRole = "node"
  /// The composition file of a directory, as `init` writes it.
  static let localFile = "lab.yaml"
  static let standardComposition = "liburna"
  private static let backendNames = BackendKind.allCases.map(\.rawValue).joined(separator: ", ")

  /// What a start is asked for; what is not said is as it was before, if there was a before.
  static func settings(
    _ arguments: ParsedArguments, before: LabSettings?
  ) throws -> LabSettings {
    let machines: BackendKind? = arguments[LabMachineOptions.file] == nil ? nil : .machines
    let kind =
      try arguments[backend].map(backend(named:)) ?? machines ?? before?.backend ?? .namespaces
    let counts = try counts(arguments)
    let variables = try arguments[variables].map(variable)
    let volumes = try arguments[volumes].map(volume)
    for (place, volume) in volumes.enumerated()
    where volumes[..<place].contains(where: { $0.target == volume.target }) {
      throw UsageError(["-v: two volumes are seen at \(shortened(volume.target))"])
    }
    let isNew = arguments.has(composition) || arguments.has(setups)
    if let before, !isNew {
      var composition = before.composition
      for (role, count) in counts { try scale(&composition, role: role, to: count) }
      composition.volumes.removeAll { old in volumes.contains { $0.target == old.target } }
      composition.volumes += volumes
      composition.variables.removeAll { old in variables.contains { $0.name == old.name } }
      composition.variables += variables
      var settings = before
      (settings.composition, settings.backend) = (composition, kind)
      return settings
    }
    let made = try file(arguments).composition(
      setups: arguments[setups], backend: kind,
      counts: counts.reduce(into: [:]) { $0[$1.role] = $1.count }, variables: variables,
      volumes: volumes)
    return LabSettings(made, backend: kind, programs: before?.programs)
  }

  /// The composition that is meant: by option, else the file of this directory, else the usual one.
  static func file(_ arguments: ParsedArguments) throws -> CompositionFile {
    guard let name = arguments[composition] else {
      return access(localFile, F_OK) == 0
        ? try CompositionFile(path: localFile) : try CompositionFile.shipped(standardComposition)
    }
    return name.contains("/") || name.hasSuffix(".yaml")
      ? try CompositionFile(path: name) : try CompositionFile.shipped(name)
  }

  private static func backend(named name: String) throws(UsageError) -> BackendKind {
    guard let kind = BackendKind(rawValue: name) else {
      throw UsageError(["There is no backend \"\(shortened(name))\"; there are \(backendNames)"])
    }
    return kind
  }

  // MARK: - How many hosts

  private static func counts(
    _ arguments: ParsedArguments
  ) throws -> [(role: String, count: Int)] {
    var counts: [(role: String, count: Int)] = []
    if let count = arguments[nodes] { counts.append((nodeRole, count)) }
    for text in arguments[roles] {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let count = Int(parts[1]) else {
        throw UsageError(["-r takes ROLE=N, such as node=4, not \"\(shortened(text))\""])
      }
      counts.append((String(parts[0]), count))
    }
    // Asked before names are made: the number may be absurd.
    if let most = counts.map(\.count).max(), most > Capacity.hostLimit {
      throw CommandFailure(1, "[ERROR] \(Capacity.refusal(hosts: most))")
    }
    return counts
  }

  private static func scale(
    _ composition: inout Composition, role: String, to count: Int
  ) throws(UsageError) {
    guard let place = composition.roles.firstIndex(where: { $0.name == role && $0.scales }) else {
      let names = composition.roles.filter(\.scales).map(\.name).joined(separator: ", ")
      throw UsageError([
        "\(composition.name) has no role \"\(shortened(role))\" that scales; \(names) can"
      ])
    }
    guard count >= 0 else { throw UsageError(["There can't be \(count) hosts of role \(role)"]) }
    composition.roles[place].scale(to: count)
  }

  // MARK: - Volumes and variables

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
    guard target.hasPrefix("/") else {
      throw UsageError(["-v: \"\(shortened(target))\" must be an absolute path in the hosts"])
    }
    if let problem = Volume.problem(target: target) { throw UsageError(["-v: \(problem)"]) }
    guard LabOption.isDirectory(resolved) else {
      throw UsageError(["-v: \"\(shortened(source))\" is no directory of this machine"])
    }
    return Volume(source: resolved, target: target, mode: mode)
  }

  static func variable(_ text: String) throws(UsageError) -> Variable {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw UsageError(["-e takes NAME=VALUE, not \"\(shortened(text))\""])
    }
    let name = String(text[..<equals])
    if let problem = Variable.problem(name: name) { throw UsageError(["-e: \(problem)"]) }
    return Variable(name, String(text[text.index(after: equals)...]))
  }
}
