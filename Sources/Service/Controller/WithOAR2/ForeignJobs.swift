// Jobs and queues that OAR 2's commands wrote to the shared database, taken up into the server's memory.

import ClusterModel
import Kamelot
import Storage

extension ClusterState {
  /// A greater step between ids makes a pass look at everything anew.
  private static let longestStep = 10_000

  /// Takes up a job that others submitted.
  ///
  /// - Parameter isAlone: whether no jobs of our own are on their way to the store.
  /// - Returns: `false` if that must wait because jobs of our own with lower ids are not durable yet.
  mutating func takeUp(
    _ job: Job, isAlone: Bool, at now: Instant, _ outcome: inout Outcome
  ) -> Bool {
    guard jobs[job.id] == nil, ended[job.id] == nil else { return true }
    guard isAlone || job.id < durableBelow else { return false }
    let isNewcomer = job.id >= plannedBelow && job.id - nextJob < Self.longestStep
    file(job)
    nextJob = max(nextJob, job.id + 1)
    if isAlone { durableBelow = nextJob }
    if isNewcomer, job.state == .waiting { hasNewcomers = true } else { needsPlan = true }
    tell(job.id, at: now, &outcome)
    return true
  }

  /// Says what a job asks for, as `oarsub` does for all but those that repeat another one.
  mutating func describe(_ id: JobID, order: ResourceOrder, _ outcome: inout Outcome) {
    guard let job = jobs[id],
      case .possible(_, let count) = Kamelot.canEverRun(
        moldables: job.request.moldables, properties: job.request.properties,
        platform: platform(order: order))
    else { return }
    setMessage(id, jobMessage(of: job, resources: count, moldable: 0), &outcome)
  }

  /// Takes over the queues as they are in the database.
  mutating func takeUp(_ queues: [Queue]) {
    guard self.queues != queues else { return }
    self.queues = queues
    needsPlan = true
  }

  /// Takes over what was asked of walltimes of jobs that run.
  mutating func takeUp(_ changes: [JobID: WalltimeChange]) {
    for (id, change) in changes {
      guard let job = jobs[id], job.state.holdsResources, job.walltimeChange != change else {
        continue
      }
      jobs[id]?.walltimeChange = change
      if change.pending == 0 { changing.remove(id) } else { changing.insert(id) }
      needsPlan = true
    }
  }

  /// Takes over the types and the queue of a job that an admin changed.
  mutating func takeUp(types: [String], queue: String, of id: JobID) {
    guard let job = jobs[id], job.types != types || job.queue != queue else { return }
    jobs[id]?.types = types
    jobs[id]?.queue = queue
    if !job.state.holdsResources, job.reservation == .none, job.queue != queue {
      lines[queue, default: WaitingLine()].append(id)
    }
    needsPlan = true
  }

  // MARK: Resources

  /// Takes over resources and properties as others wrote them. The state of a resource that is known stays:
  /// others wish for states, the server sets them.
  mutating func takeUp(
    _ stored: [Resource], _ properties: [PropertyDefinition], at now: Instant,
    _ outcome: inout Outcome
  ) {
    var merged: [ResourceID: Resource] = [:]
    merged.reserveCapacity(stored.count)
    for var resource in stored {
      if let known = resources[resource.id] {
        resource.state = known.state
        resource.suspectedByServer = known.suspectedByServer
        resource.schedulerPriority = known.schedulerPriority
        resource.lastJobDate = known.lastJobDate
        resource.suspendedJobs = known.suspendedJobs
      }
      merged[resource.id] = resource
    }
    // One that a job holds stays until the job has ended.
    for id in holding {
      for resource in jobs[id]?.assignedResources ?? [] where merged[resource] == nil {
        merged[resource] = resources[resource]
      }
    }
    if self.properties != properties { self.properties = properties }
    guard merged != resources else { return }
    let hostsBefore = allHosts
    resources = merged
    nextResource = max(nextResource, (merged.keys.max() ?? 0) + 1)
    if allHosts != hostsBefore { outcome.effects.append(.hostsChanged) }
    needsPlan = true
  }

  /// Does what others wished for the states of resources.
  mutating func grant(_ wishes: [WantedState], at now: Instant, _ outcome: inout Outcome) {
    struct Kind: Hashable {
      let state: ResourceState
      let byServer: Bool
    }
    let groups = Dictionary(grouping: wishes.filter { resources[$0.resource] != nil }) {
      Kind(state: $0.state, byServer: $0.byServer)
    }
    for (kind, wishes) in groups.sorted(by: { $0.key.state.number < $1.key.state.number }) {
      let ids = wishes.map(\.resource).sorted()
      setState(of: ids, to: kind.state, byServer: kind.byServer, at: now, &outcome)
      outcome.changes.append(.wishesDone(ids, kind.state))
    }
  }
}
