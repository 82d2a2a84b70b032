// `liburna lab add` and `remove`: hosts that come and go while a lab runs.

import CommandLine
import Compositions
import Lab

/// The command `lab add`.
enum LabAdd: LabVerb {
  static let role = Key<String?>.text(
    "-r", "--role", value: "ROLE", help: "Of which role [\(CompositionOption.nodeRole)]")

  static let words = 0...1

  static let definition = CommandDefinition(
    "liburna lab add", "Add hosts to the lab while it runs",
    synopsis: ["[OPTIONS] [N]"], options: [role, StartOption.timeout, LabOption.name],
    examples: [("liburna lab add 2 status", "two nodes more")],
    exitCodes: [(0, "they answer"), (1, "something failed; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let word = arguments.operands.first ?? "1"
    guard let count = Int(word), (1...Capacity.hostLimit).contains(count) else {
      throw UsageError([
        "add takes a number of hosts from 1 to \(Capacity.hostLimit), not \"\(shortened(word))\""
      ])
    }
    _ = try lab.hosts()
    guard let settings = try lab.settings() else { return 1 }
    try StartOption.start(
      lab, try settings.adding(count, to: arguments[role] ?? CompositionOption.nodeRole),
      .keeping, arguments, in: context)
    return 0
  }
}

/// The command `lab remove`.
enum LabRemove: LabVerb {
  static let words = 1...Int.max

  static let definition = CommandDefinition(
    "liburna lab remove", "Remove hosts from the lab while it runs, with their disks",
    synopsis: ["[OPTIONS] HOSTS..."], operands: .hosts,
    options: [StartOption.timeout, LabOption.name],
    exitCodes: [(0, "they are gone"), (1, "there is no such host, or the lab needs it")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let hosts = try LabOption.hosts(arguments.operands, of: lab)
    guard let settings = try lab.settings() else { return 1 }
    try StartOption.start(
      lab, try settings.removing(hosts), .keeping, arguments, in: context)
    return 0
  }
}
