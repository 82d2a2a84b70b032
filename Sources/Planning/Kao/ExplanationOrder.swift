// Which jobs take precedence over one that is to be explained, and why those do that came later.

import ClusterModel
import Kamelot

/// The order in which a pass planned the jobs, seen from one of them.
struct PlannedOrder {
  /// By id, from `lowest` on; -1 for jobs that were not planned. Empty if the ids lie too far apart.
  private var table: [Int32] = []
  private var lowest = 0
  private var others: [JobID: Int] = [:]
  private let place: Int

  /// - Parameter job: the job from which is seen. If it was not planned, all others go before it.
  init(_ plan: Plan, around job: JobID) {
    let order = plan.order
    place = order.firstIndex(of: job) ?? .max
    lowest = order.min() ?? 0
    let (span, overflow) = (order.max() ?? 0).subtractingReportingOverflow(lowest)
    if !overflow, span < 16 * order.count + 1024 {
      table = [Int32](repeating: -1, count: span + 1)
      for (rank, id) in order.enumerated() { table[id - lowest] = Int32(clamping: rank) }
    } else {
      for (rank, id) in order.enumerated() { others[id] = rank }
    }
  }

  /// The place of a job in the order; -1 if it has none.
  func rank(_ job: JobID) -> Int {
    if table.isEmpty { return others[job] ?? -1 }
    let index = job.subtractingReportingOverflow(lowest)
    guard !index.overflow, table.indices.contains(index.partialValue) else { return -1 }
    return Int(table[index.partialValue])
  }

  /// Whether a job that has a place in the plan got it before. Those of which the order says nothing did.
  func isAhead(_ job: JobID) -> Bool { rank(job) < place }
}

extension Inquiry {
  /// Of the jobs that it waits for, those that came later and yet go before it, each with the reason.
  func passers(among blockers: [JobID]) -> [Kao.Explanation.Passer] {
    guard !blockers.isEmpty else { return [] }
    let wanted = Set(blockers)
    var found: [Kao.Explanation.Passer] = []
    for index in snapshot.waiting.indices where wanted.contains(snapshot.waiting[index].id) {
      let other = snapshot.waiting[index]
      guard other.reservation == nil, other.id != job.id, order.isAhead(other.id),
        (other.submissionTime, other.id) > (job.submissionTime, job.id), let why = why(other)
      else { continue }
      found.append(.init(job: other.id, why: why))
    }
    return found
  }

  /// Why another job was planned before; `nil` if this one had to wait for a job that it depends on.
  private func why(_ other: WaitingJob) -> String? {
    if job.isBesteffort, !other.isBesteffort { return "besteffort jobs come after all others" }
    let (its, own) = (priority(ofQueue: other.queue), priority(ofQueue: job.queue))
    if its > own {
      return "its queue \"\(other.queue)\" has priority \(its), \"\(job.queue)\" has \(own)"
    }
    if let its = plan.priorities?[other.id], let own = plan.priorities?[job.id],
      its.total > own.total
    {
      return "its priority is \(its.amount), that of job \(job.id) is \(own.amount)"
    }
    if job.dependencies.contains(where: { $0 != .satisfied }) { return nil }
    return "the site's own order puts it before job \(job.id)"
  }

  private func priority(ofQueue name: String) -> Int {
    snapshot.queues.last { $0.name == name }?.priority ?? 0
  }

  /// How far the plan is from reaching a job of which it says only that too many are ahead.
  func orderReason(_ reason: Reason) -> Reason {
    let order = JobOrder(snapshot)
    let groups = order.groups.map { $0.jobs + $0.reservations } + [order.besteffort]
    let limit = snapshot.settings.jobsPerPass
    var reason = reason
    if reason.text != Candidates.beyondLimit.text {
      // Its user has enough jobs ahead of it.
      let own = groups.joined().lazy.map { snapshot.waiting[$0] }.filter {
        $0.user == job.user && $0.isBesteffort == job.isBesteffort && $0.id != job.id
          && ($0.submissionTime, $0.id) < (job.submissionTime, job.id)
      }
      reason.blockers = Array(own.map(\.id).prefix(Reasons.blockerLimit))
    } else if let place = groups.lazy.compactMap({ $0.firstIndex(of: index) }).first, limit > 0,
      place >= limit
    {
      reason.text =
        "\(place == 1 ? "1 job is" : "\(place) jobs are") ahead of it, and only the first \(limit) "
        + "that can be placed are planned (MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND)."
    }
    return reason
  }
}

extension JobPriority {
  /// The total with the parts that have a weight.
  fileprivate var amount: String {
    let text = text
    guard text.hasPrefix("Priority "), let colon = text.firstIndex(of: ":") else { return text }
    let total = text.dropFirst("Priority ".count).prefix { $0 != "," }
    return "\(total) (\(text[text.index(colon, offsetBy: 2)...].dropLast()))"
  }
}
