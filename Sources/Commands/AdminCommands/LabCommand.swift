// `liburna lab`: a server, a frontend and nodes on this machine. Its commands are words of their own.

import CommandLine
import Glibc
import Lab

/// The command `lab`.
public enum LabCommand: Command {
  static let commands: [(name: String, type: any Command.Type)] = [
    ("start", LabStart.self), ("stop", LabStop.self), ("status", LabStatusCommand.self),
    ("connect", LabConnect.self), ("exec", LabExec.self), ("logs", LabLogs.self),
    ("kill", LabKill.self),
  ]

  public static let definition = CommandDefinition(
    "liburna lab", "Run a cluster on this machine: a server, a frontend and nodes",
    synopsis: [
      "start [-n N] [OPTIONS]", "stop", "status [--json]", "connect [HOST]",
      "exec [--user USER] [--tty] HOST -- COMMAND...", "logs HOST", "kill HOST", "help COMMAND",
    ],
    operands: .command, options: [],
    details: [
      "Every host has a name, an address, processes, files and cgroups of its own, made with the "
        + "kernel's namespaces. The machine's own network and files are not touched. "
        + "The users user1 and user2 are there on every host.",
      "Labs are kept in \(Lab.standardDirectory), or in the directory that LIBURNA_LAB_DIR names. Without "
        + "root they are kept in liburna-lab in the user's runtime directory; Docs/Rootless.md says what "
        + "the machine needs then.",
    ],
    examples: [
      ("liburna lab start -n 4", "a server, a frontend and four nodes"),
      ("liburna lab connect", "log in to the frontend as user1"),
    ])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    run(arguments.operands)
  }

  /// Runs `liburna lab` with the words that follow, and gives the exit code: for `exec` and
  /// `connect` that of the command, else 0, or 1 for a failure.
  public static func run(_ arguments: [String]) -> Int32 {
    // First of all: as a process of the lab, this program must not start anything else.
    if let code = Lab.runHidden(arguments) { return code }
    let program = "liburna lab"
    return MultiCall(program: program, commands: commands)
      .run(in: .ofThisProcess(words: [program] + arguments))
  }
}

/// What the commands of the lab share.
enum LabOption {
  static let name = Key<String?>.text("--name", value: "NAME", help: "Which lab, of several [lab]")
  static let user = Key<String?>.text("-l", "--user", value: "USER", help: "As whom")
  static let json = Key<Bool>.flag("--json", help: "As JSON")

  /// The lab that a call is about.
  static func lab(_ arguments: ParsedArguments) throws -> Lab {
    try Lab(name: arguments[name] ?? Lab.standardName)
  }

  /// The one host that a call names.
  static func host(_ arguments: ParsedArguments) throws -> String {
    guard arguments.operands.count == 1 else {
      throw UsageError(["The name of one host is needed, not \(arguments.operands.count)"])
    }
    return arguments.operands[0]
  }

  /// Refuses words that mean nothing.
  static func noOperands(_ arguments: ParsedArguments) throws {
    if let word = arguments.operands.first {
      throw UsageError(["\"\(word)\" means nothing here"])
    }
  }

  /// The text as a column of a table.
  static func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
