// The rules about the order in which jobs get their places, and about what priorities are made of.

import ClusterModel
import Kamelot

extension PlanRules {
  /// Where a job belongs in the order, the first number first.
  private typealias Rank = (queues: Int, kind: Int, priority: Double, place: Int)

  mutating func checkOrder() {
    let plan = plan
    require(Set(plan.order).count == plan.order.count, "a job comes twice: \(plan.order)")
    for job in snapshot.waiting where plan.placement(of: job.id) != nil {
      require(plan.order.contains(job.id), "job \(job.id) has a place without its turn")
    }
    var last: (job: JobID, rank: Rank)?
    for id in plan.order {
      // Who depends on others comes after them, whatever the order is.
      guard let place = snapshot.waiting.firstIndex(where: { $0.id == id }),
        !snapshot.waiting[place].dependsOnWaiting
      else { continue }
      let rank = rank(of: snapshot.waiting[place], place)
      if let last, rank < last.rank {
        require(false, "job \(id) comes after job \(last.job)")
      }
      last = (id, rank)
    }
    checkPriorities()
  }

  private func rank(of job: WaitingJob, _ place: Int) -> Rank {
    if job.reservation?.promised != nil { return (.min, 0, 0, place) }
    let queue = snapshot.queues.first { $0.name == job.queue }?.priority ?? .min
    if job.reservation != nil { return (-queue, 1, 0, place) }
    let priority = plan.priorities?[job.id]?.total ?? orders.total(of: job)
    // Besteffort jobs of all queues come last, those of better queues before others.
    if isBesteffort(job) { return (.max, -queue, -priority, place) }
    return (-queue, 0, -priority, place)
  }

  private var orders: ReferenceOrder {
    ReferenceOrder(snapshot: snapshot, requests: requests)
  }

  /// A priority is what the site's formula says, and the sum of its parts.
  private mutating func checkPriorities() {
    guard let priorities = plan.priorities else { return }
    for job in snapshot.waiting {
      guard let priority = priorities[job.id] else {
        require(false, "job \(job.id) has no priority")
        continue
      }
      let sum = priority.parts.reduce(0) { $0 + $1.value * $1.weight }
      require(isNear(priority.total, sum), "job \(job.id): \(priority.text) is another sum")
      let total = orders.total(of: job)
      require(
        isNear(priority.total, total), "job \(job.id) has the priority \(priority), not \(total)")
    }
  }

  private func isNear(_ one: Double, _ other: Double) -> Bool {
    (one - other).magnitude < 1e-9 * max(1, one.magnitude)
  }
}

extension WaitingJob {
  /// Whether it starts after another waiting job.
  var dependsOnWaiting: Bool {
    dependencies.contains { if case .waiting = $0 { true } else { false } }
  }
}
