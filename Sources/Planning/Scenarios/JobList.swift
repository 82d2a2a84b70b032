// Makes the jobs of a scenario what a planning pass wants: jobs that hold resources, jobs that wait,
// and jobs that are set aside.

import ClusterModel
import Encoding
import Kamelot

/// The jobs that were read so far.
struct JobList {
  private let now: Instant
  private var holding: [HoldingJob] = []
  private var waiting: [WaitingJob] = []
  private var setAside: [Scenario.SetAside] = []
  private var ids: Set<JobID> = []
  /// What waiting jobs depend on, by their index, as far as they depend on any job.
  private var dependencies: [(job: Int, on: [JobID])] = []

  init(now: Instant) { self.now = now }

  /// Reads the whole list. A job that can't be understood is set aside.
  mutating func read(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.list { reader, index throws(ReadingError) in
      var job = JobReader()
      let before = reader
      do throws(ReadingError) {
        try job.read(&reader)
        try add(job, index)
      } catch {
        guard error.kind == .value else { throw error }
        putAside(job.id, error, index)
        reader = before
        try reader.skip()
      }
    }
  }

  /// Gives the jobs to a scenario.
  consuming func hand(to scenario: inout Scenario) {
    resolveDependencies()
    scenario.holding = holding
    scenario.waiting = waiting
    scenario.setAside = setAside
  }

  private mutating func putAside(_ job: JobID?, _ error: ReadingError, _ index: Int) {
    if let job { ids.insert(job) }
    var text = error.place.isEmpty ? error.problem : "\(error.place): \(error.problem)"
    if job == nil { text = "jobs[\(index)]: " + text }
    setAside.append(Scenario.SetAside(job: job, reason: Reason(.malformed, text)))
  }

  private mutating func add(_ job: JobReader, _ index: Int) throws(ReadingError) {
    guard let id = job.id else { return }
    guard ids.insert(id).inserted else {
      throw ReadingError(.value, "another job has the id \(id)", at: 0)
    }
    switch job.state {
    case .waiting, .toAckReservation: addWaiting(job, id)
    case .toLaunch, .launching, .running, .suspended, .resuming, .finishing:
      holding.append(try holdingJob(job, id))
    case .hold:
      let reason = Reason(.order, "The job is on hold: it is planned once it is resumed.")
      setAside.append(Scenario.SetAside(job: id, reason: reason))
    // These have left the cluster: nobody waits for them.
    case .terminated, .error, .toError: ids.remove(id)
    }
  }

  private mutating func addWaiting(_ job: JobReader, _ id: JobID) {
    var result = WaitingJob(
      id: id, user: job.user, project: job.project, queue: job.queue, types: job.types,
      properties: job.properties, moldables: job.moldables)
    result.name = job.name
    result.submissionTime = job.submissionTime ?? now
    result.reservation = job.reservation.map { start in
      let promised = job.assigned.map {
        Reservation.Promise(moldable: $0.moldable, resources: $0.resources)
      }
      return Reservation(start: start, promised: promised)
    }
    if !job.dependencies.isEmpty { dependencies.append((waiting.count, job.dependencies)) }
    waiting.append(result)
  }

  private func holdingJob(_ job: JobReader, _ id: JobID) throws(ReadingError) -> HoldingJob {
    func missing(_ key: String) -> ReadingError {
      ReadingError(.value, "a job that is \(job.state.rawValue) needs \"\(key)\"", at: 0)
    }
    guard let start = job.startTime else { throw missing("start_time") }
    guard let assigned = job.assigned else { throw missing("assigned") }
    guard job.moldables.indices.contains(assigned.moldable) else {
      throw ReadingError(
        .value, "assigned.moldable: the job has no moldable \(assigned.moldable)", at: 0)
    }
    var result = HoldingJob(
      id: id, resources: assigned.resources, start: start,
      walltime: job.moldables[assigned.moldable].walltime,
      isBesteffort: job.queue == "besteffort" || job.types.contains("besteffort"),
      isEnding: job.state == .finishing)
    result.user = job.user
    result.name = job.name
    result.project = job.project
    result.queue = job.queue
    result.types = job.types
    result.isSuspended = job.state == .suspended
    result.checkpoint = job.checkpoint
    result.checkpointedAt = job.checkpointedAt
    return result
  }

  /// Works out how jobs stand with those that they depend on, now that all are known.
  private mutating func resolveDependencies() {
    guard !dependencies.isEmpty else { return }
    let running = Set(holding.map(\.id))
    for (job, others) in dependencies {
      waiting[job].dependencies = others.map { other in
        if running.contains(other) { return .running(other) }
        return ids.contains(other) ? .waiting(other) : .satisfied
      }
    }
  }
}
