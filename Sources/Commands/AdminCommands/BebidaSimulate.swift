// bebida simulate: checks its words and becomes the server's program, which has the planner and the lender.

import CommandLine

enum BebidaSimulate {
  static func run(
    _ words: [String], _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> Int32 {
    if let word = words.first {
      throw CommandFailure(1, "\"\(shortened(word))\" is too much: simulate has options alone")
    }
    let workloads = try number(BebidaOption.workloads, in: 1...1000, else: 5, arguments)
    let nodes = try number(BebidaOption.nodes, in: 1...10_000, else: 32, arguments)
    OtherProgram.become(
      ["liburnad", "bebidad"],
      ["--simulate", "\(workloads)", "\(nodes)", arguments[BebidaOption.picture] ?? ""],
      in: context)
    throw CommandFailure(
      1, "Neither liburnad nor bebidad is installed here, which play the simulation.",
      "Install the package liburna-server or liburna-bebida.")
  }

  private static func number(
    _ key: Key<Int?>, in range: ClosedRange<Int>, else usual: Int, _ arguments: ParsedArguments
  ) throws -> Int {
    guard let number = arguments[key] else { return usual }
    guard range.contains(number) else {
      throw CommandFailure(
        1, "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }
}
