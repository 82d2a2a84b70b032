// `liburna lab start`: brings a lab up, the same one for the same words.

import CommandLine
import Compositions
import Lab

/// The command `lab start`.
enum LabStart: LabVerb {
  static let keep = Key<Bool>.flag(
    "-k", "--keep", help: "Leave what runs alone; bring back what has died, add or remove hosts")
  static let json = Key<Bool>.flag("--json", help: "Tell each step as a line of JSON")

  static let definition = CommandDefinition(
    "liburna lab start", "Bring the lab up; one that runs is ended first, unless --keep is given",
    synopsis: ["[OPTIONS]"],
    options: CompositionOption.all + [
      keep, StartOption.binaries, StartOption.timeout, json, LabOption.name,
    ],
    details: [
      "The same call makes the same lab, whatever was there before. With --keep, hosts that run go "
        + "on, those that have died come back with their disks, and what is not said is as it was.",
      "Progress is told on the standard error. What takes longer than two seconds is named, with "
        + "the last line of its log.",
    ],
    examples: [
      ("liburna lab start -n 4 -v $PWD:/src:ro", "four nodes, and all hosts see this directory"),
      ("liburna lab start -c slurm -n 2", "another batch system"),
      ("liburna lab start --keep -n 6", "two nodes more"),
    ],
    exitCodes: [(0, "every service answers"), (1, "something failed; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let before = arguments[keep] ? try lab.settings() : nil
    let settings = try StartOption.settings(arguments, before: before, of: lab)
    try StartOption.start(
      lab, settings, arguments[keep] ? .keeping : .anew, arguments, isJSON: arguments[json],
      in: context)
    return 0
  }
}

/// What all commands share that start hosts.
enum StartOption {
  static let binaries = Key<String?>.text(
    "--binaries", value: "DIRECTORY",
    help: "Where liburna, liburnad and liburna-node are [beside this program]")
  static let timeout = Key<Int?>.integer(
    "--timeout", value: "SECONDS", help: "The most time that the start may take [\(patience)]")

  static let patience = 60
  static let patienceLimits = 1...3600

  /// What is asked for, without what was installed.
  static func settings(_ arguments: ParsedArguments, before: LabSettings?) throws -> LabSettings {
    var settings = try CompositionOption.settings(arguments, before: before)
    settings.programs =
      arguments[binaries].map(LabOption.resolved) ?? before?.programs
      ?? LabOption.directory(of: Lab.ownProgram)
    return settings
  }

  /// What is asked for, with what was installed for the lab.
  static func settings(
    _ arguments: ParsedArguments, before: LabSettings?, of lab: Lab
  ) throws -> LabSettings {
    let settings = try settings(arguments, before: before)
    guard before == nil, !arguments.has(binaries) else { return settings }
    return settings.with(try lab.installed(for: settings.composition))
  }

  /// Starts a lab, and shows how it goes.
  static func start(
    _ lab: Lab, _ settings: LabSettings, _ beginning: Lab.Beginning, _ arguments: ParsedArguments,
    isJSON: Bool = false, isEnd: Bool = true, in context: CommandContext
  ) throws {
    let hosts = settings.composition.hosts.count
    try Capacity.check(hosts: hosts)
    try watch(lab, hosts: hosts, arguments, isJSON: isJSON, isEnd: isEnd, in: context) {
      seconds, show in
      try lab.start(
        settings, beginning, program: Lab.ownProgram, timeout: seconds, progress: show)
    }
  }

  /// Shows how something goes that starts hosts.
  static func watch(
    _ lab: Lab, hosts: Int, _ arguments: ParsedArguments, isJSON: Bool = false,
    isEnd: Bool = true, in context: CommandContext,
    _ body: (_ seconds: Int, _ show: @escaping (LabProgress) -> Void) throws -> Void
  ) throws {
    let seconds = try LabOption.number(arguments, timeout, patienceLimits) ?? patience
    let view = StartView(lab: lab.name, hosts: hosts, isJSON: isJSON, in: context)
    do {
      try body(seconds) { view.show($0) }
    } catch let error as LabError {
      throw failure(error, of: lab)
    }
    view.finish(isEnd: isEnd)
  }

  private static func failure(_ error: LabError, of lab: Lab) -> CommandFailure {
    var failure = CommandFailure(1, "[ERROR] \(error)")
    if let host = error.host {
      let name = lab.name == Lab.standardName ? "" : " --name \(lab.name)"
      failure.lines.append(
        "`liburna lab\(name) logs \(host)` shows more; `liburna lab\(name) stop` removes what was "
          + "started.")
    }
    return failure
  }
}
