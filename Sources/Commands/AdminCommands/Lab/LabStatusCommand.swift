// `liburna lab status`: which hosts are up, which of their services answer, and what they use.

import CommandLine
import Lab

/// The command `lab status`.
enum LabStatusCommand: LabVerb {
  static let all = Key<Bool>.flag("-a", "--all", help: "All labs, a line for each")

  static let definition = CommandDefinition(
    "liburna lab status", "Show which hosts are up and which of their services answer",
    synopsis: ["[OPTIONS]"], options: [LabOption.json, all, LabOption.name],
    details: [
      "PROCS are the processes of a host, MEMORY is what they have beside the programs' own files, "
        + "which all hosts share. A service that does not answer has an exclamation mark."
    ],
    exitCodes: [
      (0, "everything answers"), (1, "something is down or silent"), (3, "there is no lab"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let isJSON = arguments[LabOption.json]
    if arguments[all] {
      let labs = try Lab.all().compactMap { try $0.status() }
      if isJSON {
        write(.list(labs.map(LabDocument.document)), in: context)
      } else {
        context.output.write(LabTable.text(labs))
      }
      return labs.isEmpty ? 3 : labs.allSatisfy(\.allAnswer) ? 0 : 1
    }
    let lab = try LabOption.lab(arguments)
    let status = try lab.status()
    if isJSON {
      write(status.map(LabDocument.document) ?? .null, in: context)
    } else if let status {
      let isColoured = LabColour.isShown(on: context.output, in: context)
      context.output.write(LabTable.text(status, isColoured: isColoured))
    } else {
      context.output.line("There is no lab \(lab.name).")
    }
    return status.map { $0.allAnswer ? 0 : 1 } ?? 3
  }

  private static func write(_ value: OutputValue, in context: CommandContext) {
    var bytes: [UInt8] = []
    JSONWriter.own.write(value, to: &bytes)
    context.output.pass(bytes)
    context.output.line()
  }
}

/// A lab's state as JSON.
enum LabDocument {
  static func document(_ status: LabStatus) -> OutputValue {
    let hosts = status.hosts.map { host -> OutputValue in
      let services = host.services.map { OutputEntry($0.name, .boolean($0.answers)) }
      return [
        "name": .text(host.name), "role": .text(host.role), "address": .text(host.address),
        "up": .boolean(host.isUp), "paused": .boolean(host.isPaused),
        "link": .text(host.link.description), "services": .map(services),
        "processes": .optional(host.usage?.processes), "memory": .optional(host.usage?.memory),
      ]
    }
    return [
      "name": .text(status.name), "directory": .text(status.directory),
      "composition": .text(status.composition), "backend": .text(status.backend.rawValue),
      "age": .integer(status.age), "complete": .boolean(status.isComplete),
      "hosts": .list(hosts),
    ]
  }
}
