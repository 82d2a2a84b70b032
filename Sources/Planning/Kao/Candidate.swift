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

extension JobTraits {
  /// On which resources a job with these types is planned.
  func scope(_ settings: PlanningSettings) -> PlanningScope {
    sharing.isPermissive ? .eventual : settings.usesSleepingHosts ? .withSleeping : .present
  }
}

/// A job that can be planned.
struct ReadyJob {
  var traits: JobTraits
  /// At least one.
  var choices: [Choice]
}

/// What can be done with a waiting job.
enum Candidate {
  case ready(ReadyJob)
  case refused(Reason)

  /// Walltimes beyond this do not fit OAR's schema.
  static let longestWalltime: Seconds = endOfTime

  init(
    _ job: WaitingJob, on platform: Platform, settings: PlanningSettings, plugins: PlannerPlugins
  ) {
    let traits: JobTraits
    do {
      traits =
        job.types.isEmpty
        ? .none
        : try JobTraits(
          types: job.types, job: job.id, user: job.user, name: job.name,
          utcOffset: settings.utcOffset)
    } catch {
      self = .refused(Reason(.malformed, "\(error)"))
      return
    }
    if let call = traits.plugin, !plugins.has(call) {
      self = .refused(
        Reason(.plugin, "There is no plug-in \"\(call.name)\" for its type \(call.role.rawValue)."))
      return
    }
    let scope = traits.scope(settings)
    var choices: [Choice] = []
    var refusal: Reason?
    for (index, moldable) in job.moldables.enumerated() {
      guard moldable.walltime > 0, moldable.walltime <= Candidate.longestWalltime else {
        refusal = refusal ?? Candidate.badWalltime(moldable.walltime)
        continue
      }
      let walltime = settings.runTime(of: moldable.walltime, isBesteffort: job.isBesteffort)
      switch platform.resolve(moldable.groups, properties: job.properties, scope: scope) {
      case .possible(let request):
        let duration = walltime + max(0, settings.jobSecurityTime)
        choices.append(Choice(moldable: index, request: request, duration: duration))
      case .impossible(let text): refusal = refusal ?? Reason(.impossible, text)
      case .malformed(let text): refusal = refusal ?? Reason(.malformed, text)
      }
    }
    self =
      choices.isEmpty
      ? .refused(refusal ?? Reason(.malformed, "The request is empty."))
      : .ready(ReadyJob(traits: traits, choices: choices))
  }

  private static func badWalltime(_ walltime: Seconds) -> Reason {
    Reason(
      .malformed, "The walltime is \(walltime) s; it must be from 1 to \(longestWalltime) s.")
  }
}
