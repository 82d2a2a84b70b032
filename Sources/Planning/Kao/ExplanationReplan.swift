// Changes that give a job another place in the order: what they do is known only when all is planned
// again, which is done for as long as it is quick.

import ClusterModel
import Kamelot

extension Inquiry {
  /// With more waiting jobs than this, nothing is planned again for an explanation: it may take the
  /// server's time for a few milliseconds, not for a whole pass.
  static let replanLimit = 1000

  /// Whether it is known that the job would start now, or as soon as what is in the way has gone, if
  /// it were `changed`.
  func startsNow(_ changed: WaitingJob) -> Bool {
    guard snapshot.waiting.count <= Inquiry.replanLimit else { return false }
    var other = snapshot
    other.waiting[index] = changed
    let plan = Kao.plan(other, plugins: plugins)
    return [plan.starts, plan.predictions].contains { placements in
      placements.contains { $0.job == changed.id && $0.start <= snapshot.now }
    }
  }
}

extension ChangeSearch {
  /// The job as a besteffort job, if it is not one and there is a queue for them.
  func asBesteffort(_ site: (WaitingJob) -> WaitingJob?) -> [Found] {
    let (job, snapshot) = (inquiry.job, inquiry.snapshot)
    guard !job.isBesteffort, let changed = site(job),
      snapshot.queues.contains(where: { $0.name == changed.queue && $0.isActive }),
      inquiry.startsNow(changed)
    else { return [] }
    let change = Change.besteffort(
      queue: changed.queue, types: changed.types, properties: changed.properties)
    return [(change, -1)]
  }
}

/// Sees to it that a change does not lose a job its place in the order.
struct OrderKeeper {
  private let inquiry: Inquiry
  /// Whether what a job asks for counts for its place, or a plug-in may let it.
  private let countsRequests: Bool
  private let hasPlugins: Bool

  init(_ inquiry: Inquiry) {
    self.inquiry = inquiry
    hasPlugins = inquiry.plugins.sorter != nil || !inquiry.plugins.extraPasses.isEmpty
    countsRequests =
      switch inquiry.snapshot.order {
      case .fifo, .fairShare: false
      case .multifactor(let factors):
        [.work, .size].contains { factors.weights[$0, default: 0] != 0 }
      }
  }

  /// Whether the job keeps its place with a change, or starts now from its new one.
  func allows(_ change: Kao.Explanation.Change) -> Bool {
    if case .besteffort = change { return true }
    guard countsRequests || hasPlugins else { return true }
    let (job, snapshot) = (inquiry.job, inquiry.snapshot)
    let changed = change.applied(to: job)
    if hasPlugins { return inquiry.startsNow(changed) }
    let totals = snapshot.order.priorities(
      of: [job, changed], now: snapshot.now, platform: snapshot.platform
    ).map(\.total)
    return totals.first == totals.last || inquiry.startsNow(changed)
  }
}

extension WaitingJob {
  /// The job as a besteffort job, on a site without rules of its own.
  public var asBesteffort: WaitingJob? {
    var job = self
    job.queue = "besteffort"
    job.types.append("besteffort")
    return job
  }
}
