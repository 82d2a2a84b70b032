// `liburna lab connect`: logs in to a host.

import CommandLine
import Glibc
import Lab

/// The command `lab connect`.
enum LabConnect: Command {
  static let standardHost = "frontend"
  static let standardUser = "user1"

  static let definition = CommandDefinition(
    "liburna lab connect", "Log in to a host: the frontend, as user1, unless said otherwise",
    synopsis: ["[OPTIONS] [HOST]"], operands: .hosts, options: [LabOption.user, LabOption.name],
    exitCodes: [(0, "those of the shell")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let host =
      arguments.operands.isEmpty ? standardHost : try LabOption.host(arguments)
    let shell = HostCommand([], user: arguments[LabOption.user] ?? standardUser, login: true)
    return try LabOption.lab(arguments)
      .exec(shell, on: host, terminal: isatty(context.input) == 1)
  }
}
