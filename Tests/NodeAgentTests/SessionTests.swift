// Sessions in a job, and the terminals of interactive ones.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

private let terminal = TerminalSpecification(
  type: "xterm-256color", size: TerminalSize(rows: 30, columns: 100))

@Suite("sessions", .enabled(if: isRoot, "needs root"), .serialized)
struct SessionTests {
  /// An agent on which job 7 has its cgroup.
  private func withPreparedHost(
    _ version: GroupVersion = .asMounted, _ body: (TestHost, AgentClient) throws -> Void
  ) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      try prepare(host, agent)
      try body(host, agent)
    }
  }

  private func prepare(_ host: TestHost, _ agent: AgentClient) throws {
    try agent.send(.prepare(7, user: TestHost.user, host.confinement(7), nil))
    let failure: String = try agent.wait {
      switch $0 {
      case .prepared(7): ""
      case .prepareFailed(7, let text): text
      default: nil
      }
    }
    #expect(failure == "")
  }

  @Test("without a terminal output and errors are told apart, and all bytes come before the status")
  func pipes() throws {
    try withPreparedHost { host, agent in
      let command = ["cat;", "echo", "err", ">&2;", "cat $OAR_NODEFILE; echo $TERM; exit 6"]
      try agent.send(.openSession(channel: 3, host.session(7, command)))
      try agent.opened(3)
      try agent.send(channel: 3, "hello\n")
      try agent.send(.closeChannel(channel: 3, end: false))
      #expect(try agent.ended(3) == 6 << 8)
      var streams: [UInt8: String] = [:]
      var rest = (agent.data[3] ?? [])[...]
      for text in ["hello\n", "err\n"] {
        // Pieces may come in any order; each begins with its mark.
        #expect(String(decoding: rest, as: UTF8.self).contains(text))
      }
      while let mark = rest.popFirst() {
        let piece = rest.prefix { $0 > 2 }
        streams[mark, default: ""] += String(decoding: piece, as: UTF8.self)
        rest = rest.dropFirst(piece.count)
      }
      #expect(streams[OutputStream.standardOutput.rawValue] == "hello\nnode1\nunknown\n")
      #expect(streams[OutputStream.standardError.rawValue] == "err\n")
    }
  }

  @Test(
    "a session runs in the job's cgroup as the job's user",
    arguments: [GroupVersion.asMounted, .version2])
  func confinement(version: GroupVersion) throws {
    try withPreparedHost(version) { host, agent in
      let command = ["id -un; cat /proc/self/cgroup; grep Cpus_allowed_list /proc/self/status"]
      try agent.send(.openSession(channel: 3, host.session(7, command)))
      #expect(try agent.ended(3) == 0)
      let text = agent.channelText(3)
      #expect(text.contains("alice\n"))
      #expect(text.contains("\(host.groupRoot)/oar/alice_7\n"))
      if version == .asMounted { #expect(text.contains("Cpus_allowed_list:\t0\n")) }
    }
  }

  @Test("with a terminal a session has its size and type, job control, and follows a resize")
  func onTerminal() throws {
    try withPreparedHost { host, agent in
      try agent.send(.openSession(channel: 3, host.session(7, nil, terminal: terminal)))
      try agent.opened(3)
      try agent.send(channel: 3, "PS1='>'; stty -echo; stty size; echo $TERM $0; tty\n")
      try agent.data(3, contains: "30 100")
      try agent.data(3, contains: "xterm-256color -bash")
      try agent.data(3, contains: "/dev/pts/")
      try agent.send(.resize(channel: 3, TerminalSize(rows: 50, columns: 132)))
      try agent.send(channel: 3, "stty size\n")
      try agent.data(3, contains: "50 132")
      try agent.send(channel: 3, "sleep 1000\n")
      let isAsleep = {
        host.groups.processes("oar/alice_7").contains { Files.text("/proc/\($0)/comm") == "sleep" }
      }
      #expect(eventually(isAsleep))
      try agent.send(channel: 3, "\u{3}")
      #expect(eventually { !isAsleep() })
      try agent.send(channel: 3, "echo alive; exit 9\n")
      try agent.data(3, contains: "alive")
      #expect(try agent.ended(3) == 9 << 8)
    }
  }

  @Test("the end of input ends a session on a terminal")
  func endOfInput() throws {
    try withPreparedHost { host, agent in
      try agent.send(.openSession(channel: 3, host.session(7, ["cat"], terminal: terminal)))
      try agent.opened(3)
      try agent.send(channel: 3, "line\n")
      try agent.data(3, contains: "line")
      try agent.send(.closeChannel(channel: 3, end: false))
      #expect(try agent.ended(3) == 0)
    }
  }

  @Test("when its person goes away a session is hung up")
  func personGone() throws {
    try withPreparedHost { host, agent in
      try agent.send(
        .openSession(channel: 3, host.session(7, ["exec sleep 1000"], terminal: terminal)))
      try agent.opened(3)
      #expect(host.groups.processes("oar/alice_7").count == 1)
      try agent.send(.closeChannel(channel: 3, end: true))
      #expect(eventually { host.groups.processes("oar/alice_7") == [] })
      // The number can be used again.
      try agent.send(.openSession(channel: 3, host.session(7, ["exit 2"])))
      #expect(try agent.ended(3) == 2 << 8)
    }
  }

  @Test("no more is sent than was granted, and everything once it was")
  func backPressure() throws {
    try withPreparedHost { host, agent in
      let size = 3 * channelWindow
      let command = ["head -c \(size) /dev/zero | tr '\\0' x"]
      try agent.send(.openSession(channel: 3, host.session(7, command, terminal: terminal)))
      try agent.opened(3)
      while (agent.data[3]?.count ?? 0) < channelWindow { try agent.sync() }
      usleep(200_000)
      try agent.sync()
      #expect(agent.data[3]?.count == channelWindow)
      try agent.send(.grant(channel: 3, bytes: 2 * channelWindow))
      #expect(try agent.ended(3) == 0)
      #expect(agent.data[3]?.count == size)
    }
  }

  @Test("input that nobody reads is granted no further, and too much of it ends the session")
  func inputLimit() throws {
    try withPreparedHost { host, agent in
      try agent.send(.openSession(channel: 3, host.session(7, ["wc -c"])))
      try agent.opened(3)
      var sent = 0
      let piece = String(repeating: "y", count: 32 << 10)
      while sent < channelWindow { try agent.send(channel: 3, piece); sent += piece.utf8.count }
      let granted = try agent.wait { if case .grant(3, let bytes) = $0 { bytes } else { nil } }
      #expect(granted >= channelWindow / 4 && granted <= channelWindow)
      try agent.send(.closeChannel(channel: 3, end: false))
      #expect(try agent.ended(3) == 0)
      #expect(agent.channelText(3) == "\u{1}\(sent)\n")

      try agent.send(.openSession(channel: 4, host.session(7, ["exec sleep 1000"])))
      try agent.opened(4)
      for _ in 0..<16 { try agent.send(channel: 4, piece) }
      #expect(try agent.failed(4) == "more input than was granted: session ended")
    }
  }

  @Test("sessions end with their job on a host, and its cgroup goes")
  func release() throws {
    try withPreparedHost { host, agent in
      try agent.send(
        .openSession(channel: 3, host.session(7, ["trap '' HUP TERM; sleep 1000 & wait"])))
      try agent.opened(3)
      for _ in 0..<2 { try agent.send(.release(7, host.confinement(7))) }
      #expect(try agent.ended(3) == Int(SIGKILL))
      for _ in 0..<2 { try agent.wait { if case .released(7) = $0 { () } else { nil } } }
      #expect(!host.groups.exists("oar/alice_7"))
      #expect(Files.names(in: host.state + "/jobs") == [])
    }
  }

  @Test("a session in a job that is not here is refused")
  func noJob() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.openSession(channel: 3, host.session(7, ["true"])))
      #expect(try agent.failed(3).contains("job 7 is not on this host"))
    }
  }

  // MARK: Interactive jobs

  private func startInteractive(_ host: TestHost, _ agent: AgentClient) throws {
    var specification = host.specification(7, nil)
    specification.terminal = terminal
    try agent.send(.start(specification))
    try agent.running(7)
  }

  private let id = AttemptID(job: 7, number: 1)

  @Test("an interactive job is a login shell whose terminal outlives connections and agents")
  func interactive() throws {
    try withHost { host in
      let first = try host.agent()
      try startInteractive(host, first)
      try first.send(.attach(channel: 1, id, TerminalSize(rows: 40, columns: 90)))
      try first.opened(1)
      try first.send(channel: 1, "PS1=''; stty -echo; echo $0; wc -l < $OAR_NODEFILE; stty size\n")
      try first.data(1, contains: "40 90")
      #expect(first.channelText(1).contains("-bash"))
      try first.send(channel: 1, "before=kept; (sleep 0.5; echo whisper; touch said) &\n")
      try first.sync()
      kill(first.pid, SIGKILL)
      #expect(eventually { access(host.home + "/said", F_OK) == 0 })
      let second = try host.agent()
      try second.send(.attach(channel: 5, id, TerminalSize(rows: 20, columns: 80)))
      try second.opened(5)
      try second.data(5, contains: "whisper")
      try second.send(channel: 5, "echo $before $(stty size); exit 3\n")
      try second.data(5, contains: "kept 20 80")
      #expect(try second.ended(5) == 3 << 8)
      #expect(try second.end(of: 7).status == 3 << 8)
    }
  }

  @Test("who joins last has the terminal; who leaves does not end it")
  func joinAgain() throws {
    try withHost { host in
      let agent = try host.agent()
      try startInteractive(host, agent)
      try agent.send(.attach(channel: 1, id, terminal.size))
      try agent.opened(1)
      try agent.send(.attach(channel: 2, id, terminal.size))
      #expect(try agent.failed(1).contains("joined from elsewhere"))
      try agent.opened(2)
      try agent.send(.closeChannel(channel: 2, end: true))
      try agent.send(.attach(channel: 4, id, terminal.size))
      try agent.opened(4)
      try agent.send(channel: 4, "exit 1\n")
      #expect(try agent.ended(4) == 1 << 8)
    }
  }

  @Test("an interactive job can be killed, and its visitor hears of it")
  func killInteractive() throws {
    try withHost { host in
      let agent = try host.agent()
      try startInteractive(host, agent)
      try agent.send(.attach(channel: 1, id, terminal.size))
      try agent.opened(1)
      // The shell is past its own beginning: it takes no notice of SIGTERM any more.
      try agent.send(channel: 1, "echo re''ady\n")
      try agent.data(1, contains: "ready")
      try agent.send(.kill(id, grace: 10))
      #expect(try agent.end(of: 7).cause == .killed)
      #expect(try agent.ended(1) == Int(SIGHUP))
      try agent.send(.attach(channel: 2, id, terminal.size))
      #expect(try agent.failed(2).contains("not running"))
    }
  }
}
