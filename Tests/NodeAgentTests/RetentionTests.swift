// What a host keeps after the server was away.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

@Suite("jobs that may not stay", .enabled(if: isRoot, "needs root"), .serialized)
struct RetentionTests {
  private func isRetained(_ report: AgentReport) -> Bool? {
    if case .retained = report { true } else { nil }
  }

  @Test("only the jobs that the server names stay; the others are gone when the agent says so")
  func retention() throws {
    try withHost { host in
      let first = try host.agent()
      for job in 1...2 { try first.send(.start(host.specification(job, "sleep 1000"))) }
      let kept = try first.running(1)
      _ = try first.running(2)
      try first.send(.prepare(3, user: "alice", host.confinement(3), nil))
      _ = try first.wait { if case .prepared(3) = $0 { true } else { nil } }
      #expect(first.hangUp() == 0)

      let agent = try host.agent()
      try agent.send(.retain([1], root: "oar", isShared: false))
      let end = try agent.end(of: 2)
      #expect(end.cause == .killed)
      _ = try agent.wait(isRetained)
      #expect(!host.groups.exists(host.confinement(2).path))
      #expect(!host.groups.exists(host.confinement(3).path))
      #expect(isAlive(Int(kept)))
      #expect(host.groups.exists(host.confinement(1).path))
      try agent.send(.kill(AttemptID(job: 1, number: 1), grace: 0))
      _ = try agent.end(of: 1)
    }
  }

  @Test("a host with nothing to remove says so at once") func nothing() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.retain([], root: "oar", isShared: false))
      _ = try agent.wait(isRetained)
    }
  }
}
