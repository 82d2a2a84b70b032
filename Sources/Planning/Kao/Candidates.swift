// All jobs that a pass will search a place for, made ready before it begins: so it is known in which units
// they will be searched.

import ClusterModel
import Kamelot

/// What can be done with each waiting job.
struct Candidates {
  static let beyondLimit = Reason(
    .order, "Too many jobs are ahead of it: the plan does not reach it yet.")
  private static let setAside = Reason(.queue, "Its queue starts no jobs.")

  private var candidates: [Candidate] = []
  /// What the jobs ask for.
  private(set) var requests: [ResolvedRequest] = []

  /// None.
  init() {}

  init(_ snapshot: Snapshot, _ order: JobOrder, _ plugins: PlannerPlugins) {
    candidates = [Candidate](
      repeating: .refused(Self.setAside), count: snapshot.waiting.count)
    /// The job before, since the jobs of an array are alike.
    var previous: Int?
    for group in order.groups {
      add(group.jobs + group.reservations, &previous, snapshot, plugins)
    }
    add(order.besteffort, &previous, snapshot, plugins)
  }

  /// Makes jobs ready, as many as the site's limit allows.
  private mutating func add(
    _ jobs: [Int], _ previous: inout Int?, _ snapshot: Snapshot, _ plugins: PlannerPlugins
  ) {
    let limit = snapshot.settings.jobsPerPass
    let waiting = snapshot.waiting.span
    var count = 0
    for index in jobs {
      guard limit <= 0 || count < limit || waiting[index].reservation != nil else {
        candidates[index] = .refused(Self.beyondLimit)
        continue
      }
      // Field by field, here and below: to copy a job means to count all that it holds.
      if let previous, waiting[index].types.isEmpty, waiting[previous].types.isEmpty,
        waiting[previous].moldables == waiting[index].moldables,
        waiting[previous].properties == waiting[index].properties,
        waiting[previous].isBesteffort == waiting[index].isBesteffort
      {
        candidates[index] = candidates[previous]
      } else {
        candidates[index] = .ofJob(at: index, in: snapshot, plugins: plugins)
        if case .ready(let job) = candidates[index] {
          for choice in job.choices { requests.append(choice.request) }
        }
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
