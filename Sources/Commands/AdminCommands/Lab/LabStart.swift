// `liburna lab start`: brings a lab up, the same one for the same words.

import CommandLine
import Compositions
import Glibc
import Lab

/// The command `lab start`.
enum LabStart: LabVerb {
  static let keep = Key<Bool>.flag(
    "-k", "--keep", help: "Leave what runs alone; bring back what has died, add or remove nodes")
  static let binaries = Key<String?>.text(
    "--binaries", value: "DIRECTORY",
    help: "Where liburna, liburnad and liburna-node are [beside this program]")
  static let timeout = Key<Int?>.integer(
    "--timeout", value: "SECONDS", help: "The most time that the start may take [\(patience)]")
  static let json = Key<Bool>.flag("--json", help: "Tell each step as a line of JSON")

  static let patience = 60
  static let patienceLimits = 1...3600

  static let definition = CommandDefinition(
    "liburna lab start", "Bring the lab up; one that runs is ended first, unless --keep is given",
    synopsis: ["[OPTIONS]"],
    options: CompositionOption.all + [keep, binaries, timeout, json, LabOption.name],
    details: [
      "The same call makes the same lab, whatever was there before. With --keep, hosts that run go "
        + "on, those that have died come back with their disks, and what is not said is as it was.",
      "Progress is told on the standard error. What takes longer than two seconds is named, with "
        + "the last line of its log.",
    ],
    examples: [
      ("liburna lab start -n 4 -v $PWD:/src:ro", "four nodes, and all hosts see this directory"),
      ("liburna lab start --keep -n 6", "two nodes more"),
    ],
    exitCodes: [(0, "every service answers"), (1, "something failed; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let before = arguments[keep] ? try lab.settings() : nil
    let seconds = try LabOption.number(arguments, timeout, patienceLimits) ?? patience
    let program = Lab.ownProgram
    var settings = try CompositionOption.settings(arguments, before: before)
    settings.programs =
      arguments[binaries].map(LabOption.resolved) ?? before?.programs
      ?? LabOption.directory(of: program)
    try Capacity.check(hosts: settings.composition.hosts.count)
    let view = StartView(
      lab: lab.name, hosts: settings.composition.hosts.count, isJSON: arguments[json], in: context)
    do {
      try lab.start(
        settings, arguments[keep] ? .keeping : .anew, program: program, timeout: seconds
      ) { view.show($0) }
    } catch let error as LabError {
      throw failure(error, of: lab)
    }
    view.finish()
    return 0
  }

  static func failure(_ error: LabError, of lab: Lab) -> CommandFailure {
    var failure = CommandFailure(1, "[ERROR] \(error)")
    if let host = error.host {
      let name = lab.name == Lab.standardName ? "" : " --name \(lab.name)"
      failure.lines.append(
        "`liburna lab logs\(name) \(host)` shows more; `liburna lab stop\(name)` removes what was "
          + "started.")
    }
    return failure
  }
}
