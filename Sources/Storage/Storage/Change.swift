// What can be committed: each change of the cluster's state as a value.

import ClusterModel

/// One durable change. A commit is a list of them, all or nothing.
public enum Change: Sendable {
  /// New jobs of one submission, consecutive ids; more than one is an array that shares its request.
  case jobsSubmitted([Job])
  /// A job enters a state that is not final; closes and opens its `job_state_logs` rows, from which
  /// the time that it was suspended is counted when it is loaded: from `suspended` until a state
  /// other than `suspended` and `resuming`.
  case jobState(JobID, JobState, at: Instant)
  /// A job got resources: start time, chosen moldable, `assigned_resources`, state `toLaunch`.
  case jobAssigned(
    JobID, moldable: MoldableID, index: Int, resources: [ResourceID], at: Instant)
  /// A job ended: state (`terminated` or `error`), raw exit status if it ran, stop time; the rows of
  /// its request become LOG and its resources remember the date.
  case jobEnded(JobID, JobState, exitStatus: Int?, at: Instant)
  /// An advance reservation is accepted: its start and what it is promised, kept in the plan until it
  /// starts or ends.
  case reservationAccepted(
    JobID, moldable: MoldableID, start: Instant, resources: [ResourceID])
  /// An advance reservation can't be had; OAR calls it scheduled all the same.
  case reservationRefused(JobID)
  /// The walltime of a job changed.
  case jobWalltime(JobID, moldable: MoldableID, Seconds)
  /// What the user asked of the walltime of a running job, and what of it was granted.
  case walltimeChange(JobID, WalltimeChange)
  /// The text of the message column.
  case jobMessage(JobID, String)
  /// The types of a job replaced, and its queue.
  case jobTypes(JobID, [String], queue: String)
  /// A job was suspended at least once; goes with its first step to `suspended`.
  case jobSuspended(JobID)
  /// The end of a job was asked for: a `frag_jobs` row, or its next state.
  case jobDeletion(JobID, DeletionState, at: Instant)
  /// A line in the event log.
  case event(JobEvent)
  /// The same, and OAR 2's modules are to look at it and to mark it as seen.
  case eventToCheck(JobEvent)
  /// Lines of the event log that others wrote were acted upon.
  case eventsChecked([Int])
  /// The server is to give the resources of a host a state (`next_state`), as an admin wishes it.
  case stateWished(ResourceState, host: String)
  /// What others wanted of resources is done (`next_state`); a wish that came meanwhile stays.
  case wishesDone([ResourceID], ResourceState)
  /// A new resource.
  case resourceAdded(Resource)
  /// A resource removed, with its logs.
  case resourceRemoved(ResourceID)
  /// The value of a column of a resource changed, `state` included; logged in `resource_logs`.
  case resourceChanged(Resource, column: String, at: Instant)
  /// A site property added to, removed from or renamed in `resources`.
  case propertyAdded(PropertyDefinition)
  case propertyRemoved(String)
  case propertyRenamed(String, to: String)
  /// A queue added or changed.
  case queueSet(Queue)
  case queueRemoved(String)
  /// The plan: replaces `gantt_jobs_predictions`, `gantt_jobs_resources` and their `_visu` copies.
  case predictions([Prediction], at: Instant)
  /// Places in the plan for jobs of one queue, as OAR's schedulers of a queue write them: added to
  /// `gantt_jobs_predictions` and `gantt_jobs_resources`, where they replace rows of the same moldables and
  /// no others, row 0 included. The `_visu` copies are left to the metascheduler.
  case placed([Prediction])
  /// These moldables have no place in the plan any more: the counterpart of `placed`.
  case withdrawn([MoldableID])
  /// A plan that is not whole yet, for OAR 2's schedulers of single queues: as `predictions`, without copies.
  case unfinishedPlan([Prediction], at: Instant)
  /// The plan that the tables hold goes to `gantt_jobs_…_log`, for OAR 2's SCHEDULER_LOG_DECISIONS.
  case planLogged
  /// The `scheduler_priority` of resources grows: besteffort jobs that start on them, or near.
  case schedulerPriority([ResourceID], by: Int)
  /// Jobs go on again: `suspended_jobs` of the resources of which no suspended job is left says NO.
  case suspensionsEnded
}

/// How far the deletion of a job has come (`frag_jobs.frag_state`).
public enum DeletionState: String, Sendable {
  case asked = "LEON"
  case signalled = "TIMER_ARMED"
  case exterminating = "LEON_EXTERMINATE"
  case done = "FRAGGED"
}

/// One row of the plan.
public struct Prediction: Hashable, Sendable {
  public var moldable: MoldableID
  public var start: Instant
  public var resources: [ResourceID]

  public init(moldable: MoldableID, start: Instant, resources: [ResourceID]) {
    self.moldable = moldable
    self.start = start
    self.resources = resources
  }
}
