// A waiting job made ready to be planned: its moldables on this platform, or why there are none.

import ClusterModel
import Kamelot

/// One moldable, ready to be placed.
struct Choice: Sendable {
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
final class ReadyJob: Sendable {
  let traits: JobTraits
  /// At least one.
  let choices: [Choice]

  init(traits: JobTraits, choices: [Choice]) {
    self.traits = traits
    self.choices = choices
  }
}

/// What can be done with a waiting job.
enum Candidate {
  case ready(ReadyJob)
  case refused(Reason)

  /// Walltimes beyond this do not fit OAR's schema.
  static let longestWalltime: Seconds = endOfTime

  /// - Parameter index: the job's place among those that wait.
  init(of index: Int, in snapshot: Snapshot, plugins: PlannerPlugins) {
    let settings = snapshot.settings
    let traits: JobTraits
    do {
      traits =
        snapshot.waiting[index].types.isEmpty
        ? .none : try snapshot.waiting[index].traits(settings)
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
    let properties = snapshot.waiting[index].properties
    let isBesteffort = snapshot.waiting[index].isBesteffort
    for (number, moldable) in snapshot.waiting[index].moldables.enumerated() {
      guard moldable.walltime > 0, moldable.walltime <= Candidate.longestWalltime else {
        refusal = refusal ?? Candidate.badWalltime(moldable.walltime)
        continue
      }
      let walltime = settings.runTime(of: moldable.walltime, isBesteffort: isBesteffort)
      switch snapshot.platform.resolve(moldable.groups, properties: properties, scope: scope) {
      case .possible(let request):
        let duration = walltime + max(0, settings.jobSecurityTime)
        choices.append(Choice(moldable: number, request: request, duration: duration))
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

extension WaitingJob {
  /// What its types mean.
  fileprivate func traits(_ settings: PlanningSettings) throws(JobTypeProblem) -> JobTraits {
    try JobTraits(types: types, job: id, user: user, name: name, utcOffset: settings.utcOffset)
  }
}
