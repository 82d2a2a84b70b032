// `liburna lab snapshot` and `reset`: known states of a lab, and the way back to them.

import CommandLine
import Lab

/// The command `lab snapshot`.
enum LabSnapshot: LabVerb {
  static let list = Key<Bool>.flag("-L", "--list", help: "List the snapshots of the lab")

  static let words = 0...1

  static let definition = CommandDefinition(
    "liburna lab snapshot", "Keep the disks of all hosts as they are now, to come back to them",
    synopsis: ["[OPTIONS] [SNAPSHOT]", "--list"], options: [list, LabOption.name],
    details: [
      "A snapshot has the name \(Lab.standardSnapshot) if it is given none. What is in the memory "
        + "of processes is not kept: `reset` starts the services anew."
    ],
    exitCodes: [(0, "kept"), (1, "it could not be kept; the message says why")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    if arguments[list] {
      for name in try lab.snapshots() { context.output.line(name) }
      return 0
    }
    try lab.save(arguments.operands.first ?? Lab.standardSnapshot)
    return 0
  }
}

/// The command `lab reset`.
enum LabReset: LabVerb {
  static let snapshot = Key<String?>.text(
    "--to", value: "SNAPSHOT", help: "Which state [\(Lab.standardSnapshot)]")

  static let words = 0...Int.max

  static let definition = CommandDefinition(
    "liburna lab reset", "Put the lab back to a snapshot, or let some hosts boot again",
    synopsis: ["[OPTIONS] [--to SNAPSHOT]", "[OPTIONS] HOSTS..."], operands: .hosts,
    options: [snapshot, StartOption.timeout, LabOption.name],
    details: [
      "Without HOSTS, all hosts get the disks that they had when `snapshot` was called, and boot. "
        + "With HOSTS, these lose their power and boot again with the disks that they have."
    ],
    examples: [
      ("liburna lab start snapshot test ./one.sh", "a known state, and a test on it"),
      ("liburna lab reset", "as if that test had not been"),
      ("liburna lab reset @node", "all nodes boot again"),
    ],
    exitCodes: [(0, "every service answers"), (1, "something failed; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let hosts = try LabOption.hosts(arguments.operands, of: lab)
    guard hosts.isEmpty else {
      guard !arguments.has(snapshot) else {
        throw UsageError(["--to is for the whole lab, not for \(HostSet.fold(hosts))"])
      }
      guard let settings = try lab.settings() else { return 1 }
      for host in hosts { try lab.kill(host) }
      try StartOption.start(lab, settings, .keeping, arguments, in: context)
      return 0
    }
    let count = try lab.hosts().count
    try StartOption.watch(lab, hosts: count, arguments, in: context) { seconds, show in
      try lab.reset(
        to: arguments[snapshot] ?? Lab.standardSnapshot, program: Lab.ownProgram,
        timeout: seconds, progress: show)
    }
    return 0
  }
}
