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
    case .lend(let order): "lend \(order.epoch) \(order.opens ? "open" : "closed")"
    default: "other"
    }
  }
}

/// The server and what is around it.
final class Stage: PlayedServer, Sendable {
  let loop: EventLoop
  let store: MemoryStore
  let controller: Controller
  private let thread: pthread_t

  /// A server over stored jobs; no host is connected.
  init(
    jobs: [Job] = [], past: [JobRecord] = [], use: [PastUse] = [],
    configuration: String = "SCHEDULER_JOB_SECURITY_TIME=0"
  ) async throws {
    var stored = storedCluster()
    stored.jobs = jobs
    stored.nextJob = ((jobs.map(\.id) + past.map(\.id)).max() ?? 0) + 1
    stored.nextMoldable = stored.nextJob
    let loop = EventLoop()
    self.loop = loop
    store = MemoryStore(stored, past: past, use: use)
    controller = try Controller(settings: settings(configuration), storage: store, loop: loop)
    thread = Self.startThread(of: loop)
    try await controller.beginPlay()
    await settle()
  }

  /// Ends the server's thread.
  func end() async {
    await controller.stop()
    pthread_join(thread, nil)
  }

  func settle() async {
    while await !controller.isQuiet { await Task.yield() }
  }

  func disconnect(_ host: String) async {
    await act { controller in
      (controller.connections as? PlayedAgents)?.connected.remove(host)
      controller.hear(.disconnected("test"), from: host)
    }
  }

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
  fileprivate var isQuiet: Bool {
    !committer.hasWork && !committer.isWriting && (!state.needsPlan || committer.trouble != nil)
  }
}
