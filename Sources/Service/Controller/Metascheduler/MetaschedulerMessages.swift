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
    let waiting = state.jobs.values.lazy.filter { $0.state == .waiting }
    let required = Set(waiting.flatMap(\.request.dependencies)).filter { state.jobs[$0] == nil }
    return required.isEmpty ? [] : try await storage.existing(required.sorted())
  }

  // MARK: Messages

  /// Tells users of our queues what became of their jobs; schedulers of other queues do that themselves.
  mutating func writeMessages(_ plan: Plan, of waiting: Set<JobID>, _ outcome: inout Outcome) {
    let words = QueueMessage(settings: settings.planner, usage: state.usage)
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
