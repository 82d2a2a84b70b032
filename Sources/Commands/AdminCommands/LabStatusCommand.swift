// `liburna lab status`: which hosts are up and which of their services answer.

import CommandLine
import Lab

/// The command `lab status`.
enum LabStatusCommand: Command {
  static let definition = CommandDefinition(
    "liburna lab status", "Show which hosts are up and which of their services answer",
    synopsis: ["[OPTIONS]"], options: [LabOption.json, LabOption.name],
    exitCodes: [
      (0, "everything answers"), (1, "something is down or silent"), (3, "there is no lab"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    try LabOption.noOperands(arguments)
    let lab = try LabOption.lab(arguments)
    let status = try lab.status()
    if arguments[LabOption.json] {
      var bytes: [UInt8] = []
      JSONWriter.own.write(status.map(document) ?? .null, to: &bytes)
      context.output.pass(bytes)
      context.output.line()
    } else {
      context.output.write(status.map(text) ?? "There is no lab \(lab.name).\n")
    }
    guard let status else { return 3 }
    return status.allAnswer ? 0 : 1
  }

  private static func text(_ status: LabStatus) -> String {
    var text = "Lab \(status.name) in \(status.directory)"
    text += status.isComplete ? "\n" : ", not started completely\n"
    for host in status.hosts {
      let services = host.services.map { $0.answers ? $0.name : "\($0.name) (silent)" }
      text += "\(LabOption.column(host.name, 10))  \(LabOption.column(host.address, 12))  "
      text += host.isUp ? "up    \(services.joined(separator: " "))\n" : "down\n"
    }
    return text
  }

  private static func document(_ status: LabStatus) -> OutputValue {
    let hosts = status.hosts.map { host -> OutputValue in
      let services = host.services.map { OutputEntry($0.name, .boolean($0.answers)) }
      return [
        "name": .text(host.name), "address": .text(host.address), "up": .boolean(host.isUp),
        "services": .map(services),
      ]
    }
    return [
      "name": .text(status.name), "directory": .text(status.directory),
      "complete": .boolean(status.isComplete), "hosts": .list(hosts),
    ]
  }
}
