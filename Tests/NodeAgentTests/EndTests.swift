// How jobs are ended: at their walltime, on request, with everything they have started.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

/// A script that ignores SIGTERM in itself and in a child of a child that left its session, and notes the pids.
private let stubborn = """
  trap '' TERM
  (setsid bash -c 'trap "" TERM; echo $BASHPID >> pids; while :; do sleep 100; done' &)
  echo $$ >> pids
  while :; do sleep 100; done
  """

@Suite("the end of jobs", .enabled(if: isRoot, "needs root"), .serialized)
struct EndTests {
  private func pids(_ host: TestHost, _ count: Int) -> [Int] {
    #expect(eventually { host.homeFile("pids").split(separator: "\n").count == count })
    return host.homeFile("pids").split(separator: "\n").compactMap { Int($0) }
  }

  @Test("at its walltime a job is killed with everything it started, and its error file says so")
  func walltime() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, stubborn, walltime: 1)))
      let pids = pids(host, 2)
      let end = try agent.end(of: 7)
      #expect(end.cause == .walltime)
      #expect(end.status == Int(SIGKILL))
      #expect(pids.filter(isAlive) == [])
      #expect(!host.groups.exists("oar/alice_7"))
      let line = host.homeFile("OAR.7.stderr")
      #expect(line.hasPrefix("## OAR [20") && line.hasSuffix("] Job 7 KILLED ##\n"))
      #expect(line.utf8.count == "## OAR [2026-11-20 15:04:05] Job 7 KILLED ##\n".utf8.count)
    }
  }

  @Test("a job that is asked to end has its grace to do so")
  func grace() throws {
    try withHost { host in
      let agent = try host.agent()
      let script =
        "trap 'echo saved > saved; exit 4' TERM; echo > ready; while :; do sleep 0.05; done"
      try agent.send(.start(host.specification(7, script)))
      #expect(eventually { host.homeFile("ready") != "" })
      try agent.send(.kill(AttemptID(job: 7, number: 1), grace: 30))
      let end = try agent.end(of: 7)
      #expect(end.cause == .killed)
      #expect(end.status == 4 << 8)
      #expect(host.homeFile("saved") == "saved\n")
    }
  }

  @Test("what the command leaves behind has the rest of the grace, if it is asked to end")
  func graceOfTheRest() throws {
    try withHost { host in
      let agent = try host.agent()
      let script = """
        bash -c 'trap "sleep 0.5; echo saved > saved; exit" TERM; echo > ready; while :; do sleep 0.1; done' &
        trap - TERM; sleep 1000
        """
      try agent.send(.start(host.specification(7, script)))
      #expect(eventually { host.homeFile("ready") != "" })
      try agent.send(.kill(AttemptID(job: 7, number: 1), grace: 30))
      #expect(try agent.end(of: 7).cause == .killed)
      #expect(host.homeFile("saved") == "saved\n")
    }
  }

  @Test(
    "a kill without grace ends what ignores SIGTERM at once, and a second one does no harm",
    arguments: [GroupVersion.asMounted, .version2, .none])
  func hardKill(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, stubborn)))
      let pids = pids(host, 2)
      let id = AttemptID(job: 7, number: 1)
      try agent.send(.kill(id, grace: 3600))
      try agent.send(.kill(id, grace: 0))
      #expect(try agent.end(of: 7).cause == .killed)
      #expect(pids.filter(isAlive) == [])
      try agent.send(.kill(id, grace: 0))
      #expect(try agent.end(of: 7).cause == .killed)
    }
  }

  @Test("a kill of an attempt that is not here says so")
  func unknownKill() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.kill(AttemptID(job: 99, number: 2), grace: 0))
      guard case .failed(.host, let text) = try agent.final(of: 99, number: 2) else {
        Issue.record("it should be unknown")
        return
      }
      #expect(text == "no attempt 99.2 on this host")
    }
  }

  @Test("what runs on in the background ends with the command")
  func background() throws {
    try withHost { host in
      let agent = try host.agent()
      let script = "(setsid sleep 1000 & echo $! >> pids); sleep 1000 & echo $! >> pids; exit 0"
      try agent.send(.start(host.specification(7, script)))
      let end = try agent.end(of: 7)
      #expect(end.status == 0 && end.cause == .command)
      #expect(pids(host, 2).filter(isAlive) == [])
    }
  }

  @Test("a signal reaches the command and its children")
  func signal() throws {
    try withHost { host in
      let agent = try host.agent()
      let script = """
        bash -c 'trap "echo child >> got; exit" USR1; echo >> ready; while :; do sleep 0.05; done' &
        trap 'echo parent >> got' USR1; echo >> ready; while ! wait; do :; done
        until [ $(wc -l < got) = 2 ]; do sleep 0.05; done
        """
      try agent.send(.start(host.specification(7, script)))
      #expect(eventually { host.homeFile("ready") == "\n\n" })
      try agent.send(.signal(AttemptID(job: 7, number: 1), Int(SIGUSR1)))
      #expect(try agent.end(of: 7).cause == .command)
      #expect(Set(host.homeFile("got").split(separator: "\n")) == ["child", "parent"])
    }
  }

  @Test("the checkpoint signal comes before the walltime")
  func checkpoint() throws {
    try withHost { host in
      let agent = try host.agent()
      var specification = host.specification(
        7, "trap 'echo saved > saved; exit 0' USR2; while :; do sleep 0.05; done", walltime: 600)
      specification.checkpoint = 599
      try agent.send(.start(specification))
      let end = try agent.end(of: 7)
      #expect(end.status == 0 && end.cause == .command)
      #expect(host.homeFile("saved") == "saved\n")
    }
  }

  @Test(
    "a suspended job stands still, and its walltime with it",
    arguments: [GroupVersion.asMounted, .version2])
  func suspend(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let script = "while :; do echo x >> ticks; sleep 0.01; done"
      try agent.send(.start(host.specification(7, script, walltime: 1)))
      try agent.running(7)
      #expect(eventually { host.homeFile("ticks") != "" })
      try agent.send(.suspend(7, host.confinement(7)))
      try agent.send(.suspend(7, host.confinement(7)))
      try agent.sync()
      // The freezer takes effect a moment after it is asked.
      usleep(100_000)
      let ticks = host.homeFile("ticks")
      usleep(1_500_000)
      #expect(host.homeFile("ticks") == ticks)
      try agent.send(.resume(7, host.confinement(7)))
      #expect(eventually { host.homeFile("ticks").utf8.count > ticks.utf8.count })
      #expect(try agent.end(of: 7).cause == .walltime)
    }
  }

  @Test(
    "a suspended job can be ended",
    arguments: [GroupVersion.asMounted, .version2])
  func killSuspended(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, stubborn)))
      let pids = pids(host, 2)
      try agent.send(.suspend(7, host.confinement(7)))
      try agent.send(.kill(AttemptID(job: 7, number: 1), grace: 0))
      #expect(try agent.end(of: 7).cause == .killed)
      #expect(pids.filter(isAlive) == [])
    }
  }
}
