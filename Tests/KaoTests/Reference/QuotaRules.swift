// The rules about quotas: no limit is passed at any instant by the jobs that it limits.

import ClusterModel
import Kamelot

extension PlanRules {
  /// Each job that got a place keeps its limits beside those that had theirs before it: jobs with
  /// resources, reservations that were promised, and the jobs that were planned before.
  mutating func checkQuotas() {
    guard let quotas = snapshot.quotas else { return }
    var counted = ReferenceQuotas(quotas, now: now)
    let holders = stays.filter { $0.runs && $0.start == now }
    func count(besteffort: Bool) {
      for job in snapshot.holding where job.isBesteffort == besteffort {
        guard let stay = holders.first(where: { $0.job == job.id }) else { continue }
        counted.add(ReferenceUse(job, end: stay.end))
      }
    }
    count(besteffort: false)
    var countsBesteffort = false
    for id in plan.order {
      guard let job = snapshot.waiting.first(where: { $0.id == id }),
        let use = use(of: job)
      else { continue }
      if !countsBesteffort, isBesteffort(job) {
        count(besteffort: true)
        countsBesteffort = true
      }
      let isPromised = job.reservation?.promised != nil
      if !isPromised, let breach = counted.breach(by: use) {
        require(false, "job \(id) is beyond its quota: \(breach)")
      }
      counted.add(use)
    }
  }

  /// What a job has of the quotas by its place, or by its promise while it waits for lost resources.
  private func use(of job: WaitingJob) -> ReferenceUse? {
    if let placement = plan.placement(of: job.id) {
      return ReferenceUse(
        job, resources: placement.resources.count, start: placement.start, end: placement.end + 1)
    }
    guard let reservation = job.reservation, let promise = reservation.promised else { return nil }
    let end = reservation.start + job.moldables[promise.moldable].walltime + security
    return ReferenceUse(
      job, resources: promise.resources.count, start: max(now, reservation.start), end: end)
  }

  func isBesteffort(_ job: WaitingJob) -> Bool {
    job.queue == "besteffort" || job.types.contains("besteffort")
  }
}
