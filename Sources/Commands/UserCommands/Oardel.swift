// `oardel`: ends jobs, or signals them.

import CommandLine
import Wire

/// The command `oardel`.
public enum Oardel: Command {
  enum Option {
    static let checkpoint = Key<Bool>.flag(
      "-c", "--checkpoint", help: "Send the jobs their checkpoint signal instead")
    static let signal = Key<String?>.text(
      "-s", "--signal", value: "SIGNAL", help: "Send the jobs this signal instead, such as USR1")
    static let besteffort = Key<Bool>.flag(
      "-b", "--besteffort",
      help: "Make the jobs besteffort ones, or normal ones if they are that already (root and oar)")
    static let force = Key<Bool>.flag(
      "--force-terminate-finishing-job",
      help: "End jobs that hang in the state Finishing (root and oar; the last resort)")
  }

  public static let definition = CommandDefinition(
    "oardel", "End jobs, or send them signals",
    synopsis: ["[OPTIONS] JOB...", "[OPTIONS] --sql CONDITION"], operands: .jobs,
    options: [
      Option.checkpoint, Option.signal, Option.besteffort, JobOperandOption.array,
      JobOperandOption.condition, Option.force, DocumentOption.json,
    ],
    examples: [
      ("oardel 12 13", "ends the jobs 12 and 13"),
      ("oardel --array 40", "ends all jobs of the array 40"),
      ("oardel -s USR1 12", "sends SIGUSR1 to the command of job 12"),
    ],
    exitCodes: [
      (0, "done, or under way"), (1, "not yours, unknown, or a wrong call"),
      (2, "the server can't be reached"), (4, "not a job number"),
      (5, "the job to signal is not running"), (6, "ended already, or asked to"),
      (8, "only root and oar may use this option"), (9, "not running: -b changes running jobs"),
      (10, "not in the state Finishing"),
    ], helpExitCode: 1)

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let selection = try jobSelection(arguments, badNumber: 4)
    let task = task(arguments)
    let reply: ServerReply
    do {
      reply = try context.ask(.act(task.action, selection))
    } catch let refusal as Refusal {
      throw task.failure(refusal, job: selection.ids.first ?? 0)
    }
    guard case .outcomes(let outcomes) = reply else { throw UnexpectedReply(question: "jobs") }
    let ordered = selection.condition == nil ? inOrder(of: selection.ids, outcomes) : outcomes
    if arguments[DocumentOption.json] { return write(ordered, of: task, in: context) }
    return report(ordered, of: task, in: context)
  }

  private static func task(_ arguments: ParsedArguments) -> OardelTask {
    if arguments[Option.checkpoint] { return .checkpoint }
    if let signal = arguments[Option.signal] { return .signal(signal) }
    if arguments[Option.besteffort] { return .besteffort }
    if arguments[Option.force] { return .force }
    return .delete
  }

  private static func report(
    _ outcomes: [JobOutcome], of task: OardelTask, in context: CommandContext
  ) -> Int32 {
    var code: Int32 = 0
    var done: [Int] = []
    for outcome in outcomes {
      guard let refusal = outcome.refusal else {
        for line in task.success(outcome) { context.output.line(line) }
        done.append(outcome.job)
        continue
      }
      let failure = task.failure(refusal, job: outcome.job)
      for line in task.attempt(outcome.job) { context.output.line(line) }
      context.output.flush()
      for line in failure.lines { context.errors.line(line) }
      code = failure.exitCode
    }
    if case .delete = task, !done.isEmpty {
      let list = done.map(String.init).joined(separator: " ")
      context.output.line("The job(s) [ \(list) ] will be deleted in the near future.")
    }
    return code
  }

  private static func write(
    _ outcomes: [JobOutcome], of task: OardelTask, in context: CommandContext
  ) -> Int32 {
    var code: Int32 = 0
    for case let refusal? in outcomes.map(\.refusal) {
      code = task.failure(refusal, job: 0).exitCode
    }
    context.output.pass(outcomesDocument(outcomes))
    return code
  }
}

/// What `oardel` is asked to do, and how OAR speaks of it.
enum OardelTask {
  case delete
  case checkpoint
  case signal(String)
  case besteffort
  case force

  var action: JobAction {
    switch self {
    case .delete: .delete
    case .checkpoint: .checkpoint
    case .signal(let name): .signal(name)
    case .besteffort: .toggleBesteffort
    case .force: .forceTerminate
    }
  }

  /// The lines for a job that it was done to.
  func success(_ outcome: JobOutcome) -> [String] {
    let job = outcome.job
    let place = outcome.host.map { " on \($0)" } ?? ""
    switch self {
    case .delete:
      return ["Deleting the job = \(job) ...REGISTERED."]
    case .checkpoint:
      return [
        "Checkpointing the job \(job) ...DONE.",
        "The job \(job) was notified to checkpoint itself\(place).",
      ]
    case .signal(let name):
      return [
        "Signaling the job \(job) with \(name) signal.", "DONE.",
        "The job \(job) was notified to signal itself with \(name)\(place).",
      ]
    case .besteffort:
      return ["Add besteffort type for the job \(job)."]
    case .force:
      return ["Force the termination of the job = \(job) ...REGISTERED."]
    }
  }

  /// The lines for a job that it was not done to; the reason goes to the standard error.
  func attempt(_ job: Int) -> [String] {
    switch self {
    case .delete: ["Deleting the job = \(job) ...ERROR."]
    case .checkpoint: ["Checkpointing the job \(job) ...ERROR."]
    case .signal(let name):
      ["Signaling the job \(job) with \(shortened(name)) signal.", "ERROR."]
    case .besteffort: []
    case .force: ["Force the termination of the job = \(job) ...ERROR."]
    }
  }

  func failure(_ refusal: Refusal, job: Int) -> CommandFailure {
    switch (self, refusal.kind) {
    case (.besteffort, .notAdministrator):
      return CommandFailure(8, "You must be oar or root to use the -b option")
    case (.besteffort, .wrongState):
      return CommandFailure(9, "The job \(job) is not in the Running state.")
    case (.force, .notAdministrator):
      return CommandFailure(8, "You must be oar or root to use this option")
    case (.force, .wrongState):
      return CommandFailure(10, "The job \(job) is not in the Finishing state.")
    case (.delete, _), (.force, _), (.besteffort, _):
      return deletionFailure(refusal, job: job, verb: "frag")
    case (.checkpoint, _):
      return deletionFailure(refusal, job: job, verb: "checkpoint")
    case (.signal, _):
      return deletionFailure(refusal, job: job, verb: "signal")
    }
  }
}
