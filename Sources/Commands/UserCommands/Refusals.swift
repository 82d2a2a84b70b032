// What each refusal of the server means to users: OAR's texts and exit codes, in one place.

import CommandLine
import RequestLanguage
import Wire

/// The refusal of a submission as `oarsub` tells it.
struct SubmissionFailure {
  /// For the standard output after the admission rules' remarks: OAR's negative job id, if it gives one.
  var jobID: Int?
  var failure: CommandFailure

  /// - Parameter submission: what was refused.
  init(_ refusal: Refusal, of submission: Submission) {
    let text = refusal.message
    let verify = "[ERROR] Oarsub failed, please verify your request syntax."
    switch refusal.kind {
    case .badResourceRequest:
      failure = CommandFailure(255, unrecognized(submission.resources), text)
    case .notEnoughResources:
      jobID = -5
      let standard = "There are not enough resources for your request"
      failure = CommandFailure(8, standard)
      if text != standard { failure.lines.append(text) }
      failure.lines.append(verify)
    case .badProperty:
      jobID = -5
      failure = CommandFailure(8, "Bad resource request (\(text))", verify)
    case .admission:
      failure = CommandFailure(254, prefixed("[ADMISSION RULE] ", text), "")
    case .unknownType:
      failure = CommandFailure(254, prefixed("[ADMISSION RULE] ", text, after: "Error: "), "")
    case .unknownQueue:
      let line = "ERROR : The queue \(shortened(submission.queue ?? "default")) does not exist"
      let details = text.hasPrefix(line) ? text.dropFirst(line.count).drop { $0 == " " } : text[...]
      failure = CommandFailure(248, line)
      if !details.isEmpty { failure.lines.append(String(details)) }
    case .unavailable:
      failure = CommandFailure(9, "[ERROR] \(text)", "No job was submitted.")
    case .protocolError:
      failure = CommandFailure(1, "[ERROR] \(text)")
    case .unknownJob, .notOwner, .wrongState, .badDirectory, .badValue, .unknownResource,
      .notAdministrator, .alreadyAsked, .limit, .disabled:
      failure = CommandFailure(8, "[ERROR] \(text)", verify)
    }
  }
}

/// What `oarsub --resubmit` says after `Resubmitting job N...`.
func resubmissionFailure(_ refusal: Refusal) -> CommandFailure {
  switch refusal.kind {
  case .notOwner: CommandFailure(4, "[ERROR] You are not the right user.", refusal.message)
  default: CommandFailure(4, "[ERROR] \(refusal.message)")
  }
}

/// Why `oardel` could not do what it was asked to a job: a line for the standard error and an exit code.
func deletionFailure(_ refusal: Refusal, job: Int, verb: String) -> CommandFailure {
  let head = "Cannot \(verb) \(job) ; "
  switch refusal.kind {
  case .unknownJob:
    // OAR says the same of jobs that are somebody else's and of jobs that never were.
    return CommandFailure(
      1, head + "You are not the right user.", "There is no job \(job).")
  case .notOwner:
    return CommandFailure(1, head + "You are not the right user.")
  case .alreadyAsked:
    return CommandFailure(6, head + "This job was already killed.")
  case .wrongState where verb == "frag":
    return CommandFailure(6, head + refusal.message)
  case .wrongState:
    return CommandFailure(5, head + "This job is not running.")
  case .unavailable:
    return CommandFailure(2, head + refusal.message)
  default:
    return CommandFailure(1, head + refusal.message)
  }
}

/// Why `oarhold` or `oarresume` could not do what it was asked to a job.
func holdFailure(_ refusal: Refusal, job: Int, verb: String, runningToo: Bool) -> String {
  let head = "/!\\ Cannot \(verb) \(job) : "
  switch refusal.kind {
  case .unknownJob: return head + "this job does not exist."
  case .notOwner: return head + "you are not the right user."
  case .wrongState where verb == "resume":
    return head + "the job is not in the Hold or Suspended state."
  case .wrongState where runningToo: return head + refusal.message
  case .wrongState: return head + "the job is not in the right state (try '-r' option)."
  default: return head + refusal.message
  }
}

/// OAR's line about the first request that can't be read.
private func unrecognized(_ requests: [String]) -> String {
  let isReadable = { (text: String) in
    (try? ResourceRequestParser.parse(text, nodesProperty: "network_address")) != nil
  }
  let text = requests.first { !isReadable($0) } ?? requests.first ?? ""
  let rest = text.lastIndex(of: ",").map { (head: text[..<$0], tail: text[$0...]) }
  if text.isEmpty { return "/!\\ Cannot recognize --  -- resource" }
  if let rest, isReadable(String(rest.head)) {
    return "/!\\ Cannot recognize -- \(shortened(rest.tail)) -- resource"
  }
  return "/!\\ Cannot recognize the resource description : \(shortened(text))"
}

/// A text with a prefix that it may have already; `after` stands between them if it has not.
private func prefixed(_ prefix: String, _ text: String, after link: String = "") -> String {
  text.hasPrefix(prefix) ? text : prefix + link + text
}
