// `liburna doctor`: whether this OAR 2 site can take kamelot, kao or the server.
//
// The database is asked by a program that is made for it: the words are checked here, and liburnad or kao, which
// have libpq anyway, take the process over.

import CommandLine

enum DoctorOption {
  static let json = Key<Bool>.flag("--json", help: "As JSON")
}

/// Looks at an OAR 2 site.
public enum DoctorCommand: Command {
  private static let parts = ["kamelot", "kao", "server"]

  public static let definition = CommandDefinition(
    "liburna doctor", "Say whether this OAR 2 site can take Liburna, and what would change",
    synopsis: ["[--json] [kamelot] [kao] [server]"], options: [DoctorOption.json],
    details: [
      "Looks at the host of an OAR 2 server: oar.conf, the PostgreSQL database, labels, queues, programs, "
        + "who listens on the port. Says what each step would change (kamelot as the scheduler of a queue, kao "
        + "as the metascheduler, liburnad in the place of Almighty), how to take it, and how to go back. "
        + "Without words, all three.",
      "Nothing is changed: files are only read, and the database is asked in transactions that can't write. "
        + "It needs what OAR's server may read: run it as root or oar.",
    ],
    examples: [
      ("liburna doctor", "everything"),
      ("liburna doctor kamelot", "the scheduler of a queue alone"),
    ],
    exitCodes: [(0, "everything asked for can be taken"), (1, "something can't, or a wrong word")])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let words = arguments.operands
    if let unknown = words.first(where: { !parts.contains($0) }) {
      throw UsageError([
        "There is no part \"\(unknown)\": there are \(parts.joined(separator: ", "))."
      ])
    }
    var call = ["--doctor"] + words
    if arguments[DoctorOption.json] { call.append("--json") }
    if LabColour.isShown(on: context.output, in: context) { call.append("--colour") }
    OtherProgram.become(["liburnad", "kao"], call, in: context)
    throw CommandFailure(
      1, "[ERROR] Neither liburnad nor kao is installed here, which look at the database.",
      "Install the package liburna-server or liburna-planners on the host of OAR's server.")
  }
}
