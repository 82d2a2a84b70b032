// `oarsub`: submits jobs, opens terminals in them, waits for them.

import ClusterModel
import CommandLine
import Wire

/// The command `oarsub`.
public enum Oarsub: Command {
  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    if arguments[OarsubOption.dryRun] { return try OarsubDryRun.run(arguments, in: context) }
    if let job = arguments[OarsubOption.connect] {
      return try TerminalConnection(job: job, context: context).run()
    }
    if let job = arguments[OarsubOption.resubmit] {
      return try resubmit(job, arguments, in: context)
    }
    var request = try OarsubRequest(arguments, in: context)
    for note in request.notes { context.errors.line(note) }
    if request.submission.kind == .interactive {
      request.submission.terminal = TerminalMode.specification(in: context)
    }
    if arguments[OarsubOption.verbose] {
      context.errors.line("Sending: \(request.submission.initialRequest)")
    }
    let result = try submit(request.submission, arguments, in: context)
    if request.submission.kind == .interactive {
      var job = InteractiveJob(job: result.first, context: context)
      return try job.run()
    }
    if request.submission.reservationStart > 0 {
      let code = try awaitDecision(of: result, arguments, in: context)
      if code != 0 { return code }
    }
    return try wait(for: result, arguments, in: context)
  }

  private static func awaitDecision(
    of result: SubmissionResult, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let isDocument = arguments[DocumentOption.json]
    var wait = ReservationWait(first: result.first, count: result.count, context: context)
    let code = try wait.run(quietly: isDocument)
    if isDocument, wait.isDone {
      SubmissionOutput(arguments, context: context).decided(
        result, isAccepted: code == 0, reason: wait.refusal)
    }
    return code
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    switch error {
    case let unreachable as ServerUnreachable:
      CommandFailure(
        9, "[ERROR] Cannot connect to executor: \(unreachable.reason).",
        "No job was submitted. \(serverAddressHint)")
    case let lost as ConnectionLost:
      CommandFailure(
        9, "[ERROR] The server's answer was lost: \(lost.reason).",
        "Whether a job was submitted is not known: look with oarstat -u before you try again.")
    default: nil
    }
  }

  private static func submit(
    _ submission: Submission, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> SubmissionResult {
    let output = SubmissionOutput(arguments, context: context)
    do {
      guard case .submitted(let result) = try context.ask(.submit(submission)) else {
        throw UnexpectedReply(question: "the submission")
      }
      if submission.arraySize > 1 || submission.parameters != nil,
        submission.resources.count <= 1
      {
        context.errors.line("Simple array job submission is used")
      }
      // The document of a reservation tells what was decided about it as well.
      if !output.isDocument || submission.reservationStart == 0 { output.accepted(result) }
      return result
    } catch let refusal as Refusal {
      throw output.refused(refusal, of: submission)
    }
  }

  private static func resubmit(
    _ job: JobID, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    context.output.write("Resubmitting job \(job)...")
    do {
      guard case .submitted(let result) = try context.ask(.resubmit(job)) else {
        throw UnexpectedReply(question: "the submission")
      }
      context.output.line("DONE")
      SubmissionOutput(arguments, context: context).accepted(result)
      return try wait(for: result, arguments, in: context)
    } catch let refusal as Refusal {
      throw resubmissionFailure(refusal)
    }
  }

  private static func wait(
    for result: SubmissionResult, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    guard arguments[OarsubOption.wait] else { return 0 }
    var wait = JobWait(first: result.first, count: result.count, context: context)
    return try wait.run()
  }
}
