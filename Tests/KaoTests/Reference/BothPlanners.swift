// For tests that say what a plan must look like: the reference planner has to pass them always, the
// engine once it has the features that they are about.

import ClusterModel
import Kamelot
import Kao
import RequestLanguage

/// The plans to look at, with the name of who made them.
func plans(
  of snapshot: Snapshot, needing features: Set<Feature> = []
) -> [(planner: String, plan: Plan)] {
  let reference = (planner: "reference", plan: ReferencePlanner.plan(snapshot))
  guard features.isSubset(of: plannedFeatures) else { return [reference] }
  return [reference, (planner: "engine", plan: Kao.plan(snapshot))]
}

/// A date in UTC as job types have it.
func dateText(_ instant: Instant) -> String {
  CivilDate(instant, utcOffset: 0)?.text ?? "\(instant)"
}

/// A job with a user and a name of its own.
func sharing(
  _ id: JobID, _ requests: (String, Seconds), _ type: String, user: String = "alice",
  name: String = "n"
) -> WaitingJob {
  var job = waiting(id, requests, types: [type])
  job.user = user
  job.name = name
  return job
}

/// An advance reservation: accepted if it has resources, else new.
func reserved(
  _ id: JobID, _ request: String, from start: Instant, for walltime: Seconds,
  on resources: [ResourceID]? = nil, queue: String = "default", types: [String] = []
) -> WaitingJob {
  var job = waiting(id, (request, walltime), queue: queue, types: types)
  job.reservation = Reservation(start: start)
  job.reservation?.promised = resources.map { .init(moldable: 0, resources: $0) }
  return job
}

extension Plan {
  /// When a job starts, now or later.
  func start(of job: JobID) -> Instant? { placement(of: job)?.start }

  /// On which resources.
  func resources(of job: JobID) -> [ResourceID]? { placement(of: job)?.resources }
}
