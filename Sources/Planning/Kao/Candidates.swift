// All jobs that a pass will search a place for, made ready before it begins: so it is known in which units
// they will be searched.

import ClusterModel
import Kamelot

/// What can be done with each waiting job.
struct Candidates {
  static let beyondLimit = Reason(
    .order, "Too many jobs are ahead of it: the plan does not reach it yet.")
  private static let setAside = Reason(.queue, "Its queue starts no jobs.")

  private var candidates: [Candidate]
  /// What the jobs ask for.
  private(set) var requests: [ResolvedRequest] = []

  init(_ snapshot: Snapshot, _ order: JobOrder, _ plugins: PlannerPlugins) {
    candidates = [Candidate](
      repeating: .refused(Self.setAside), count: snapshot.waiting.count)
    let limit = snapshot.settings.jobsPerPass
    var count = 0
    /// The job before, since the jobs of an array are alike.
    var previous: Int?
    for index in order.sequence {
      guard limit <= 0 || count < limit || snapshot.waiting[index].reservation != nil else {
        candidates[index] = .refused(Self.beyondLimit)
        continue
      }
      if let previous, snapshot.waiting[previous].isLike(snapshot.waiting[index]),
        snapshot.waiting[index].types.isEmpty
      {
        candidates[index] = candidates[previous]
      } else {
        candidates[index] = Candidate(
          snapshot.waiting[index], on: snapshot.platform, settings: snapshot.settings,
          plugins: plugins)
        if case .ready(let job) = candidates[index] { requests += job.choices.map(\.request) }
      }
      if case .ready = candidates[index] { count += 1 }
      previous = index
    }
  }

  subscript(index: Int) -> Candidate { candidates[index] }

  /// Leaves a job out of the plan.
  mutating func refuse(_ index: Int, because reason: Reason) {
    candidates[index] = .refused(reason)
  }
}

extension JobOrder {
  /// All jobs that are searched a place for, in the order in which they are.
  fileprivate var sequence: [Int] {
    groups.flatMap { $0.jobs + $0.reservations } + besteffort
  }
}
