// A cluster without hosts: its jobs come, start and end by hand, and Kao plans it.

import ClusterModel
import Kamelot
import Kao
import Storage

/// The jobs of a scenario in the course of time.
final class PlannedCluster {
  private var snapshot: Snapshot
  private var planned: [Placement] = []
  private var delay: Seconds = 0
  private var nextJob: JobID

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
    nextJob = (snapshot.waiting.map(\.id).max() ?? 0) + 1
  }

  var now: Instant { snapshot.now }

  // MARK: What happens

  func wait(_ seconds: Seconds) {
    snapshot.now += seconds
    let now = now
    snapshot.holding.removeAll { $0.start + $0.walltime <= now }
  }

  /// Waits until a job has had its walltime.
  func waitForEnd() { wait(max(1, (nextToEnd.map(end) ?? now) - now)) }

  /// One more job like the first that waits.
  func submit() {
    wait(1)
    guard var job = snapshot.waiting.first else { return }
    job.id = nextJob
    nextJob += 1
    snapshot.waiting.append(job)
  }

  func endNext() {
    wait(5)
    let next = nextToEnd?.id
    snapshot.holding.removeAll { $0.id == next }
  }

  /// Ends the job that holds the most resources: nearly every other moves.
  func endWidest() {
    wait(5)
    let widest = snapshot.holding.max { $0.resources.count < $1.resources.count }?.id
    snapshot.holding.removeAll { $0.id == widest }
  }

  /// Has the record show all that is planned so much later.
  func delay(_ seconds: Seconds) { delay += seconds }

  private var nextToEnd: HoldingJob? {
    snapshot.holding.min { (end(of: $0), $0.id) < (end(of: $1), $1.id) }
  }

  private func end(of job: HoldingJob) -> Instant { job.start + job.walltime }

  // MARK: What is planned

  /// A pass: what can start starts.
  func plan() {
    let plan = Kao.plan(snapshot)
    for placement in plan.starts { start(placement) }
    planned = plan.predictions
  }

  private func start(_ placement: Placement) {
    guard let index = snapshot.waiting.firstIndex(where: { $0.id == placement.job }) else { return }
    let job = snapshot.waiting.remove(at: index)
    var holder = HoldingJob(
      id: job.id, resources: placement.resources, start: placement.start,
      walltime: job.moldables[placement.moldable].walltime, isBesteffort: false, isEnding: false)
    holder.user = job.user
    holder.queue = job.queue
    snapshot.holding.append(holder)
  }

  /// What the server writes after a pass: the jobs that hold resources and those that are planned. A
  /// job has one row, so its id will do for its moldable's.
  var predictions: [Prediction] {
    let held = snapshot.holding.map {
      Prediction(moldable: $0.id, start: $0.start, resources: $0.resources)
    }
    return held
      + planned.map {
        Prediction(moldable: $0.job, start: $0.start + delay, resources: $0.resources)
      }
  }
}
