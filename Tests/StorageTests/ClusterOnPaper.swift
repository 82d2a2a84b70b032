// The meaning of each change in the plainest way, to compare the store with; and random changes.

import ClusterModel

@testable import Storage

/// A cluster's state, kept without any database.
struct ClusterOnPaper {
  private(set) var jobs: [JobID: Job] = [:]
  private(set) var resources: [ResourceID: Resource] = [:]
  private(set) var properties: [PropertyDefinition] = []
  private(set) var queues = Queue.standard
  private(set) var nextJob: JobID = 1
  private(set) var nextMoldable: MoldableID = 1
  private(set) var nextResource: ResourceID = 1
  private(set) var planRows = ["0|0"]
  private var now: Instant = 1000

  var liveJobs: [Job] { jobs.values.filter { !$0.state.isFinal }.sorted { $0.id < $1.id } }

  // MARK: What changes mean

  mutating func apply(_ change: Change) {
    switch change {
    case .jobsSubmitted(let new):
      for job in new {
        jobs[job.id] = job
        nextJob = max(nextJob, job.id + 1)
        nextMoldable = max(nextMoldable, job.firstMoldableID + job.request.moldables.count)
      }
    case .jobState(let id, let state, let date): enter(state, id, at: date)
    case .jobAssigned(let id, _, let index, let resources, let date):
      enter(.toLaunch, id, at: date)
      jobs[id]?.startTime = date
      jobs[id]?.assignedMoldable = index
      jobs[id]?.assignedResources = resources.sorted()
    case .jobEnded(let id, let state, _, let date):
      for resource in jobs[id]?.assignedResources ?? [] { resources[resource]?.lastJobDate = date }
      jobs[id]?.state = state
    case .reservationAccepted(let id, _, let start, let resources):
      jobs[id]?.reservation = .scheduled
      jobs[id]?.startTime = start
      jobs[id]?.promised = resources.sorted()
    case .reservationRefused(let id): jobs[id]?.reservation = .scheduled
    case .jobWalltime(let id, let moldable, let walltime):
      guard let job = jobs[id] else { return }
      var moldables = job.request.moldables
      moldables[moldable - job.firstMoldableID].walltime = walltime
      jobs[id]?.request = job.request.with(moldables)
    case .walltimeChange(let id, let change): jobs[id]?.walltimeChange = change
    case .jobMessage(let id, let text): jobs[id]?.message = text
    case .jobTypes(let id, let types, let queue):
      jobs[id]?.types = types
      jobs[id]?.queue = queue
    case .jobSuspended(let id): jobs[id]?.wasSuspended = true
    case .jobDeletion(let id, _, let date):
      if jobs[id]?.deletionAsked == 0 { jobs[id]?.deletionAsked = date }
    case .event: break
    case .predictions(let predictions, let date):
      planRows =
        ["0|\(date)"]
        + predictions.sorted { $0.moldable < $1.moldable }.map {
          "\($0.moldable)|\($0.start)"
        }
    default: applyToCluster(change)
    }
  }

  private mutating func enter(_ state: JobState, _ id: JobID, at date: Instant) {
    guard var job = jobs[id] else { return }
    let isSuspended = state == .suspended || state == .resuming
    if isSuspended, job.suspendedSince == 0 { job.suspendedSince = date }
    if !isSuspended, job.suspendedSince != 0 {
      job.suspendedSeconds += date - job.suspendedSince
      job.suspendedSince = 0
    }
    job.state = state
    jobs[id] = job
  }

  private mutating func applyToCluster(_ change: Change) {
    switch change {
    case .resourceAdded(let resource):
      resources[resource.id] = resource
      nextResource = max(nextResource, resource.id + 1)
    case .resourceRemoved(let id): resources[id] = nil
    case .resourceChanged(let resource, _, _): resources[resource.id] = resource
    case .propertyAdded(let property):
      properties.append(property)
      for id in resources.keys { resources[id]?.properties[property.name] = .null }
    case .propertyRemoved(let name):
      properties.removeAll { $0.name == name }
      for id in resources.keys { resources[id]?.properties[name] = nil }
    case .propertyRenamed(let name, let new):
      for index in properties.indices where properties[index].name == name {
        properties[index].name = new
      }
      for id in resources.keys {
        let value = resources[id]?.properties.removeValue(forKey: name)
        resources[id]?.properties[new] = value
      }
    case .queueSet(let queue):
      queues.removeAll { $0.name == queue.name }
      queues.append(queue)
      queues.sort { ($1.priority, $0.name) < ($0.priority, $1.name) }
    case .queueRemoved(let name): queues.removeAll { $0.name == name }
    default: break
    }
  }

  // MARK: Random changes that may happen in this state

  mutating func randomChange(_ random: inout SeededGenerator) -> Change {
    now += Int.random(in: 1...5, using: &random)
    switch Int.random(in: 0..<20, using: &random) {
    case 0: return .jobsSubmitted(randomArray(&random))
    case 1...4: return .jobsSubmitted([randomJob(nextJob, nextMoldable, &random)])
    case 5...14: return jobChange(&random) ?? clusterChange(&random)
    case 15: return randomPlan(&random)
    default: return clusterChange(&random)
    }
  }

