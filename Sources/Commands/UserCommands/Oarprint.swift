// oarprint: the resources of a job, sorted and in a format of one's own, for scripts in the job.

import CommandLine

/// The options of `oarprint`.
enum OarprintOption {
  static let file = Key<String?>.text(
    "-f", value: "FILE",
    help: "Read FILE (- for the standard input), by default "
      + "$OAR_RESOURCE_PROPERTIES_FILE")
  static let properties = Key<String?>.text(
    "-P", value: "NAMES", help: "Print these properties, commas between them; by default the key")
  static let format = Key<String?>.text(
    "-F", value: "FORMAT", help: "Print each line in this format; each % stands for a property")
  static let token = Key<String?>.text(
    "-T", value: "TEXT", help: "What stands for a property in the format, by default %")
  static let separator = Key<String?>.text(
    "-C", value: "TEXT", help: "What is printed between several values, by default a comma")
  static let list = Key<Bool>.flag("-l", help: "List the properties and exit")
}

/// Prints a job's resources.
public enum Oarprint: Command {
  public static let definition = CommandDefinition(
    "oarprint", "Print the resources of a job by a property",
    synopsis: ["[-f FILE] [-P NAMES] [-F FORMAT] [-T TEXT] [-C TEXT] KEY", "[-f FILE] -l"],
    options: [
      OarprintOption.file, OarprintOption.properties, OarprintOption.format, OarprintOption.token,
      OarprintOption.separator, OarprintOption.list,
    ],
    details: [
      "One line is printed for each value that the key property has among the job's resources."
    ],
    examples: [
      ("oarprint host -P host,cpu,core -F \"host: % cpu: % core: %\" -C+", "in a job"),
      ("oarstat -j 42 -p | oarprint core -P host,cpuset -F \"%[%]\" -f -", "on the frontend"),
    ],
    exitCodes: [(0, "done"), (1, "an unknown property, or no key"), (255, "nothing to read")])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let table = try ResourceTable(parsing: input(arguments, context))
    if arguments[OarprintOption.list] {
      context.output.line("List of properties:")
      context.output.line(table.properties.joined(separator: ", "))
      return 0
    }
    guard let key = arguments.operands.first else { throw CommandFailure(1, showsUsage: true) }
    let named = arguments[OarprintOption.properties]
      .map { $0.split(separator: ",").map(String.init) }
    let layout = PrintLayout(
      properties: named.flatMap { $0.isEmpty ? nil : $0 } ?? [key],
      format: arguments[OarprintOption.format],
      token: arguments[OarprintOption.token] ?? "%",
      separator: arguments[OarprintOption.separator] ?? ",")
    for name in [key] + layout.properties where !table.properties.contains(name) {
      throw CommandFailure(1, "oarprint: Unknown property '\(shortened(name))'")
    }
    context.output.pass(layout.lines(table, by: key).map { $0 + "\n" }.joined().utf8)
    return 0
  }

  private static func input(
    _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> String {
    let path =
      arguments[OarprintOption.file] ?? context.variable("OAR_RESOURCE_PROPERTIES_FILE")
    do {
      switch path {
      case nil: throw UnreadableFile("OAR_RESOURCE_PROPERTIES_FILE is not set: name a file with -f")
      case "-": return try readText(descriptor: context.input, name: "the standard input")
      case let path?: return try readText(path: path)
      }
    } catch let error as UnreadableFile {
      throw CommandFailure(255, "oarprint: no input data available", error.description)
    }
  }
}
