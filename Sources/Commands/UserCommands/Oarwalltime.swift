// `oarwalltime`: shows how changes of a job's walltime stand, and asks for one.

import ClusterModel
import CommandLine
import RequestLanguage
import Wire

/// The command `oarwalltime`.
public enum Oarwalltime: Command {
  static let force = Key<Bool>.flag(
    "--force", help: "Ask for the whole change at once, if the site lets you")
  static let delayNextJobs = Key<Bool>.flag(
    "--delay-next-jobs",
    help: "Ask for more time even if planned jobs, also of other users, must wait for it, if the "
      + "site lets you; reservations are never delayed")

  public static let definition = CommandDefinition(
    "oarwalltime", "Show or change the walltime of a running job",
    synopsis: ["JOB", "[OPTIONS] JOB [+|-]HOURS[:MINUTES[:SECONDS]]"], operands: .signedWords,
    options: [force, delayNextJobs, DocumentOption.json],
    details: [
      "With a length the walltime is to be that long, with + or - before it longer or shorter by it; "
        + "+0 takes back what is pending. A new request takes the place of one that is pending.",
      "A request is granted by the next planning pass, as far as the jobs that are planned on the same "
        + "resources allow; the rest stays pending while the job runs. oar.conf says what may be asked: "
        + "WALLTIME_CHANGE_ENABLED, WALLTIME_MAX_INCREASE, WALLTIME_MIN_FOR_CHANGE, "
        + "WALLTIME_CHANGE_APPLY_TIME, WALLTIME_INCREMENT, WALLTIME_ALLOWED_USERS_TO_FORCE, "
        + "WALLTIME_ALLOWED_USERS_TO_DELAY_JOBS.",
    ],
    examples: [
      ("oarwalltime 42", "what job 42 has, and may get"),
      ("oarwalltime 42 +0:30", "half an hour more"), ("oarwalltime 42 2", "two hours in all"),
    ],
    exitCodes: [
      (0, "shown or accepted"), (1, "the request can't be read by the server"),
      (2, "an unknown job, or walltimes can't change here; the server can't be reached"),
      (3, "forbidden"), (4, "a call that can't be read; a request for an unknown job"),
      (5, "a request, but walltimes can't change here"),
    ])

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let words = arguments.operands
    guard (1...2).contains(words.count), let job = Int(words[0]), job > 0 else {
      return syntaxError(in: context)
    }
    let isDocument = arguments[DocumentOption.json]
    guard words.count == 2 else { return try show(job, isDocument, in: context) }
    guard let amount = amount(words[1]) else { return syntaxError(in: context) }
    let order = WalltimeOrder(
      amount, force: arguments[force], delayNextJobs: arguments[delayNextJobs])
    return try request(order, of: job, isDocument, in: context)
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    guard let usage = error as? UsageError else { return nil }
    var failure = CommandFailure(4)
    failure.lines = usage.messages + ["Try 'oarwalltime --help' for its options."]
    return failure
  }

  private static func syntaxError(in context: CommandContext) -> Int32 {
    context.output.line("Syntax error.\n")
    context.output.write(definition.helpText)
    return 4
  }

  /// `[+|-]h[:m[:s]]`; `nil` for anything else. A difference may be nothing.
  static func amount(_ text: String) -> WalltimeOrder.Amount? {
    guard let sign = text.first, sign == "+" || sign == "-" else {
      return (try? Walltime.parse(text)).map { .total($0) }
    }
    let length = String(text.dropFirst())
    let isNothing = !length.isEmpty && length.allSatisfy { $0 == "0" || $0 == ":" }
    if isNothing, length.split(separator: ":", omittingEmptySubsequences: false).count <= 3 {
      return .difference(0)
    }
    return (try? Walltime.parse(length)).map { .difference(sign == "-" ? -$0 : $0) }
  }

  // MARK: Showing

  private static func show(
    _ job: JobID, _ isDocument: Bool, in context: CommandContext
  ) throws -> Int32 {
    do {
      guard case .walltime(let status) = try context.ask(.walltime(job)) else {
        throw UnexpectedReply(question: "the walltime")
      }
      if isDocument {
        context.output.pass(DocumentOption.document(entries(of: status)))
      } else {
        for line in lines(status) { context.output.line(line) }
      }
      return 0
    } catch let refusal as Refusal where refusal.kind == .unknownJob || refusal.kind == .disabled {
      let text = refusal.kind == .unknownJob ? "UNKNOWN JOB" : refusal.message
      tell(refusal, text, isDocument, in: context)
      return 2
    }
  }

  /// OAR's lines.
  static func lines(_ status: WalltimeStatus) -> [String] {
    let head = "Walltime change status for job \(status.job)"
    let change = status.change
    let walltime = padded(status.walltime.hoursMinutesSeconds, 11)
    let granted = padded(change.granted.signedDuration, 12)
    let pending = padded(change.pending.signedDuration, 8)
    switch status.state {
    case .running, .suspended, .resuming:
      let increase = status.possibleIncrease.map(\.signedDuration) ?? "UNLIMITED"
      return [
        "\(head) (job is running):", "  Current walltime: \(walltime)",
        "  Possible increase: \(padded(increase, 10))",
        "  Already granted: \(granted)\(grantedWays(change))",
        "  Pending/unsatisfied: \(pending)\(pendingWays(change))",
      ]
    case .finishing, .terminated, .error, .toError:
      return [
        "\(head) (job is not running):", "  Walltime: \(walltime)", "  Granted: \(granted)",
        "  Unsatisfied: \(pending)",
      ]
    case .waiting, .hold, .toAckReservation, .toLaunch, .launching:
      return ["\(head) (job is not running yet):", "  N/A"]
    }
  }

  private static func grantedWays(_ change: WalltimeChange) -> String {
    var ways: [String] = []
    if change.grantedWithForce != 0 {
      ways.append("forced: \(change.grantedWithForce.signedDuration)")
    }
    if change.grantedWithDelayNextJobs != 0 {
      ways.append("delaying next jobs: \(change.grantedWithDelayNextJobs.signedDuration)")
    }
    return ways.isEmpty ? "" : " (\(ways.joined(separator: ", ")))"
  }

  private static func pendingWays(_ change: WalltimeChange) -> String {
    change.pending != 0 && change.delayNextJobs ? " (will possibly delay next jobs)" : ""
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func entries(of status: WalltimeStatus) -> [OutputEntry] {
    [
      OutputEntry("job", .integer(status.job)), OutputEntry("state", .text(status.state.rawValue)),
      OutputEntry("walltime", .integer(status.walltime)),
      OutputEntry("possible_increase", .optional(status.possibleIncrease)),
      OutputEntry("walltime_change", document(of: status.change)),
    ]
  }

  // MARK: Asking

  private static func request(
    _ order: WalltimeOrder, of job: JobID, _ isDocument: Bool, in context: CommandContext
  ) throws -> Int32 {
    do {
      guard case .walltimeChange(let isUpdate) = try context.ask(.changeWalltime(job, order)) else {
        throw UnexpectedReply(question: "the change of the walltime")
      }
      if isDocument {
        context.output.pass(
          DocumentOption.document([
            OutputEntry("job", .integer(job)), OutputEntry("accepted", .boolean(true)),
            OutputEntry("is_update", .boolean(isUpdate)),
          ]))
      } else {
        context.output.line(
          "Accepted: walltime change request \(isUpdate ? "updated" : "accepted") for job \(job), "
            + "it will be handled shortly.")
      }
      return 0
    } catch let refusal as Refusal {
      let (word, code) = verdict(refusal)
      tell(refusal, "\(word): \(refusal.message)", isDocument, in: context)
      return code
    }
  }

  private static func verdict(_ refusal: Refusal) -> (word: String, code: Int32) {
    switch refusal.kind {
    case .unknownJob: ("Not found", 4)
    case .disabled: ("Not available", 5)
    case .admission, .notOwner, .wrongState: ("Forbidden", 3)
    case .unavailable: ("Not available", 2)
    default: ("Bad request", 1)
    }
  }

  private static func tell(
    _ refusal: Refusal, _ text: String, _ isDocument: Bool, in context: CommandContext
  ) {
    if isDocument {
      context.output.pass(
        DocumentOption.document([
          OutputEntry("error", .text(refusal.kind.rawValue)),
          OutputEntry("message", .text(refusal.message)),
        ]))
    } else {
      context.output.line(text)
    }
  }
}
