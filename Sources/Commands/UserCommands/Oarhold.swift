// `oarhold`: keeps waiting jobs from starting, and suspends running ones.

import CommandLine
import Wire

/// The command `oarhold`.
public enum Oarhold: Command {
  static let running = Key<Bool>.flag(
    "-r", "--running", help: "Also jobs that run: they are suspended")

  public static let definition = CommandDefinition(
    "oarhold", "Keep jobs from being started until oarresume is called on them",
    synopsis: ["[OPTIONS] JOB...", "[OPTIONS] --sql CONDITION"], operands: .jobs,
    options: [running, JobOperandOption.array, JobOperandOption.condition, DocumentOption.json],
    exitCodes: holdExitCodes)

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let runningToo = arguments[running]
    return try holdOrResume(
      arguments, action: .hold(running: runningToo), verb: "hold", runningToo: runningToo,
      in: context)
  }
}

let holdExitCodes: [(code: Int32, meaning: String)] = [
  (0, "done"), (1, "unknown, not yours, or in another state; the server can't be reached"),
  (2, "not a job number"),
]

/// What oarhold and oarresume share.
func holdOrResume(
  _ arguments: ParsedArguments, action: JobAction, verb: String, runningToo: Bool,
  in context: CommandContext
) throws -> Int32 {
  let selection = try jobSelection(arguments, badNumber: 2)
  guard case .outcomes(let outcomes) = try context.ask(.act(action, selection)) else {
    throw UnexpectedReply(question: "jobs")
  }
  let ordered = selection.condition == nil ? inOrder(of: selection.ids, outcomes) : outcomes
  let code: Int32 = ordered.allSatisfy { $0.refusal == nil } ? 0 : 1
  if arguments[DocumentOption.json] {
    context.output.pass(outcomesDocument(ordered))
    return code
  }
  for outcome in ordered {
    if let refusal = outcome.refusal {
      context.errors.line(
        holdFailure(refusal, job: outcome.job, verb: verb, runningToo: runningToo))
    } else {
      let name = verb == "hold" ? "Hold" : "Resume"
      context.output.line("[\(outcome.job)] \(name) request was sent to the OAR server.")
    }
  }
  return code
}
