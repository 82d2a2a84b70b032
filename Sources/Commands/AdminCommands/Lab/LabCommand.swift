// `liburna lab`: a server, a frontend and nodes on this machine. Its commands are words of their own,
// and several of them can be typed one after the other.

import CommandLine
import Glibc
import Lab

/// The command `lab`.
public enum LabCommand: Command {
  /// In the order in which a newcomer meets them.
  static let verbs: [(name: String, type: any LabVerb.Type)] = [
    ("init", LabInit.self), ("build", LabBuild.self),
    ("install", LabInstall.self), ("start", LabStart.self),
    ("status", LabStatusCommand.self), ("connect", LabConnect.self), ("exec", LabExec.self),
    ("logs", LabLogs.self), ("add", LabAdd.self), ("remove", LabRemove.self),
    ("snapshot", LabSnapshot.self), ("reset", LabReset.self), ("kill", LabKill.self),
    ("pause", LabPause.self), ("resume", LabResume.self), ("link", LabLink.self),
    ("test", LabTest.self), ("stop", LabStop.self), ("clean", LabClean.self),
    ("images", LabImages.self), ("destroy", LabDestroy.self), ("doctor", LabDoctor.self),
  ]

  public static let definition = CommandDefinition(
    "liburna lab", "Run a cluster on this machine: a server, a frontend and nodes",
    synopsis: [
      "[OPTIONS] COMMAND [WORDS] [COMMAND [WORDS]]...", "help [COMMAND]", "man COMMAND",
      "completion SHELL",
    ],
    operands: .command, options: LabOption.common,
    details: [
      "Every host has a name, an address, processes, files and cgroups of its own, made with the "
        + "kernel's namespaces, or as --backend says. The machine's own network and files are not touched. "
        + "The users user1 and user2 are there on every host.",
      "Commands are: \(verbs.map(\.name).joined(separator: ", ")). Several can be typed one after "
        + "the other. They are done from left to right, and the first that fails ends the call "
        + "with its exit code. All are checked before the first is begun.",
      "The name of a command begins that command wherever it stands, unless it is the value of an "
        + "option, or a word that the command before it can't do without (as the "
        + "HOSTS of kill), or comes after --. So `connect -- start` logs in to a host with the "
        + "name start. exec and test take all words that follow them.",
      "Options before the first command hold for every command that knows them.",
      "Labs are kept in \(Lab.standardDirectory), or in the directory that LIBURNA_LAB_DIR names. "
        + "Without root they are kept in liburna-lab in the user's runtime directory; "
        + "Docs/Rootless.md says what the machine needs then.",
    ],
    examples: [
      ("liburna lab start -n 4", "a server, a frontend and four nodes"),
      ("liburna lab connect", "log in to all of them, or to the frontend as user1"),
      ("liburna lab --name two start -n 4 exec @node uname -r", "start, then ask all nodes"),
    ], commands: verbs.map { ($0.name, $0.type.definition) })

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    // First of all: as a process of the lab, this program must not start anything else.
    if let code = Lab.runHidden(arguments.operands) { return code }
    let program = "liburna lab"
    guard let first = arguments.operands.first, verbs.contains(where: { $0.name == first }) else {
      // A shell completes by the program's own name.
      let isCompletion = arguments.operands.first == "completion"
      let alone = CommandContext(
        words: [isCompletion ? "liburna" : program] + arguments.operands, output: context.output,
        errors: context.errors,
        input: context.input, variable: context.variable, connect: context.connect)
      let note = "Several can be typed one after the other: liburna lab start connect frontend"
      if isCompletion {
        return MultiCall(program: "liburna", commands: [("lab", LabCommand.self)]).run(in: alone)
      }
      return MultiCall(program: program, commands: verbs.map { ($0.name, $0.type) }, note: note)
        .run(in: alone)
    }
    let calls = try LabChain.split(arguments.operands, verbs: verbs)
    return try LabChain.run(calls, common: arguments, in: context)
  }
}
