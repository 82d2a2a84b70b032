// A server in the test's process: its loop on a thread, a store in memory, and hosts that the test plays.

import ClusterModel
import Glibc
import NodeConnections
import Storage
import Wire

@testable import Controller

/// A store that keeps what it is told, and is full or stubborn when the test says so.
actor MemoryStore: Storage {
  private let stored: StoredCluster
  private let past: [JobRecord]
  private let use: [PastUse]
  private(set) var written: [Change] = []
  private var trouble: StorageError?

  init(_ stored: StoredCluster, past: [JobRecord] = [], use: [PastUse] = []) {
    self.stored = stored
    self.past = past
    self.use = use
  }

  func fail(with trouble: StorageError?) { self.trouble = trouble }

  func load() -> StoredCluster { stored }

  func commit(_ changes: [Change]) throws {
    if let trouble { throw trouble }
    written += changes
  }

  func jobs(matching filter: JobFilter, limit: Int) -> [JobRecord] {
    past.filter { record in
      (filter.ids?.contains(record.id) ?? true) && (filter.states?.contains(record.state) ?? true)
        && (filter.arrays?.contains(record.arrayID) ?? true)
    }
  }

  func request(of job: JobID) -> JobRequest? { nil }
  func events(_ filter: EventFilter) -> [JobEvent] { [] }
  func pastUse(from begin: Instant, to end: Instant) -> [PastUse] { use }
  func reserve(jobs: Int, moldables: Int) -> (job: JobID, moldable: MoldableID) { (1, 1) }
  func close() {}
}

/// What the agents were asked, in the words of the tests.
final class PlayedAgents: Agents {
  var connected: Set<String> = []
  var said: [String] = []

  func setHosts(_ names: Set<String>) {}
  func send(channel: Int, _ bytes: [UInt8], to host: String) {}
  func endAll() {}

  func send(_ request: AgentRequest, to host: String) -> Bool {
    guard connected.contains(host) else { return false }
    said.append("\(host): \(Self.word(request))")
    return true
  }

  private static func word(_ request: AgentRequest) -> String {
    switch request {
    case .prepare(let job, _, _, _): "prepare \(job)"
    case .start(let specification): "start \(specification.attempt)"
    case .kill(let attempt, _): "kill \(attempt)"
    case .release(let job, _): "release \(job)"
    case .walltime(let attempt, let walltime): "walltime \(attempt) \(walltime)"
    case .acknowledge(let attempt): "acknowledge \(attempt)"
    case .retain(let jobs, _, _): "retain \(jobs)"
    case .suspend(let job, _): "suspend \(job)"
    case .resume(let job, _): "resume \(job)"
    default: "other"
    }
  }
}

/// The server and what is around it.
final class Stage: Sendable {
  let loop: EventLoop
  let store: MemoryStore
  let controller: Controller
  private let thread: pthread_t

  /// A server over stored jobs; no host is connected.
  init(
    jobs: [Job] = [], past: [JobRecord] = [], use: [PastUse] = [],
    configuration: String = "SCHEDULER_JOB_SECURITY_TIME=0"
  ) async throws {
    signal(SIGPIPE, SIG_IGN)
    var stored = storedCluster()
    stored.jobs = jobs
    stored.nextJob = ((jobs.map(\.id) + past.map(\.id)).max() ?? 0) + 1
    stored.nextMoldable = stored.nextJob
    let loop = EventLoop()
    self.loop = loop
    store = MemoryStore(stored, past: past, use: use)
    controller = try Controller(settings: settings(configuration), storage: store, loop: loop)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        context.map { Unmanaged<EventLoop>.fromOpaque($0).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(loop).toOpaque())
    self.thread = thread
    try await controller.beginPlay()
    await settle()
  }

  /// Ends the server's thread.
  func end() async {
    await controller.stop()
    pthread_join(thread, nil)
  }

  /// Waits until everything that was heard is durable and done.
  func settle() async {
    while await !controller.isQuiet { await Task.yield() }
  }

  /// Does something on the server's thread and waits for what follows.
  func act<Value: Sendable>(_ body: @Sendable (isolated Controller) throws -> Value) async rethrows
    -> Value
  {
    let value = try await controller.perform(body)
    await settle()
    return value
  }

  /// A host's agent connects, knowing these attempts.
  func connect(_ host: String, _ attempts: [AttemptID: AttemptStatus] = [:]) async {
    await act { controller in
      (controller.connections as? PlayedAgents)?.connected.insert(host)
      controller.hear(.connected(attempts), from: host)
    }
  }

  func disconnect(_ host: String) async {
    await act { controller in
      (controller.connections as? PlayedAgents)?.connected.remove(host)
      controller.hear(.disconnected("test"), from: host)
    }
  }

  func report(_ report: AgentReport, from host: String) async {
    await act { $0.hear(.report(report), from: host) }
  }

  /// What the agents were asked since the last call.
  func said() async -> [String] {
    await act { controller in
      let agents = controller.connections as? PlayedAgents
      defer { agents?.said = [] }
      return agents?.said ?? []
    }
  }

  func state(of job: JobID) async -> JobState? { await act { $0.state.jobs[job]?.state } }

  /// The types of the events that were written.
  func events() async -> [String] {
    await store.written.compactMap { if case .event(let event) = $0 { event.type } else { nil } }
  }

  /// The jobs that were submitted, with the jobs that they repeat.
  func submitted() async -> [JobID: JobID] {
    var jobs: [JobID: JobID] = [:]
    for case .jobsSubmitted(let new) in await store.written {
      for job in new { jobs[job.id] = job.resubmittedFrom }
    }
    return jobs
  }
}

extension Controller {
  fileprivate func beginPlay() async throws { try await load(reaching: PlayedAgents()) }

  fileprivate var isQuiet: Bool {
    !committer.hasWork && !committer.isWriting && (!state.needsPlan || committer.trouble != nil)
  }

  fileprivate func perform<Value: Sendable>(
    _ body: @Sendable (isolated Controller) throws -> Value
  ) rethrows -> Value { try body(self) }
}
