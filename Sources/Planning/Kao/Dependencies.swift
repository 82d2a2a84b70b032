// When a job may start as far as the jobs that it depends on are concerned.

import ClusterModel
import Kamelot

/// What the dependencies of a job allow.
enum DependencyBound {
  /// It may start from this instant on; if that is later than now, because of `job`.
  case from(Instant, job: JobID?)
  /// It has no place in this pass.
  case refused(Reason)
  /// The job that it depends on has no place yet.
  case undecided(JobID)

  /// - Parameter ends: for each job that has a place, the first instant after it.
  init(_ dependencies: [Dependency], now: Instant, ends: [JobID: Instant]) {
    var bound = (start: now, job: JobID?.none)
    var undecided: JobID?
    for dependency in dependencies {
      switch dependency {
      case .satisfied: break
      case .running(let job):
        self = .refused(
          Reason(.dependency, "Job \(job) must end first; it has started.", blockers: [job]))
        return
      case .ending(let job, let end):
        if end > bound.start { bound = (end, job) }
      case .impossible(let job, let text):
        self = .refused(Reason(.dependency, text, blockers: [job]))
        return
      case .waiting(let job):
        guard let end = ends[job] else {
          undecided = undecided ?? job
          continue
        }
        if end > bound.start { bound = (end, job) }
      }
    }
    self = undecided.map { .undecided($0) } ?? .from(bound.start, job: bound.job)
  }
}
