// Jobs that wait for others, by OAR 2's rule: whoever plans a queue or a cluster beside OAR 2 follows it.

import ClusterModel
import Kamelot

extension ClusterState {
  /// What planning depends on, with dependencies as OAR 2 has them.
  ///
  /// - Parameter ended: jobs that others wait for and that have ended.
  mutating func snapshotBesideOAR2(
    settings: ServerSettings, ended: Set<JobID>, at now: Instant
  ) -> Snapshot {
    var depth = PassDepth.whole
    var snapshot = snapshot(settings: settings, at: now, &depth)
    let security = max(0, settings.planning.jobSecurityTime)
    for index in snapshot.waiting.indices where !snapshot.waiting[index].dependencies.isEmpty {
      let required = jobs[snapshot.waiting[index].id]?.request.dependencies ?? []
      snapshot.waiting[index].dependencies = required.map { id in
        ended.contains(id) ? .satisfied : dependency(on: id, security: security, at: now)
      }
    }
    return snapshot
  }

  /// A job may start once the other has ended, however it ended; while that runs, it is planned for when the
  /// other's time is over. For one that never was it waits for ever.
  private func dependency(on id: JobID, security: Seconds, at now: Instant) -> Dependency {
    guard let job = jobs[id] else { return .impossible(id, QueueMessage.dependency(on: id)) }
    guard job.state.holdsResources else { return .waiting(id) }
    let end = job.startTime.addingCapped(job.walltime).addingCapped(job.suspendedSeconds)
    return .ending(id, by: max(now + 1, end.addingCapped(security)))
  }
}
