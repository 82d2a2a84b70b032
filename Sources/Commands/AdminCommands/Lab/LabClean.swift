// `liburna lab clean` and `destroy`: what dead tools left behind, and a lab with all that was made for it.

import CommandLine
import Glibc
import Lab

/// The command `lab clean`.
enum LabClean: LabVerb {
  static let definition = CommandDefinition(
    "liburna lab clean", "Remove what dead tools and labs left behind", synopsis: ["[OPTIONS]"],
    options: [],
    details: [
      "Labs that are well are left alone, and so are those that a tool is just working on. "
        + "What was found and removed is told."
    ],
    exitCodes: [(0, "nothing is left"), (1, "something could not be removed")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    for leftover in try Lab.clean() {
      context.output.line("Removed lab \(leftover.lab): \(leftover.what).")
    }
    return 0
  }
}

/// The command `lab destroy`.
enum LabDestroy: LabVerb {
  static let force = Key<Bool>.flag("-f", "--force", help: "Do not ask")

  static let definition = CommandDefinition(
    "liburna lab destroy", "End the lab and remove the images that only it uses",
    synopsis: ["[OPTIONS]"], options: [force, LabOption.name],
    details: [
      "Other than after `stop`, the next start makes the images anew, which may take minutes. "
        + "Asks first, if there is a terminal to ask on; refuses if there is none."
    ],
    exitCodes: [(0, "nothing is left"), (1, "it was not wanted, or could not be done")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    guard arguments[force] || isWanted(lab, context) else { return 1 }
    for image in try lab.destroy() { context.output.line("Removed the image \(image).") }
    return 0
  }

  private static func isWanted(_ lab: Lab, _ context: CommandContext) -> Bool {
    guard isatty(context.input) == 1 else {
      context.errors.line("[ERROR] Without a terminal to ask on, destroy needs --force.")
      return false
    }
    context.errors.write("End lab \(lab.name) and remove its images? [y/N] ")
    context.errors.flush()
    return ["y", "Y", "yes"].contains(readLine() ?? "")
  }
}
