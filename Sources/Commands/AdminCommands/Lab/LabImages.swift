// `liburna lab images`: what was made once for labs and is kept, and its removal.

import CommandLine
import Lab

/// The command `lab images`.
enum LabImages: LabVerb {
  static let remove = Key<[String]>.texts(
    "--remove", value: "IMAGE", help: "Remove an image, named by the first digits of its key")
  static let unused = Key<Bool>.flag("--unused", help: "Remove all that no running host needs")

  private static let keyDigits = 12

  static let definition = CommandDefinition(
    "liburna lab images", "List the images that are kept for labs, or remove some",
    synopsis: ["[OPTIONS]", "--remove IMAGE", "--unused"], options: [remove, unused],
    details: ["They are in \(ImageStore.standardDirectory)."],
    exitCodes: [(0, "listed, or removed"), (1, "there is no such image, or it is needed")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let store = try ImageStore(program: Lab.ownProgram)
    if arguments.has(remove) || arguments[unused] {
      for name in arguments[remove] { try store.remove(name) }
      if arguments[unused] {
        context.output.line("\(LabTable.size(try store.removeUnused())) freed.")
      }
      return 0
    }
    let rows = store.layers().map {
      [String($0.key.prefix(keyDigits)), LabTable.size($0.size), $0.origin]
    }
    context.output.write(LabTable.table(["IMAGE", "SIZE", "MADE OF"], rows, right: [1]))
    return 0
  }
}
