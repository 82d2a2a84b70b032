// In which order the waiting jobs are planned.

import ClusterModel
import Kamelot

/// Waiting jobs in the order in which they are planned, by their place in the snapshot.
struct JobOrder {
  /// The jobs of the queues of one priority.
  struct Group {
    var jobs: [Int] = []
    /// Reservations that are not decided yet.
    var reservations: [Int] = []
  }

  /// Highest priority first.
  var groups: [Group]
  /// Planned last, whatever their queue.
  var besteffort: [Int] = []
  /// Reservations that were accepted.
  var promised: [Int] = []
  /// Jobs that this pass leaves out, with the reason: their queue starts nothing, or their user has
  /// enough jobs ahead of them.
  var setAside: [(job: Int, reason: Reason)] = []

  /// Orders by priority of the queues, jobs of queues of equal priority as the site wants them.
  init(_ snapshot: Snapshot) {
    let priorities = Set(snapshot.queues.map(\.priority)).sorted(by: >)
    let ranks = Dictionary(uniqueKeysWithValues: priorities.enumerated().map { ($1, $0) })
    let queues = Dictionary(snapshot.queues.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    groups = [Group](repeating: Group(), count: priorities.count)
    var besteffortByRank = [[Int]](repeating: [], count: priorities.count)
    var last: (name: String, queue: Queue?) = ("", queues[""])
    for index in snapshot.waiting.indices {
      if let reservation = snapshot.waiting[index].reservation, reservation.promised != nil {
        promised.append(index)
        continue
      }
      if snapshot.waiting[index].queue != last.name {
        last = (snapshot.waiting[index].queue, queues[snapshot.waiting[index].queue])
      }
      guard let queue = last.queue, queue.isActive, let rank = ranks[queue.priority] else {
        setAside.append((index, JobOrder.reason(queue: last.queue, name: last.name)))
        continue
      }
      if snapshot.waiting[index].reservation != nil {
        groups[rank].reservations.append(index)
      } else if snapshot.waiting[index].isBesteffort {
        besteffortByRank[rank].append(index)
      } else {
        groups[rank].jobs.append(index)
      }
    }
    // First come, first served is how they stand already.
    if !snapshot.order.isFIFO { sort(&besteffortByRank, as: snapshot) }
    besteffort = Array(besteffortByRank.joined())
  }

  /// Sorts the jobs of each group of queues by their priority.
  private mutating func sort(_ besteffortByRank: inout [[Int]], as snapshot: Snapshot) {
    for rank in groups.indices {
      groups[rank].jobs = sorted(groups[rank].jobs, as: snapshot)
      besteffortByRank[rank] = sorted(besteffortByRank[rank], as: snapshot)
    }
  }

  private mutating func sorted(_ jobs: [Int], as snapshot: Snapshot) -> [Int] {
    let ranked = snapshot.order.rank(
      jobs, of: snapshot.waiting, now: snapshot.now, platform: snapshot.platform)
    let reason = snapshot.order.userLimitReason
    setAside += ranked.beyondUserLimit.map { ($0, reason) }
    return ranked.order
  }

  private static func reason(queue: Queue?, name: String) -> Reason {
    queue == nil
      ? Reason(.queue, "There is no queue \"\(name)\".")
      : Reason(.queue, "The queue \"\(name)\" is not active: it starts no jobs.")
  }
}

extension WaitingJob {
  /// Whether it gives way to any other job.
  var isBesteffort: Bool { queue == "besteffort" || types.contains("besteffort") }
}
