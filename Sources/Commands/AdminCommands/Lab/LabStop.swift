// `liburna lab stop`: ends a lab and removes everything of it.

import CommandLine
import Lab

/// The command `lab stop`.
enum LabStop: LabVerb {
  static let definition = CommandDefinition(
    "liburna lab stop", "End the lab and remove everything of it, however little was started",
    synopsis: ["[OPTIONS]"], options: [LabOption.name],
    exitCodes: [(0, "nothing is left"), (1, "something could not be ended; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    try LabOption.lab(arguments).stop()
    return 0
  }
}
