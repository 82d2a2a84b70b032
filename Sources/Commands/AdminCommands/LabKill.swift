// `liburna lab kill`: a host loses its power.

import CommandLine
import Lab

/// The command `lab kill`.
enum LabKill: Command {
  static let definition = CommandDefinition(
    "liburna lab kill", "End a host at once, as a power failure does; `lab start` brings it back",
    synopsis: ["[OPTIONS] HOST"], operands: .hosts, options: [LabOption.name],
    exitCodes: [(0, "it is down"), (1, "there is no such host, or it could not be ended")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    try LabOption.lab(arguments).kill(try LabOption.host(arguments))
    return 0
  }
}
