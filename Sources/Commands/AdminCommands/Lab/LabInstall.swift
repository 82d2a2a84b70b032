// `liburna lab install`: software from its sources or packages, for the starts to come.

import CommandLine
import Compositions
import Glibc
import Lab

/// The command `lab install`.
enum LabInstall: LabVerb {
  static let kind = Key<String?>.text(
    "--as", value: "SOFTWARE", help: "What it is: \(kinds) [found out from its files]")
  static let forget = Key<Bool>.flag(
    "--forget", help: "Start without what was installed, as the composition says")

  static let words = 0...Int.max
  static let wordMeaning = "A source of software"
  private static let kinds = Software.allCases.map(\.rawValue).joined(separator: ", ")

  static let definition = CommandDefinition(
    "liburna lab install", "Install Liburna, OAR or packages for the next starts of the lab",
    synopsis: ["[OPTIONS] SOURCE", "[OPTIONS] PACKAGE..."], operands: .files,
    options: CompositionOption.all + [kind, forget, StartOption.binaries, LabOption.name],
    details: [
      "SOURCE is a directory with the sources, a tar file, the URL of one, git+URL, git+URL@REF, or "
        + "files of Debian packages; PACKAGE is the name of a Debian package. A tree of Liburna is "
        + "shared as it is: what is built there is what runs at the next start. Anything else is "
        + "installed on the image of the composition, in a layer that is made once.",
      "The lab remembers it until --forget or destroy.",
    ],
    examples: [
      ("liburna lab -c oar2 install ./oar start -n 4", "OAR from its sources, on four nodes"),
      ("liburna lab install $PWD start connect frontend", "Liburna as it is built here"),
    ],
    exitCodes: [(0, "installed"), (1, "it could not be installed; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    if arguments[forget] { try lab.forgetInstalled() }
    guard !arguments.operands.isEmpty else {
      if arguments[forget] { return 0 }
      throw UsageError(["\(wordMeaning) is needed after install"])
    }
    let software = try arguments[kind].map { text throws(UsageError) in
      guard let software = Software(rawValue: text) else {
        throw UsageError(["--as takes \(kinds), not \"\(shortened(text))\""])
      }
      return software
    }
    let settings = try StartOption.settings(arguments, before: nil)
    let source = try SoftwareSource(arguments.operands, in: LabOption.resolved("."))
    let installed = try lab.install(source, as: software, for: settings, program: Lab.ownProgram) {
      context.errors.line(StartView.line($0))
      context.errors.flush()
    }
    let version = installed.version.isEmpty ? "" : " (\(installed.version))"
    context.errors.line("Installed \(installed.origin)\(version).")
    return 0
  }
}
