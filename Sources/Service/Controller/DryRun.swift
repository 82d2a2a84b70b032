// `oarsub --dry-run`: a pass in which a submission is planned as if it had been made. It is planned apart
// from the server's state and thread: nothing is stored, no id is used up, nobody waits for it.

import ClusterModel
import Kamelot
import Kao
import Wire

/// A submission that is planned and not made.
struct DryRun: Sendable {
  /// At most so many jobs of an array are planned.
  static let jobLimit = 1000

  private var snapshot: Snapshot
  private let first: WaitingJob
  /// The jobs that were added to the snapshot.
  private let ids: Range<JobID>
  private let isHeld: Bool
  private var forecast: Forecast

  /// The state with the jobs of an admitted submission behind all that wait.
  fileprivate init(
    _ admitted: AdmittedSubmission, like first: WaitingJob, isHeld: Bool, in snapshot: Snapshot
  ) {
    self.snapshot = snapshot
    self.first = first
    self.isHeld = isHeld
    let count = admitted.commands.count
    forecast = Forecast(
      remarks: admitted.remarks, moldables: admitted.request.moldables, count: count)
    ids = first.id..<first.id + min(count, Self.jobLimit)
    for id in ids {
      var job = first
      job.id = id
      self.snapshot.waiting.append(job)
    }
  }

  /// When and where the jobs would start, and why not now. Takes as long as a whole pass.
  func plan() -> Forecast {
    guard !isHeld else { return held }
    let plan = Kao.plan(snapshot)
    var forecast = forecast
    var starts: [JobID: Placement] = [:]
    for placement in plan.starts + plan.predictions where ids.contains(placement.job) {
      starts[placement.job] = placement
    }
    forecast.startingNow = plan.starts.count { ids.contains($0.job) }
    if starts.count == forecast.count { forecast.lastStart = starts.values.map(\.start).max() }
    if let placement = starts[first.id] {
      forecast.start = placement.start
      forecast.moldable = placement.moldable
      forecast.resources = placement.resources
      forecast.hosts = hosts(of: placement.resources)
    }
    guard let reason = plan.reasons[first.id] else {
      forecast.startsNow = forecast.start != nil
      return forecast
    }
    var explanation = Explanation(
      job: 0, state: .waiting, text: reason.text, kind: reason.kind.rawValue,
      // The others of its array have no ids.
      blockers: reason.blockers.filter { !ids.contains($0) }, plannedStart: forecast.start,
      plannedHosts: forecast.hosts)
    if let why = Kao.explain(first.id, admittedTo: snapshot, plan: plan) {
      explanation.add(why)
      // Nor have they here.
      explanation.leaveOut { ids.contains($0) }
    }
    forecast.explanation = explanation
    return forecast
  }

  private var held: Forecast {
    var forecast = forecast
    forecast.explanation = Explanation(
      job: 0, state: .hold, text: "It would be held until oarresume is called on it.",
      kind: "hold", blockers: [], plannedStart: nil, plannedHosts: [])
    return forecast
  }

  /// The hosts of resources, without repetition, in the order of the resources.
  private func hosts(of ids: [ResourceID]) -> [String] {
    var seen: Set<String> = []
    return ids.compactMap { id in
      snapshot.platform.place(of: id).map { snapshot.platform.resources[$0].networkAddress }
    }.filter { !$0.isEmpty && seen.insert($0).inserted }
  }
}

extension ClusterState {
  /// Lets a submission through the rules and prepares to plan it; changes nothing.
  mutating func rehearse(
    _ submission: Submission, by asker: Asker, settings: ServerSettings, at now: Instant
  ) throws(Refusal) -> DryRun {
    let admitted = try admit(submission, by: asker, settings: settings)
    let job = Job(
      id: nextJob, arrayID: nextJob, arrayIndex: 1, request: admitted.request,
      command: admitted.commands.first ?? "", state: .waiting, queue: admitted.queue,
      types: admitted.types, submissionTime: now, firstMoldableID: nextMoldable,
      message: admitted.message)
    var depth = PassDepth.whole
    let snapshot = snapshot(settings: settings, at: now, &depth)
    return DryRun(admitted, like: waitingJob(job), isHeld: submission.hold, in: snapshot)
  }
}
