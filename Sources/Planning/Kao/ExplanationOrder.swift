// Which jobs take precedence over one that is to be explained.

import ClusterModel
import Kamelot

extension Plan {
  /// The jobs that were planned after `job`; all that are planned and not among them go before it.
  func jobs(after job: JobID, in snapshot: Snapshot) -> Set<JobID> {
    let order = order.contains(job) ? order : usualOrder(snapshot)
    guard let place = order.firstIndex(of: job) else { return [] }
    return Set(order[(place + 1)...])
  }

  /// The order of a pass that did not tell it: that of the queues, but a job that depends on one
  /// after it follows that one.
  private func usualOrder(_ snapshot: Snapshot) -> [JobID] {
    let usual = JobOrder(snapshot)
    let placed = Set(starts.map(\.job) + predictions.map(\.job))
    var order: [JobID] = []
    var reached: Set<JobID> = []
    var dependents: [JobID: [Int]] = [:]
    for first in usual.ordinary + usual.besteffort {
      var next = [first]
      while let index = next.first {
        next.removeFirst()
        let id = snapshot.waiting[index].id
        let missing = snapshot.waiting[index].dependencies.lazy.compactMap { dependency -> JobID? in
          guard case .waiting(let other) = dependency, placed.contains(other) else { return nil }
          return reached.contains(other) ? nil : other
        }.first
        if let missing {
          dependents[missing, default: []].append(index)
          continue
        }
        order.append(id)
        reached.insert(id)
        next += dependents.removeValue(forKey: id) ?? []
      }
    }
    return order
  }
}
