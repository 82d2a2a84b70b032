// A waiting job made ready to be planned: its moldables on this platform, or why there are none.

import ClusterModel
import Kamelot

/// One moldable, ready to be placed.
struct Choice {
  /// Its index in the job's request.
  var moldable: Int
  var request: ResolvedRequest
  /// For how long its resources are needed, security time included.
  var duration: Seconds
}

/// What can be done with a waiting job.
enum Candidate {
  /// At least one moldable can be placed.
  case ready([Choice])
  case refused(Reason)

  /// Walltimes beyond this do not fit OAR's schema.
  static let longestWalltime: Seconds = endOfTime

  init(_ job: WaitingJob, on platform: Platform, settings: PlanningSettings) {
    if let reason = Candidate.unsupported(job) {
      self = .refused(reason)
      return
    }
    var choices: [Choice] = []
    var refusal: Reason?
    for (index, moldable) in job.moldables.enumerated() {
      guard moldable.walltime > 0, moldable.walltime <= Candidate.longestWalltime else {
        refusal = refusal ?? Candidate.badWalltime(moldable.walltime)
        continue
      }
      let walltime =
        job.isBesteffort
        ? min(moldable.walltime, max(1, settings.besteffortDuration)) : moldable.walltime
      switch platform.resolve(moldable.groups, properties: job.properties) {
      case .possible(let request):
        let duration = walltime + max(0, settings.jobSecurityTime)
        choices.append(Choice(moldable: index, request: request, duration: duration))
      case .impossible(let text): refusal = refusal ?? Reason(.impossible, text)
      case .malformed(let text): refusal = refusal ?? Reason(.malformed, text)
      }
    }
    self =
      choices.isEmpty
      ? .refused(refusal ?? Reason(.malformed, "The request is empty.")) : .ready(choices)
  }

  private static func badWalltime(_ walltime: Seconds) -> Reason {
    Reason(
      .malformed, "The walltime is \(walltime) s; it must be from 1 to \(longestWalltime) s.")
  }

  /// Types that would be broken if the job were planned as an ordinary one.
  private static let unsupportedTypes = [
    "inner", "deadline", "postpone", "expire", "token", "assign", "find",
  ]

  private static func unsupported(_ job: WaitingJob) -> Reason? {
    if job.reservation != nil {
      return Reason(.impossible, "Advance reservations can't be planned yet.")
    }
    for type in job.types {
      let name = type.prefix { $0 != "=" && $0 != ":" }
      if unsupportedTypes.contains(where: { name == $0 }) {
        return Reason(.impossible, "Jobs of type \"\(type)\" can't be planned yet.")
      }
    }
    return nil
  }
}
