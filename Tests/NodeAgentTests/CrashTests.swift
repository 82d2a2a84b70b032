// What is lost and what is not when agents, shepherds and connections die.

import ClusterModel
import Encoding
import Glibc
import Testing
import Wire

@testable import NodeAgent

@Suite("crashes", .enabled(if: isRoot, "needs root"), .serialized)
struct CrashTests {
  @Test("killing the agent again and again loses no job and starts none twice")
  func agentKilled() throws {
    try withHost { host in
      var agent = try host.startAgent()
      var generator = SystemRandomNumberGenerator()
      var ended: [JobID: Int] = [:]
      for round in 0..<6 {
        let attempts = try agent.greet()
        for (id, status) in attempts {
          if case .ended(let status, .command, _) = status {
            ended[id.job] = status
          } else if case .running = status {
            continue
          } else if case .failed(.interrupted, _) = status {
            // The agent died before the job began; the server would try again.
            try again(id, host, agent)
          } else {
            Issue.record("\(id) is \(status)")
          }
        }
        // What was asked may or may not have arrived: all is asked again.
        for job in 1...30 {
          let specification = host.specification(job, "echo \(job) >> started; sleep 0.3; exit 5")
          try agent.send(.start(specification))
        }
        if round < 5 {
          usleep(UInt32.random(in: 0...200_000, using: &generator))
          kill(agent.pid, SIGKILL)
          _ = agent.awaitExit()
          agent = try host.startAgent()
        }
      }
      while ended.count < 30 {
        let (job, status) = try agent.wait { report -> (JobID, Int)? in
          guard case .attempt(let id, .ended(let status, _, _)) = report else { return nil }
          return (id.job, status)
        }
        ended[job] = status
      }
      #expect(ended == Dictionary(uniqueKeysWithValues: (1...30).map { ($0, 5 << 8) }))
      let started = host.homeFile("started").split(separator: "\n").compactMap { Int($0) }
      #expect(started.sorted() == Array(1...30))
    }
  }

  /// An attempt that never began is forgotten and begun anew, as its number 2 would be.
  private func again(_ id: AttemptID, _ host: TestHost, _ agent: AgentClient) throws {
    try agent.send(.acknowledge(id))
  }

  @Test("an end that nobody heard of is reported by the next agent, until it is acknowledged")
  func unheardEnd() throws {
    try withHost { host in
      let first = try host.agent()
      try first.send(.start(host.specification(7, "until [ -e go ]; do sleep 0.05; done; exit 2")))
      let shepherd = try first.running(7)
      #expect(first.hangUp() == 0)
      #expect(isAlive(Int(shepherd)))
      let second = try host.startAgent()
      guard case .running(let pid, let since) = try second.greet()[AttemptID(job: 7, number: 1)]
      else {
        Issue.record("it should be running")
        return
      }
      #expect(pid == Int(shepherd))
      #expect(abs(since - time(nil)) < 60)
      #expect(second.hangUp() == 0)
      try Files.create(host.home + "/go", [], owner: TestHost.uid)
      #expect(eventually { !isAlive(Int(shepherd)) })
      for _ in 0..<2 {
        let agent = try host.startAgent()
        guard case .ended(let status, .command, _) = try agent.greet()[AttemptID(job: 7, number: 1)]
        else {
          Issue.record("it should have ended")
          return
        }
        #expect(status == 2 << 8)
        #expect(agent.hangUp() == 0)
      }
    }
  }

  @Test("a job that was taken up again is watched, and can be killed")
  func killAdopted() throws {
    try withHost { host in
      let first = try host.agent()
      try first.send(.start(host.specification(7, "exec sleep 1000")))
      try first.send(.start(host.specification(8, "sleep 0.5; exit 1")))
      try first.running(7)
      try first.running(8)
      kill(first.pid, SIGKILL)
      let second = try host.agent()
      #expect(try second.end(of: 8).status == 1 << 8)
      try second.send(.kill(AttemptID(job: 7, number: 1), grace: 5))
      let end = try second.end(of: 7)
      #expect(end.cause == .killed && end.status == Int(SIGTERM))
    }
  }

