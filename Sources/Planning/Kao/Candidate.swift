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

  /// What can be done with the job at a place among those that wait. A function, since an initializer would
  /// own, and so copy, what it is given.
  static func ofJob(
    at index: Int, in snapshot: Snapshot, plugins: PlannerPlugins
  ) -> Candidate {
    let traits: JobTraits
    do {
      // Most have none: to call for them would copy the job.
      traits =
        snapshot.waiting[index].types.isEmpty
        ? .none : try snapshot.waiting[index].traits(snapshot.settings)
    } catch {
      return .refused(Reason(.malformed, "\(error)"))
    }
    if let call = traits.plugin, !plugins.has(call) {
      return .refused(
        Reason(.plugin, "There is no plug-in \"\(call.name)\" for its type \(call.role.rawValue)."))
    }
    return ofJob(at: index, in: snapshot, traits)
  }

  private static func ofJob(
    at index: Int, in snapshot: Snapshot, _ traits: JobTraits
  ) -> Candidate {
    let scope = traits.scope(snapshot.settings)
    let properties = snapshot.waiting[index].properties
    let isBesteffort = snapshot.waiting[index].isBesteffort
    var choices: [Choice] = []
    var refusal: Reason?
    for (number, moldable) in snapshot.waiting[index].moldables.enumerated() {
      guard moldable.walltime > 0, moldable.walltime <= longestWalltime else {
        refusal = refusal ?? badWalltime(moldable.walltime)
        continue
      }
      switch snapshot.platform.resolve(moldable.groups, properties: properties, scope: scope) {
      case .possible(let request):
        let walltime = snapshot.settings.runTime(
          of: moldable.walltime, isBesteffort: isBesteffort)
        let duration = walltime + max(0, snapshot.settings.jobSecurityTime)
        choices.append(Choice(moldable: number, request: request, duration: duration))
      case .impossible(let text): refusal = refusal ?? Reason(.impossible, text)
      case .malformed(let text): refusal = refusal ?? Reason(.malformed, text)
      }
    }
    if !choices.isEmpty { return .ready(ReadyJob(traits: traits, choices: choices)) }
    return .refused(refusal ?? Reason(.malformed, "The request is empty."))
  }

  private static func badWalltime(_ walltime: Seconds) -> Reason {
    Reason(
      .malformed, "The walltime is \(walltime) s; it must be from 1 to \(longestWalltime) s.")
  }
}

extension WaitingJob {
  /// What its types mean.
  func traits(_ settings: PlanningSettings) throws(JobTypeProblem) -> JobTraits {
    try JobTraits(types: types, job: id, user: user, name: name, utcOffset: settings.utcOffset)
  }
}
