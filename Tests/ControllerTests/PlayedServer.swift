// What the stages of tests have in common: a server in the test's process, its loop on a thread, and hosts that
// the test plays.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import Controller

/// A server and what is around it.
protocol PlayedServer {
  var controller: Controller { get }

  /// Waits until everything that was heard is durable and done.
  func settle() async
}

extension PlayedServer {
  /// Runs a loop on a thread of its own.
  static func startThread(of loop: EventLoop) -> pthread_t {
    signal(SIGPIPE, SIG_IGN)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        context.map { Unmanaged<EventLoop>.fromOpaque($0).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(loop).toOpaque())
    return thread
  }

  /// Does something on the server's thread and waits for what follows.
  func act<Value: Sendable>(_ body: @Sendable (isolated Controller) throws -> Value) async rethrows
    -> Value
  {
    let value = try await controller.play(body)
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
}

extension Controller {
  func beginPlay() async throws { try await load(reaching: PlayedAgents()) }

  fileprivate func play<Value: Sendable>(
    _ body: @Sendable (isolated Controller) throws -> Value
  ) rethrows -> Value { try body(self) }
}
