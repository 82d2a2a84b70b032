// What a queue's scheduler sees of a cluster whose server is OAR's: what its database holds, and of the jobs
// in the plan those that keep their places.

import ClusterModel
import Kamelot
import Storage

/// The rows that a pass over one queue depends on.
struct QueueScene {
  var cluster: StoredCluster
  /// What the tables of the plan hold: jobs that run, reservations, and jobs of queues that came before.
  var planned: [Prediction] = []
  /// What was used in the window of fair shares; empty where no order needs it.
  var past: [PastUse] = []
  /// Jobs on which others depend and that have ended; those that are neither here nor live never were.
  var ended: Set<JobID> = []
}

/// The jobs of a scene by what they mean for a pass over one queue.
struct QueueView {
  /// A place in the plan that is somebody else's.
  struct Fixed {
    var job: JobID
    var moldable: Int
    var start: Instant
    var resources: [ResourceID]
  }

  /// Places that this pass may not touch.
  private(set) var fixed: [Fixed] = []
  /// What an earlier pass planned for the jobs of this queue.
  private(set) var former: [MoldableID: Prediction] = [:]

  /// - Parameter state: of the scene.
  init(_ scene: QueueScene, of queue: String, in state: ClusterState) {
    let owners = Self.owners(scene.cluster.jobs)
    for row in scene.planned where row.moldable != 0 {
      // A job that has ended since the metascheduler's pass began has its rows until the next.
      guard let id = owners[row.moldable], let job = state.jobs[id],
        let moldable = job.moldableIndex(of: row.moldable)
      else { continue }
      // What it has is known from the job itself, and may be more than what was planned.
      if job.state.holdsResources, !job.assignedResources.isEmpty { continue }
      if job.isPlannedAnew(by: queue) {
        former[row.moldable] = row
      } else if queue == "besteffort" || !job.givesWay {
        fixed.append(
          Fixed(
            job: id, moldable: moldable, start: row.start, resources: row.resources))
      }
    }
  }

  /// The job of each moldable.
  private static func owners(_ jobs: [Job]) -> [MoldableID: JobID] {
    var owners: [MoldableID: JobID] = [:]
    owners.reserveCapacity(jobs.count)
    for job in jobs {
      for index in job.request.moldables.indices { owners[job.moldableID(at: index)] = job.id }
    }
    return owners
  }
}

extension Job {
  /// Whether a pass over a queue gives it a place.
  func isPlannedAnew(by queue: String) -> Bool {
    state == .waiting && reservation == .none && self.queue == queue
  }

  /// Whether it gives way to any job of another queue.
  fileprivate var givesWay: Bool { queue == "besteffort" || types.contains("besteffort") }
}
