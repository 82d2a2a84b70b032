// `liburna lab logs`: what a host and its services wrote.

import CommandLine
import Glibc
import Lab

/// The command `lab logs`.
enum LabLogs: Command {
  static let definition = CommandDefinition(
    "liburna lab logs", "Show what a host and its services wrote",
    synopsis: ["[OPTIONS] HOST"], operands: .hosts, options: [LabOption.name],
    exitCodes: [(0, "shown"), (1, "there is no such host")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let host = try LabOption.host(arguments)
    for path in try LabOption.lab(arguments).logs(of: host) {
      context.output.line("==> \(host) \(path.split(separator: "/").last ?? "") <==")
      try copy(path, to: context.output)
    }
    return 0
  }

  private static func copy(_ path: String, to output: TextStream) throws {
    let log = open(path, O_RDONLY | O_CLOEXEC)
    guard log >= 0 else {
      throw CommandFailure(1, "[ERROR] Cannot open \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(log) }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let got = read(log, &chunk, chunk.count)
      guard got > 0, output.pass(chunk[0..<got]) else { return }
    }
  }
}
