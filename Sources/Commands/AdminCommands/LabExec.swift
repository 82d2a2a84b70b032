// `liburna lab exec`: runs a command on a host.

import CommandLine
import Lab

/// The command `lab exec`.
enum LabExec: Command {
  static let terminal = Key<Bool>.flag("-t", "--tty", help: "On a terminal of the host")

  static let definition = CommandDefinition(
    "liburna lab exec", "Run a command on a host, as root unless said otherwise",
    synopsis: ["[OPTIONS] HOST [--] COMMAND [ARGUMENT...]"], operands: .command,
    options: [LabOption.user, terminal, LabOption.name],
    exitCodes: [
      (0, "those of the command; 128 + n if signal n ended it"), (126, "it can't be run"),
      (127, "there is no such command"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    var words = arguments.operands
    guard let host = words.first else { throw UsageError(["A host and a command are needed"]) }
    words.removeFirst()
    if words.first == "--" { words.removeFirst() }
    guard !words.isEmpty else { throw UsageError(["A command for \(host) is needed"]) }
    let command = HostCommand(words, user: arguments[LabOption.user] ?? "root")
    return try LabOption.lab(arguments)
      .exec(command, on: host, terminal: arguments[terminal])
  }
}
