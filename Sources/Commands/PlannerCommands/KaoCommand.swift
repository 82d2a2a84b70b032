// `kao`: the metascheduler of an OAR 2 server. Almighty calls it without a word; this is for people.

import CommandLine

/// The command `kao`.
public enum KaoCommand: Command {
  public static let definition = CommandDefinition(
    "kao", "Make a pass of the metascheduler of a running OAR 2 server", synopsis: [""],
    options: [],
    details: [
      "OAR 2's Almighty calls it for each pass when oar.conf says META_SCHED_CMD=\"kao\" and the program is in "
        + "OAR's directory, /usr/lib/oar (Docs/OAR2.md). It takes no words: settings come from "
        + "/etc/oar/oar.conf, or from the file that OARCONFFILE names.",
      "Queues whose scheduler is kamelot or kao are planned by it; for all others it calls the scheduler that "
        + "they name. Of two at once the second leaves.",
    ],
    examples: [("kao", "make a pass, as the user oar on the server")],
    exitCodes: [
      (0, "go on; also if no pass could be made, with a line about it"),
      (1, "make another pass at once"),
      (2, "jobs are to be ended: call Leon"),
    ])

  /// Whatever it is called with, Almighty must not take the exit code for something else.
  public static func failure(for error: any Error) -> CommandFailure? {
    guard let error = error as? UsageError else { return nil }
    var failure = CommandFailure(0)
    failure.lines = error.messages
    return failure
  }

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    throw UsageError(["kao takes no words"])
  }
}