  @Test(
    "when a shepherd is killed its job is lost, and nothing of it runs on",
    arguments: [GroupVersion.asMounted, .version2])
  func shepherdKilled(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let script = "(setsid sleep 1000 & echo $! >> pids); echo $$ >> pids; sleep 1000"
      try agent.send(.start(host.specification(7, script)))
      let shepherd = try agent.running(7)
      #expect(eventually { host.homeFile("pids").split(separator: "\n").count == 2 })
      kill(shepherd, SIGKILL)
      #expect(try agent.end(of: 7).cause == .lost)
      let pids = host.homeFile("pids").split(separator: "\n").compactMap { Int($0) }
      #expect(pids.filter(isAlive) == [])
      #expect(!host.groups.exists("oar/alice_7"))
    }
  }

  @Test("when agent and shepherd are both killed the next agent finds the job lost")
  func bothKilled() throws {
    try withHost { host in
      let first = try host.agent()
      try first.send(.start(host.specification(7, "echo $$ > pid; exec sleep 1000")))
      let shepherd = try first.running(7)
      #expect(eventually { host.homeFile("pid") != "" })
      kill(first.pid, SIGKILL)
      kill(shepherd, SIGKILL)
      let attempts = try host.startAgent().greet()
      guard case .ended(_, .lost, _) = attempts[AttemptID(job: 7, number: 1)] else {
        Issue.record("it should be lost, not \(attempts)")
        return
      }
      #expect(!isAlive(Int(host.homeFile("pid").trimmed) ?? 0))
    }
  }

  @Test("an attempt whose agent died before its shepherd began has failed, and can't begin later")
  func neverBegan() throws {
    try withHost { host in
      let spool = try Spool(state: host.state, run: host.run)
      let id = AttemptID(job: 7, number: 1)
      #expect(try spool.create(id))
      let attempts = try host.startAgent().greet()
      guard case .failed(.interrupted, _) = attempts[id] else {
        Issue.record("it should have failed, not \(attempts)")
        return
      }
      // The shepherd that comes too late is turned away.
      let record = AttemptRecord(since: 1, groupPath: "oar/alice_7", isInteractive: false)
      #expect(try spool.claim(id, record) == nil)
    }
  }

  @Test("a new agent takes over from one that still runs")
  func takeover() throws {
    try withHost { host in
      let first = try host.agent()
      try first.send(.start(host.specification(7, "until [ -e go ]; do sleep 0.05; done")))
      try first.running(7)
      let second = try host.agent()
      #expect(first.awaitExit() == SIGTERM)
      try Files.create(host.home + "/go", [], owner: TestHost.uid)
      #expect(try second.end(of: 7).status == 0)
    }
  }

  // MARK: Connections

  @Test("a server of another version is told so")
  func otherVersion() throws {
    try withHost { host in
      let agent = try host.startAgent()
      try agent.send(.hello(version: nodeProtocolVersion + 1))
      let remark = try agent.wait { if case .remark(let text) = $0 { text } else { nil } }
      #expect(remark.contains("version \(nodeProtocolVersion + 1)"))
      #expect(agent.awaitExit() == 3 << 8)
      #expect(try agent.errorText().contains("install the same version"))
    }
  }

  @Test(
    "bytes that are no frames or no requests end the agent with a reason, and no job",
    arguments: [
      [UInt8](repeating: 0xff, count: 64),
      [0x7f, 0xff, 0xff, 0xff, 0],
      [0, 0, 0, 3, 0, 0xff, 0xff],
      [0, 0, 0, 2, 9, 0],
    ])
  func garbage(bytes: [UInt8]) throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, "exec sleep 1000")))
      let shepherd = try agent.running(7)
      try agent.sendRaw(bytes)
      #expect(agent.awaitExit() == 2 << 8)
      #expect(try agent.errorText().hasPrefix("liburna-node: "))
      #expect(isAlive(Int(shepherd)))
      guard case .running = try host.startAgent().greet()[AttemptID(job: 7, number: 1)] else {
        Issue.record("it should be running")
        return
      }
    }
  }

  @Test("a request before the greeting is refused")
  func noGreeting() throws {
    try withHost { host in
      let agent = try host.startAgent()
      try agent.send(.start(host.specification(7, "true")))
      #expect(agent.awaitExit() == 2 << 8)
      #expect(Files.names(in: host.state + "/attempts") == [])
    }
  }

  @Test("a bad command line is explained")
  func badCommandLine() throws {
    for words in [
      ["run"], ["agent", "--stat", "/x"], ["agent", "--state"], ["agent", "--state", "x"],
    ] {
      let agent = try AgentClient(words: [TestHost.program] + words)
      #expect(agent.awaitExit() == 64 << 8)
      #expect(try agent.errorText().contains("Usage: liburna-node agent"))
    }
  }
}
