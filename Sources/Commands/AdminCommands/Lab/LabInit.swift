// `liburna lab init`: a composition as a file of one's own.

import CommandLine
import Compositions
import Glibc
import Lab

/// The command `lab init`.
enum LabInit: LabVerb {
  static let force = Key<Bool>.flag("-f", "--force", help: "Overwrite the file that is there")
  static let list = Key<Bool>.flag("-L", "--list", help: "List the compositions there are")
  /// oar-docker's name of the choice.
  static let chosen = Key<String?>.text(
    "-c", "-e", "--composition", "--env", value: "NAME",
    help: "Which [\(CompositionOption.standardComposition)]")

  static let definition = CommandDefinition(
    "liburna lab init", "Write a composition to \(CompositionOption.localFile), to be changed",
    synopsis: ["[OPTIONS]", "--list"], options: [chosen, force, list],
    details: [
      "Later commands in this directory take \(CompositionOption.localFile) unless they are told "
        + "another composition. It need not be there: without it they take what is shipped."
    ],
    examples: [("liburna lab init -c slurm start", "a lab of Slurm, described in lab.yaml")],
    exitCodes: [(0, "written"), (1, "there is a file already, or no such composition")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    if arguments[list] {
      let files = try CompositionFile.shippedNames.map { try CompositionFile.shipped($0) }
      let rows = files.map { [$0.name, $0.setups.map(\.name).joined(separator: " "), $0.about] }
      context.output.write(LabTable.table(["NAME", "SET-UPS", "ABOUT"], rows))
      return 0
    }
    let name = arguments[chosen] ?? CompositionOption.standardComposition
    let path = CompositionOption.localFile
    _ = try CompositionFile.shipped(name)
    guard let bytes = CompositionFile.shippedBytes(name) else {
      throw CommandFailure(1, "[ERROR] there is no composition \(shortened(name))")
    }
    let descriptor = open(
      path, O_WRONLY | O_CREAT | O_CLOEXEC | (arguments[force] ? O_TRUNC : O_EXCL), 0o644)
    guard descriptor >= 0 else {
      guard errno == EEXIST else {
        throw CommandFailure(
          1, "[ERROR] \(path) can't be written: \(String(cString: strerror(errno)))")
      }
      throw CommandFailure(1, "[ERROR] There is a \(path) here already; --force overwrites it.")
    }
    defer { close(descriptor) }
    guard writeAll(bytes, to: descriptor) else {
      throw CommandFailure(
        1, "[ERROR] \(path) can't be written: \(String(cString: strerror(errno)))")
    }
    context.errors.line("Wrote \(path), the composition \(name).")
    return 0
  }
}
