// `oarresume`: lets held jobs be started, and suspended ones go on.

import CommandLine
import Wire

/// The command `oarresume`.
public enum Oarresume: Command {
  public static let definition = CommandDefinition(
    "oarresume", "Let held jobs be started, and suspended ones go on",
    synopsis: ["[OPTIONS] JOB...", "[OPTIONS] --sql CONDITION"], operands: .jobs,
    options: [JobOperandOption.array, JobOperandOption.condition, DocumentOption.json],
    exitCodes: holdExitCodes)

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    try holdOrResume(
      arguments, action: .resume, verb: "resume", runningToo: false, in: context)
  }
}
