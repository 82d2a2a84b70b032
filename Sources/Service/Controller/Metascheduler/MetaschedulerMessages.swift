// What kamelot would do for its queue, done by the metascheduler itself: what jobs wait for when others still
// run, and what their users read in the message column.

import ClusterModel
import Kamelot
import Kao
import Storage

extension MetaschedulerPass {
  // MARK: Dependencies

  /// Jobs that others wait for and that have ended; one that is not live and not here never was.
  func endedDependencies() async throws -> Set<JobID> {
    var required: Set<JobID> = []
    for job in state.jobs.values where job.state == .waiting {
      for id in job.request.dependencies where state.jobs[id] == nil { required.insert(id) }
    }
    guard !required.isEmpty else { return [] }
    var filter = JobFilter()
    filter.ids = required.sorted()
    return Set(try await storage.jobs(matching: filter, limit: required.count).map(\.id))
  }

  /// OAR 2's rule: a job may start once the other has ended, however it ended; while that runs, it is planned
  /// for when the other's time is over. For one that never was it waits for ever.
  func dependency(on id: JobID) -> Dependency {
    guard let job = state.jobs[id] else {
      return ended.contains(id) ? .satisfied : .impossible(id, QueueMessage.dependency(on: id))
    }
    guard job.state.holdsResources else { return .waiting(id) }
    let end = job.startTime.addingCapped(job.walltime).addingCapped(job.suspendedSeconds)
    let security = max(0, settings.planning.planning.jobSecurityTime)
    return .ending(id, by: max(now + 1, end.addingCapped(security)))
  }

  // MARK: Messages

  /// Tells users of our queues what became of their jobs; schedulers of other queues do that themselves.
  mutating func writeMessages(_ plan: Plan, of waiting: Set<JobID>, _ outcome: inout Outcome) {
    let words = QueueMessage(settings: settings.planning, usage: state.usage)
    let ours = Set(state.queues.lazy.filter(settings.isOurs).map(\.name))
    func isOurs(_ id: JobID) -> Bool {
      guard waiting.contains(id), let job = state.jobs[id], job.reservation == .none else {
        return false
      }
      return ours.contains(job.queue)
    }
    var placed: Set<JobID> = []
    for placement in [plan.starts, plan.predictions].joined() where isOurs(placement.job) {
      guard let job = state.jobs[placement.job] else { continue }
      placed.insert(job.id)
      let count = placement.resources.count
      state.setMessage(
        job.id, words.placed(job, resources: count, moldable: placement.moldable), &outcome)
    }
    for id in plan.order where isOurs(id) && !placed.contains(id) {
      guard let reason = plan.reasons[id] else { continue }
      state.setMessage(id, QueueMessage.unplaced(because: reason), &outcome)
    }
  }
}
