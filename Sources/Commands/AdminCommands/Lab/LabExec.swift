// `liburna lab exec`: runs a command on a host, or on many at a time.

import CommandLine
import Lab

/// The command `lab exec`.
enum LabExec: LabVerb {
  static let terminal = Key<Bool>.flag(
    "-t", "--tty", help: "On a terminal of the host; one host only")
  static let gather = Key<Bool>.flag(
    "-b", "--gather", help: "Show equal output of many hosts once, when all have ended")
  static let variables = Key<[String]>.texts(
    "-e", "--env", value: "NAME=VALUE", help: "Set a variable for the command")

  static let words = 2...Int.max
  static let wordMeaning = "HOSTS and a command"

  static let definition = CommandDefinition(
    "liburna lab exec", "Run a command on hosts, as root unless said otherwise",
    synopsis: ["[OPTIONS] HOSTS [--] COMMAND [ARGUMENT...]"], operands: .command,
    options: [
      LabOption.user, LabOption.workDirectory, variables, terminal, gather, LabOption.name,
    ],
    details: [
      "HOSTS are names separated by commas: server, node[1-4,7], @node for all of a role, all. "
        + "One host has our input and output. Many run at the same time, without input, and "
        + "each line has its host before it."
    ],
    examples: [
      ("liburna lab exec -l user1 frontend oarsub -l core=2 'sleep 60'", "a job"),
      ("liburna lab exec -b @node uname -r", "which kernels the nodes have"),
    ],
    exitCodes: [
      (0, "those of the command, the highest of many hosts; 128 + n if signal n ended it"),
      (126, "it can't be run"), (127, "there is no such command"),
      (255, "one of many hosts is down"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    var words = arguments.operands
    let named = words.removeFirst()
    if words.first == "--" { words.removeFirst() }
    guard !words.isEmpty else { throw UsageError(["A command for \(named) is needed"]) }
    let lab = try LabOption.lab(arguments)
    let hosts = try LabOption.hosts([named], of: lab)
    let command = HostCommand(
      try LabOption.command(
        words, directory: arguments[LabOption.workDirectory], variables: arguments[variables]),
      user: arguments[LabOption.user] ?? "root")
    if hosts.count == 1, !arguments[gather], let host = hosts.first {
      context.output.flush()
      return try lab.exec(command, on: host, terminal: arguments[terminal])
    }
    guard !arguments[terminal] else {
      throw UsageError(["--tty is for one host, not for \(HostSet.fold(hosts))"])
    }
    return arguments[gather]
      ? try gathered(command, on: hosts, lab, context)
      : try prefixed(command, on: hosts, lab, context)
  }

  private static func prefixed(
    _ command: HostCommand, on hosts: [String], _ lab: Lab, _ context: CommandContext
  ) throws -> Int32 {
    let width = hosts.map(\.count).max() ?? 0
    let roles = LabColour.roles(try lab.hosts())
    let isColoured = LabColour.isShown(on: context.output, in: context)
    let codes = try lab.exec(command, on: hosts) { host, line, isError in
      let prefix = LabColour.paint(
        LabOption.column(host, width) + " |", role: roles[host] ?? host, if: isColoured)
      let stream = isError ? context.errors : context.output
      stream.pass(Array("\(prefix) ".utf8) + line + [UInt8(ascii: "\n")])
    }
    return report(codes, of: hosts, in: context)
  }

  private static func gathered(
    _ command: HostCommand, on hosts: [String], _ lab: Lab, _ context: CommandContext
  ) throws -> Int32 {
    var texts: [String: [UInt8]] = [:]
    let codes = try lab.exec(command, on: hosts) { host, line, _ in
      if texts[host, default: []].count < gatherLimit {
        texts[host, default: []] += line + [UInt8(ascii: "\n")]
      }
    }
    for group in GatheredOutput.groups(hosts.map { ($0, texts[$0] ?? []) }) {
      context.output.write(GatheredOutput.head(of: group.hosts))
      context.output.pass(group.text)
    }
    return report(codes, of: hosts, in: context)
  }

  /// The most output of a host that is kept until all have ended, in bytes.
  private static let gatherLimit = 1 << 20

  /// Says which hosts failed, and gives the highest exit code.
  private static func report(
    _ codes: [Int32], of hosts: [String], in context: CommandContext
  ) -> Int32 {
    for code in Set(codes).sorted() where code != 0 {
      let failed = zip(hosts, codes).filter { $0.1 == code }.map(\.0)
      context.errors.line("\(HostSet.fold(failed)): exit code \(code)")
    }
    return codes.max() ?? 0
  }
}

/// Output of many hosts, with equal ones shown once, as users of ClusterShell know it.
enum GatheredOutput {
  /// Hosts of equal output together, in the order of their first host. Hosts that wrote nothing are
  /// left out.
  static func groups(
    _ outputs: [(host: String, text: [UInt8])]
  ) -> [(hosts: [String], text: [UInt8])] {
    var groups: [(hosts: [String], text: [UInt8])] = []
    for (host, text) in outputs where !text.isEmpty {
      if let place = groups.firstIndex(where: { $0.text == text }) {
        groups[place].hosts.append(host)
      } else {
        groups.append(([host], text))
      }
    }
    return groups
  }

  static func head(of hosts: [String]) -> String {
    let rule = "---------------\n"
    let count = hosts.count > 1 ? " (\(hosts.count))" : ""
    return rule + HostSet.fold(hosts) + count + "\n" + rule
  }
}
