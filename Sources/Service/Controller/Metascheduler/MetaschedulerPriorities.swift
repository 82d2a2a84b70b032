// Besteffort and timesharing jobs keep others off their hosts: the `scheduler_priority` of resources near them
// rises, so that they are taken last (SCHEDULER_PRIORITY_HIERARCHY_ORDER). OAR 2 takes it back when the job has
// ended.

import ClusterModel
import Storage

extension MetaschedulerPass {
  /// Notes in the outcome what a job that starts does to priorities: its weight for resources that share the
  /// first column's value with it, twice as much for the second's, and so on.
  mutating func raisePriorities(for id: JobID, _ outcome: inout Outcome) {
    guard let job = state.jobs[id], let weight = job.priorityWeight,
      !settings.priorityLevels.isEmpty
    else { return }
    let own = job.assignedResources.compactMap { state.resources[$0] }
    for (place, column) in settings.priorityLevels.enumerated() {
      let values = Set(own.compactMap { $0.text(of: column) })
      let near = state.resources.values.filter { resource in
        resource.text(of: column).map(values.contains) ?? false
      }
      guard !near.isEmpty else { continue }
      outcome.changes.append(.schedulerPriority(near.map(\.id).sorted(), by: weight * (place + 1)))
    }
    let order = settings.priorityLevels.joined(separator: "/")
    outcome.changes.append(
      .event(
        JobEvent(
          "SCHEDULER_PRIORITY_UPDATED_START", job: id, at: now,
          "Scheduler priority for job \(id) updated (\(order))")))
  }
}

extension Job {
  /// How much its start raises priorities, as observed on OAR 2.5.9; `nil` for most jobs.
  fileprivate var priorityWeight: Int? {
    if types.contains("besteffort") { return 2 }
    return hasType("timesharing") ? 20 : nil
  }
}

extension Resource {
  /// The value of a column as text; `nil` for NULL, and for a column that there is not.
  fileprivate func text(of column: String) -> String? {
    switch column {
    case "resource_id": String(id)
    case "network_address": networkAddress
    case "type": type
    case "cpuset": cpuset
    default: properties[column]?.text
    }
  }
}
