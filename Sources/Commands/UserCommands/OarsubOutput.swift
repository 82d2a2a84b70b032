// What `oarsub` prints of a submission: the rules' remarks, the ids, and the data formats.

import ClusterModel
import CommandLine
import Wire

/// Prints what became of a submission.
struct SubmissionOutput {
  let format: DataFormat?
  let isDocument: Bool
  let context: CommandContext

  init(_ arguments: ParsedArguments, context: CommandContext) {
    format = DataFormatOption.chosen(in: arguments)
    isDocument = arguments[DocumentOption.json]
    self.context = context
  }

  func accepted(_ result: SubmissionResult) {
    let ids = result.first..<(result.first + result.count)
    if isDocument {
      context.output.pass(DocumentOption.document(entries(of: result)))
      return
    }
    write(remarks: result.remarks)
    for id in ids { context.output.line("OAR_JOB_ID=\(id)") }
    if result.count > 1 { context.output.line("OAR_ARRAY_ID=\(result.arrayID)") }
    write(ids: ids)
    // A submission is visible at once, even if waiting follows.
    context.output.flush()
  }

  /// Prints the document of a reservation that was decided.
  func decided(_ result: SubmissionResult, isAccepted: Bool, reason: String?) {
    context.output.pass(
      DocumentOption.document(
        entries(of: result) + [
          OutputEntry("reservation_accepted", .boolean(isAccepted)),
          OutputEntry("reservation_refusal", .optional(reason)),
        ]))
  }

  private func entries(of result: SubmissionResult) -> [OutputEntry] {
    [
      OutputEntry("jobs", .list(Array(result.first..<(result.first + result.count)))),
      OutputEntry("array", .integer(result.arrayID)),
      OutputEntry("remarks", .list(result.remarks)),
    ]
  }

  /// Prints what belongs on the standard output and returns the failure to throw.
  func refused(_ refusal: Refusal, of submission: Submission) -> CommandFailure {
    let told = SubmissionFailure(refusal, of: submission)
    if isDocument {
      context.output.pass(
        DocumentOption.document([
          OutputEntry("error", .text(refusal.kind.rawValue)),
          OutputEntry("message", .text(refusal.message)),
          OutputEntry("remarks", .list(refusal.remarks)),
        ]))
      return told.failure
    }
    write(remarks: refusal.remarks)
    if let id = told.jobID {
      context.output.line("OAR_JOB_ID=\(id)")
      write(ids: id..<(id + 1))
    }
    return told.failure
  }

  func write(remarks: [String]) {
    for remark in remarks {
      context.output.line(
        remark.hasPrefix("[ADMISSION RULE]") ? remark : "[ADMISSION RULE] \(remark)")
    }
  }

  private func write(ids: Range<JobID>) {
    guard let format else { return }
    context.output.write("\n##########\n")
    for id in ids {
      let entry = [OutputEntry("job_id", .integer(id))]
      if case .dumper = format {
        var bytes: [UInt8] = []
        DumperWriter(isIndented: false).write(map: entry, depth: 0, to: &bytes)
        context.output.pass(bytes)
      } else {
        context.output.pass(format.document(entry))
      }
    }
    context.output.write("\n##########\n\n")
  }
}
