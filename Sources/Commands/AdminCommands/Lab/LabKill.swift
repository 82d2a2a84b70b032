// `liburna lab kill`: a host loses its power.

import CommandLine
import Lab

/// The command `lab kill`.
enum LabKill: LabVerb {
  static let words = 1...1

  static let definition = CommandDefinition(
    "liburna lab kill", "End hosts at once, as a power failure does; `lab start` brings them back",
    synopsis: ["[OPTIONS] HOSTS"], operands: .hosts, options: [LabOption.name],
    exitCodes: [(0, "they are down"), (1, "there is no such host, or it could not be ended")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    for host in try LabOption.hosts(arguments.operands, of: lab) { try lab.kill(host) }
    return 0
  }
}
