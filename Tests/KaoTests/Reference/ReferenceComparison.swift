// How the reference planner compares what it found with the plan that it follows.

import ClusterModel
import Kamelot

extension ReferencePlanner {
  /// Notes that a job has no place.
  mutating func refuse(_ job: WaitingJob, _ reason: Reason) {
    plan.reasons[job.id] = reason
    guard problem == nil, let placement = guide?.placement(of: job.id) else { return }
    problem = "job \(job.id) has no place (\(reason.text)), not \(describe(placement))"
  }

  /// Whether the plan that is followed gives a job the same spot.
  ///
  /// - Parameter rest: other resources that will do as well.
  mutating func agree(
    _ job: WaitingJob, _ spot: ReferenceSpot, orOn rest: Set<ResourceID>? = nil
  ) -> Bool {
    guard problem == nil else { return false }
    guard let guide else { return true }
    let expected = placement(of: job, spot)
    guard let placement = guide.placement(of: job.id) else {
      let reason = guide.reasons[job.id]?.text ?? "without a reason"
      problem = "job \(job.id) has \(describe(expected)), not none: \(reason)"
      return false
    }
    var other = expected
    other.resources = rest?.sorted() ?? expected.resources
    if placement != expected, placement != other {
      problem = "job \(job.id) has \(describe(expected)), not \(describe(placement))"
    }
    return problem == nil
  }

  /// Whether the plan that is followed starts a job now if and only if it should.
  mutating func compareStart(_ job: WaitingJob, isStart: Bool, waitsForWaking: Bool) {
    guard problem == nil, let guide else { return }
    if guide.starts.contains(where: { $0.job == job.id }) != isStart {
      problem = "job \(job.id) \(isStart ? "starts" : "must not start") now"
    } else if waitsForWaking, guide.placement(of: job.id)?.start == now,
      guide.reasons[job.id]?.kind != .resources
    {
      problem = "job \(job.id) waits for resources to be woken, and is not told so"
    }
  }
}

/// A place as people read it.
func describe(_ placement: Placement) -> String {
  "\(placement.start)...\(placement.end) on \(rangesText(of: placement.resources)) "
    + "(moldable \(placement.moldable))"
}
