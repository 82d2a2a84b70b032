// `liburna lab start`: brings a lab up, or brings back what has died of it.

import CommandLine
import Compositions
import Glibc
import Lab

/// The command `lab start`.
enum LabStart: Command {
  static let nodes = Key<Int?>.integer(
    "-n", "--nodes", value: "N", help: "Nodes, 1 to \(nodeLimits.upperBound) [\(standardNodes)]")
  static let binaries = Key<String?>.text(
    "--binaries", value: "DIRECTORY",
    help: "Where liburna, liburnad and liburna-node are [beside this program]")
  static let data = Key<String?>.text(
    "--data", value: "DIRECTORY",
    help: "A directory of this machine that every host sees as /data [none]")
  static let plain = Key<Bool>.flag(
    "--plain", help: "Hosts with ssh and MUNGE only, without Liburna")
  static let timeout = Key<Int?>.integer(
    "--timeout", value: "SECONDS", help: "The most time that the start may take [\(patience)]")

  static let standardNodes = 3
  static let dataDirectory = "/data"
  static let nodeLimits = 1...(Lab.hostLimit - 2)
  static let patience = 60
  static let patienceLimits = 1...3600

  static let definition = CommandDefinition(
    "liburna lab start", "Bring the lab up; hosts that have died come back, others are left alone",
    synopsis: ["[OPTIONS]"], options: [nodes, binaries, data, plain, timeout, LabOption.name],
    details: [
      "Repeated with another number of nodes, it adds or removes some. Progress is told on the "
        + "standard error."
    ],
    exitCodes: [(0, "every service answers"), (1, "something failed; the message says what")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    try LabOption.noOperands(arguments)
    let lab = try LabOption.lab(arguments)
    let before = try lab.settings()
    let seconds = try number(arguments, timeout, patienceLimits) ?? patience
    let program = resolved("/proc/self/exe")
    let count = try number(arguments, nodes, nodeLimits) ?? Self.nodes(before) ?? standardNodes
    let isPlain = arguments[plain] || before?.composition.name == "plain"
    let settings = LabSettings(
      try composition(nodes: count, isPlain: isPlain, data: arguments[data] ?? Self.data(before)),
      programs: arguments[binaries].map(resolved) ?? before?.programs ?? directory(of: program))
    do {
      try lab.start(settings, program: program, timeout: seconds) { show($0, in: context) }
    } catch let error as LabError {
      var failure = CommandFailure(1, "[ERROR] \(error)")
      if error.host != nil {
        failure.lines.append(
          "`liburna lab logs HOST` shows more; `liburna lab stop` removes what was started.")
      }
      throw failure
    }
    return 0
  }

  private static func nodes(_ settings: LabSettings?) -> Int? {
    settings?.composition.role("node")?.hosts.count
  }

  private static func data(_ settings: LabSettings?) -> String? {
    settings?.composition.volumes.first { $0.target == dataDirectory }?.source
  }

  private static func composition(
    nodes: Int, isPlain: Bool, data: String?
  ) throws -> Composition {
    let name = isPlain ? "plain" : "liburna"
    var composition = try CompositionFile.shipped(name).composition(nodes: nodes)
    if let data {
      composition.volumes = [Volume(source: resolved(data), target: dataDirectory)]
    }
    return composition
  }

  private static func directory(of program: String) -> String {
    String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
  }

  private static func number(
    _ arguments: ParsedArguments, _ key: Key<Int?>, _ limits: ClosedRange<Int>
  ) throws -> Int? {
    guard let number = arguments[key] else { return nil }
    guard limits.contains(number) else {
      throw UsageError([
        "--\(key.definition.name) takes a number from \(limits.lowerBound) to "
          + "\(limits.upperBound), not \(number)"
      ])
    }
    return number
  }

  /// One line for each step, at once: whoever waits wants to see where it stands.
  private static func show(_ progress: LabProgress, in context: CommandContext) {
    let fraction = String(1000 + progress.milliseconds % 1000).dropFirst()
    let host = LabOption.column(progress.host ?? "lab", 10)
    context.errors.line("\(progress.milliseconds / 1000).\(fraction)s  \(host)  \(progress.step)")
    context.errors.flush()
  }

  /// The path without symbolic links; the path itself if it leads nowhere, so that messages name it.
  private static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
