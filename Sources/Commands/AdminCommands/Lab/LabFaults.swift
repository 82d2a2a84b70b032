// `liburna lab kill`, `pause`, `resume` and `link`: what goes wrong in clusters, to be tried.

import CommandLine
import Lab

/// The command `lab kill`.
enum LabKill: LabVerb {
  static let words = 1...Int.max

  static let definition = CommandDefinition(
    "liburna lab kill",
    "End hosts at once, as a power failure does; `start --keep` brings them back",
    synopsis: ["[OPTIONS] HOSTS..."], operands: .hosts, options: [LabOption.name],
    exitCodes: [(0, "they are down"), (1, "there is no such host, or it could not be ended")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    for host in try LabOption.hosts(arguments.operands, of: lab) { try lab.kill(host) }
    return 0
  }
}

/// The command `lab pause`.
enum LabPause: LabVerb {
  static let words = 1...Int.max

  static let definition = CommandDefinition(
    "liburna lab pause", "Let all processes of hosts stand still, until `resume`",
    synopsis: ["[OPTIONS] HOSTS..."], operands: .hosts, options: [LabOption.name],
    exitCodes: [(0, "they stand still"), (1, "there is no such host, or it is down")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    for host in try LabOption.hosts(arguments.operands, of: lab) { try lab.pause(host, true) }
    return 0
  }
}

/// The command `lab resume`.
enum LabResume: LabVerb {
  static let words = 1...Int.max

  static let definition = CommandDefinition(
    "liburna lab resume", "Let hosts go on that `pause` stopped",
    synopsis: ["[OPTIONS] HOSTS..."], operands: .hosts, options: [LabOption.name],
    exitCodes: [(0, "they go on"), (1, "there is no such host, or it is down")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    for host in try LabOption.hosts(arguments.operands, of: lab) { try lab.pause(host, false) }
    return 0
  }
}

/// The command `lab link`.
enum LabLink: LabVerb {
  static let delay = Key<Int?>.integer(
    "--delay", value: "MS", help: "slow: so many milliseconds late [100, without --rate]")
  static let rate = Key<Int?>.integer(
    "--rate", value: "KBIT", help: "slow: at most so many kilobits in a second")

  static let words = 2...2
  static let wordMeaning = "HOSTS and cut, restore or slow"
  static let standardDelay = 100

  static let definition = CommandDefinition(
    "liburna lab link", "Cut hosts from the network, make their links slow, or restore them",
    synopsis: [
      "[OPTIONS] HOSTS cut", "[OPTIONS] HOSTS restore",
      "[OPTIONS] HOSTS slow [--delay MS] [--rate KBIT]",
    ],
    operands: .hosts, options: [delay, rate, LabOption.name],
    details: ["What is slow is what a host is sent."],
    examples: [("liburna lab link @node slow --rate 1000", "one megabit a second to each node")],
    exitCodes: [(0, "done"), (1, "there is no such host, or it is down")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let state: LinkState
    switch arguments.operands[1] {
    case "cut": state = .cut
    case "restore": state = .whole
    case "slow": state = .slow(try slowness(arguments))
    case let other:
      throw UsageError(["A link can be cut, slow, or restored, not \"\(shortened(other))\""])
    }
    let lab = try LabOption.lab(arguments)
    for host in try LabOption.hosts([arguments.operands[0]], of: lab) {
      try lab.link(host, state)
    }
    return 0
  }

  private static func slowness(_ arguments: ParsedArguments) throws -> LinkSlowness {
    let rate = try LabOption.number(arguments, rate, LinkSlowness.rateLimits)
    let delay = try LabOption.number(arguments, delay, LinkSlowness.delayLimits)
    return LinkSlowness(delay: delay ?? (rate == nil ? standardDelay : nil), rate: rate)
  }
}
