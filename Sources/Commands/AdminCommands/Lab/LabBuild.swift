// `liburna lab build`: makes ready what a start would have to wait for.

import CommandLine
import Lab

/// The command `lab build`.
enum LabBuild: LabVerb {
  static let definition = CommandDefinition(
    "liburna lab build", "Make the images of the composition ready, so that a start is quick",
    synopsis: ["[OPTIONS]"],
    options: CompositionOption.all + [StartOption.binaries, LabOption.name],
    details: [
      "A start does the same if it is needed. What was made once is kept and used by all labs."
    ],
    exitCodes: [(0, "ready"), (1, "something could not be made; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let settings = try StartOption.settings(arguments, before: nil)
    try lab.build(settings, program: Lab.ownProgram) { progress in
      context.errors.line(StartView.line(progress))
      context.errors.flush()
    }
    context.errors.line("The images of \(settings.composition.name) are ready.")
    return 0
  }
}