  private func randomArray(_ random: inout SeededGenerator) -> [Job] {
    let template = randomJob(nextJob, nextMoldable, &random)
    let shapes = template.request.moldables.count
    return (0..<Int.random(in: 2...160, using: &random)).map { index in
      var job = Job(
        id: nextJob + index, arrayID: nextJob, arrayIndex: index + 1, request: template.request,
        command: "./job \(index * index)", state: template.state, queue: template.queue,
        types: template.types, submissionTime: template.submissionTime,
        firstMoldableID: nextMoldable + index * shapes, message: template.message)
      job.reservation = template.reservation
      job.startTime = template.startTime
      return job
    }
  }

  private func randomJob(
    _ id: JobID, _ moldable: MoldableID, _ random: inout SeededGenerator
  ) -> Job {
    let counts: [BlockCount] = [.exactly(3), .all, .best, .bestHalf]
    let moldables = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let groups = (0..<Int.random(in: 1...2, using: &random)).map { _ in
        let levels = ["switch", "host", "core"].shuffled(using: &random).prefix(
          Int.random(in: 1...3, using: &random)
        ).map { RequestLevel($0, counts.randomElement(using: &random) ?? .all) }
        return RequestGroup(properties: Bool.random(using: &random) ? "" : "a='b'", levels: levels)
      }
      return Moldable(walltime: Int.random(in: 1...9999, using: &random), groups: groups)
    }
    let reserved = Int.random(in: 0..<8, using: &random) == 0
    let known = Array(jobs.keys.sorted().prefix(3))
    let request = sampleRequest(
      user: ["alice", "bob"].randomElement(using: &random) ?? "", moldables: moldables,
      dependencies: known.shuffled(using: &random).dropLast(Int.random(in: 0...3, using: &random)),
      reservationStart: reserved ? now + 500 : 0)
    var job = Job(
      id: id, arrayID: id, arrayIndex: 1, request: request, command: "./job \(id)",
      state: Bool.random(using: &random) ? .waiting : .hold, queue: "default",
      types: ["besteffort", "idempotent"].dropLast(Int.random(in: 0...2, using: &random)),
      submissionTime: now, firstMoldableID: moldable, message: "R=\(id % 3)")
    if reserved {
      job.reservation = .toSchedule
      job.startTime = now + 500
    }
    return job
  }

  private func jobChange(_ random: inout SeededGenerator) -> Change? {
    guard let job = liveJobs.randomElement(using: &random) else { return nil }
    switch Int.random(in: 0..<9, using: &random) {
    case 0: return .jobMessage(job.id, "message \(now)")
    case 1: return .jobTypes(job.id, ["a", "b=\(now)"], queue: "besteffort")
    case 2: return .jobDeletion(job.id, [.asked, .signalled, .exterminating][now % 3], at: now)
    case 3: return .jobEnded(job.id, now % 2 == 0 ? .terminated : .error, exitStatus: now, at: now)
    default: return step(of: job, &random)
    }
  }

  private func step(of job: Job, _ random: inout SeededGenerator) -> Change? {
    if job.state == .suspended, !job.wasSuspended { return .jobSuspended(job.id) }
    guard let next = job.state.successors.filter({ !$0.isFinal }).randomElement(using: &random)
    else { return nil }
    guard next == .toLaunch else { return .jobState(job.id, next, at: now) }
    let index = Int.random(in: job.request.moldables.indices, using: &random)
    let chosen = resources.keys.sorted().shuffled(using: &random).prefix(3)
    return .jobAssigned(
      job.id, moldable: job.firstMoldableID + index, index: index, resources: Array(chosen), at: now
    )
  }

  private func randomPlan(_ random: inout SeededGenerator) -> Change {
    let planned = liveJobs.shuffled(using: &random).prefix(20).map { job in
      let chosen = (1...9).shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random))
      return Prediction(moldable: job.firstMoldableID, start: now + 9, resources: Array(chosen))
    }
    return .predictions(planned, at: now)
  }

  private func clusterChange(_ random: inout SeededGenerator) -> Change {
    let site = properties.randomElement(using: &random)
    guard
      var resource = resources.values.sorted(by: { $0.id < $1.id }).randomElement(using: &random)
    else { return newResource(&random) }
    switch Int.random(in: 0..<9, using: &random) {
    case 0: return newResource(&random)
    case 1: return .resourceRemoved(resource.id)
    case 2:
      let kind = Bool.random(using: &random) ? PropertyKind.integer : .text
      return .propertyAdded(PropertyDefinition(name: "p\(now)", kind: kind))
    case 3: return site.map { .propertyRemoved($0.name) } ?? newResource(&random)
    case 4: return site.map { .propertyRenamed($0.name, to: "r\(now)") } ?? newResource(&random)
    case 5: return .queueSet(Queue(name: "q\(now % 3)", priority: now % 5, isActive: now % 2 == 0))
    case 6: return .queueRemoved("q\(now % 3)")
    case 7:
      guard let site else { return newResource(&random) }
      resource.properties[site.name] = site.kind == .integer ? .integer(now) : .text("t\(now)")
      return .resourceChanged(resource, column: site.name, at: now)
    default:
      resource.state = ResourceState.allCases.randomElement(using: &random) ?? .alive
      resource.suspectedByServer = resource.state == .suspected
      return .resourceChanged(resource, column: "state", at: now)
    }
  }

  private func newResource(_ random: inout SeededGenerator) -> Change {
    var resource = Resource(id: nextResource + Int.random(in: 0...2, using: &random))
    resource.networkAddress = "node\(resource.id % 4)"
    for property in properties { resource.properties[property.name] = .null }
    return .resourceAdded(resource)
  }
}
