// What the server says about its state.

import ClusterModel
import Storage
import Wire

extension ClusterState {
  /// A job with everything that is shown of it. The store adds its events.
  func record(of job: Job) -> JobRecord {
    let request = job.request
    func resolve(_ pattern: String) -> String {
      resolveFilePattern(
        pattern, job: job.id, name: request.name, arrayID: job.arrayID, arrayIndex: job.arrayIndex)
    }
    var record = JobRecord(
      id: job.id, arrayID: job.arrayID, arrayIndex: job.arrayIndex, name: request.name,
      project: request.project, user: request.user, state: job.state, kind: request.kind,
      queue: job.queue, command: job.command, properties: request.properties,
      moldables: request.moldables, types: job.types, dependencies: request.dependencies,
      directory: request.directory, stdout: resolve(request.stdout),
      stderr: resolve(request.stderr), reservation: job.reservation, exitCode: nil,
      submissionTime: job.submissionTime, startTime: job.startTime, stopTime: 0,
      message: job.message, initialRequest: request.initialRequest,
      scheduledStart: job.state == .waiting ? placements[job.id]?.start : nil,
      resubmittedFrom: job.resubmittedFrom)
    record.assignedMoldable = job.assignedMoldable
    let isPromised = !job.state.holdsResources && !job.state.isFinal && !job.promised.isEmpty
    if isPromised { record.scheduledStart = job.startTime }
    record.assignedResources = isPromised ? job.promised : job.assignedResources
    record.assignedHosts = hosts(of: record.assignedResources)
    record.walltimeChange = job.walltimeChange
    return record
  }

  /// The jobs that have not ended and are in the store, by id: nobody is told of others.
  func visibleJobs(where isWanted: (Job) -> Bool) -> [Job] {
    jobs.values.filter { $0.id < durableBelow && isWanted($0) }.sorted { $0.id < $1.id }
  }

  /// The resources of a selection, each with the jobs on it.
  func records(of selection: ResourceSelection) throws(Refusal) -> [ResourceRecord] {
    var users: [ResourceID: [JobID]] = [:]
    for id in holding.sorted() {
      for resource in jobs[id]?.assignedResources ?? [] { users[resource, default: []].append(id) }
    }
    return try select(selection).map { selected in
      var resource = selected
      resource.lastJobDate = lastJobDates[resource.id] ?? resource.lastJobDate
      return ResourceRecord(resource: resource, jobs: users[resource.id] ?? [])
    }
  }

  /// Jobs that hold resources and jobs that are planned, between two instants.
  func gantt(from: Instant, to: Instant, at now: Instant) -> [GanttBar] {
    var bars: [GanttBar] = []
    for id in holding.sorted() {
      guard let job = jobs[id] else { continue }
      bars.append(
        GanttBar(
          job: id, user: job.request.user, state: job.state, start: job.startTime,
          end: max(job.startTime + job.walltime, now + 1), resources: job.assignedResources))
    }
    for placement in placements.values.sorted(by: { ($0.start, $0.job) < ($1.start, $1.job) }) {
      guard let job = jobs[placement.job] else { continue }
      bars.append(
        GanttBar(
          job: job.id, user: job.request.user, state: job.state, start: placement.start,
          end: placement.start + job.request.moldables[placement.moldable].walltime,
          resources: placement.resources))
    }
    for job in waitingPromises {
      bars.append(
        GanttBar(
          job: job.id, user: job.request.user, state: job.state, start: job.startTime,
          end: job.startTime + job.walltime, resources: job.promised))
    }
    return bars.filter { $0.start < to && $0.end > from }
  }
}
