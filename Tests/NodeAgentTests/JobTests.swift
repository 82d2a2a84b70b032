// Jobs on a real agent: what they see, how they end, why they can't begin.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

@Suite("jobs on a host", .enabled(if: isRoot, "needs root"), .serialized)
struct JobTests {
  @Test(
    "a job runs as its user, in its directory, with its environment, and leaves its output there")
  func ordinaryJob() throws {
    try withHost { host in
      let agent = try host.agent()
      let script = """
        id -u; id -g; id -G; pwd; umask; echo "$OAR_JOB_ID $USER $LOGNAME $HOME $SHELL $TERM $OAR_KEY"
        cat $OAR_NODEFILE $OAR_NODE_FILE $OAR_FILE_NODES $OAR_RESOURCE_FILE | wc -l
        cat "$OAR_RESOURCE_PROPERTIES_FILE"; echo "$OAR_WORKDIR" "$OAR_STDOUT"; tty
        ls /proc/self/fd | wc -w; grep SigBlk /proc/self/status; echo oops >&2; exit 3
        """
      try agent.send(.start(host.specification(7, script)))
      try agent.running(7)
      let end = try agent.end(of: 7)
      #expect(end.status == 3 << 8)
      #expect(end.cause == .command)
      let lines = host.homeFile("OAR.7.stdout").split(separator: "\n")
      #expect(
        lines == [
          "64001", "64001", "64001 64007", "\(host.home)", "0022",
          "7 alice alice \(host.home) /bin/bash unknown 1", "8", " type = 'default'",
          "\(host.home) \(host.home)/OAR.7.stdout", "not a tty", "4", "SigBlk:\t0000000000000000",
        ])
      #expect(host.homeFile("OAR.7.stderr") == "oops\n")
      var status = stat()
      #expect(stat(host.home + "/OAR.7.stdout", &status) == 0)
      #expect(status.st_uid == TestHost.uid && status.st_gid == TestHost.gid)
      #expect(status.st_mode & 0o777 == 0o644)
      #expect(agent.hangUp() == 0)
    }
  }

  @Test("nothing of the agent's environment reaches a job but a short list")
  func cleanEnvironment() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, "env | cut -d= -f1 | sort")))
      _ = try agent.end(of: 7)
      let names = Set(host.homeFile("OAR.7.stdout").split(separator: "\n").map(String.init))
      let shellsOwn: Set<String> = ["PWD", "SHLVL", "_"]
      #expect(
        names.subtracting(shellsOwn) == [
          "HOME", "SHELL", "USER", "LOGNAME", "PATH", "TERM", "OAR_JOB_ID", "OAR_KEY", "OAR_CPUSET",
          "OAR_NODEFILE", "OAR_NODE_FILE", "OAR_FILE_NODES", "OAR_RESOURCE_FILE",
          "OAR_RESOURCE_PROPERTIES_FILE", "OAR_WORKDIR", "OAR_WORKING_DIRECTORY", "OAR_O_WORKDIR",
          "OAR_STDOUT", "OAR_STDERR",
        ])
    }
  }

  @Test("a job that dies of a signal reports it in the raw wait status")
  func signalStatus() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, "kill -USR1 $$")))
      #expect(try agent.end(of: 7).status == Int(SIGUSR1))
      // A command that the shell does not find, as OAR records it.
      try agent.send(.start(host.specification(8, "/nonexistent/program")))
      #expect(try agent.end(of: 8).status == 127 << 8)
    }
  }

  @Test("output is appended to what is there")
  func appends() throws {
    try withHost { host in
      let agent = try host.agent()
      var specification = host.specification(7, "echo two; echo three >&2")
      specification.stdout = "log"
      specification.stderr = "log"
      try Files.create(host.home + "/log", Array("one\n".utf8), owner: TestHost.uid)
      chmod(host.home + "/log", 0o644)
      try agent.send(.start(specification))
      _ = try agent.end(of: 7)
      #expect(host.homeFile("log") == "one\ntwo\nthree\n")
    }
  }

  @Test("a second start of the same attempt answers how it stands and starts nothing")
  func startsOnce() throws {
    try withHost { host in
      let agent = try host.agent()
      let specification = host.specification(7, "echo run >> count; sleep 0.2")
      for _ in 0..<3 { try agent.send(.start(specification)) }
      _ = try agent.end(of: 7)
      try agent.send(.start(specification))
      #expect(try agent.end(of: 7).status == 0)
      #expect(host.homeFile("count") == "run\n")
    }
  }

  @Test("an attempt is forgotten when it is acknowledged, and not before")
  func acknowledge() throws {
    try withHost { host in
      let agent = try host.agent()
      let id = AttemptID(job: 7, number: 1)
      try agent.send(.start(host.specification(7, "exec sleep 100")))
      try agent.running(7)
      try agent.send(.acknowledge(id))
      let remark = try agent.wait { if case .remark(let text) = $0 { text } else { nil } }
      #expect(remark.contains("not over"))
      try agent.send(.kill(id, grace: 5))
      #expect(try agent.end(of: 7).cause == .killed)
      #expect(Files.names(in: host.state + "/attempts") == ["7.1"])
      try agent.send(.acknowledge(id))
      try agent.sync()
      #expect(Files.names(in: host.state + "/attempts") == [])
    }
  }

  // MARK: What can't begin

  @Test("a directory that the user can't enter is named, and nothing runs")
  func badDirectory() throws {
    try withHost { host in
      let agent = try host.agent()
      var specification = host.specification(7, "touch \(host.home)/ran")
      specification.directory = "/root"
      chmod("/root", 0o700)
      try agent.send(.start(specification))
      guard case .failed(.directory, let text) = try agent.final(of: 7) else {
        Issue.record("it should fail for its directory")
        return
      }
      #expect(text == "cannot enter the directory /root as alice: Permission denied")
      #expect(Files.names(in: host.home) == [])
      #expect(!host.groups.exists("oar/alice_7"))
    }
  }

  @Test("an output file that the user can't write is named, even if root could write it")
  func badOutput() throws {
    try withHost { host in
      let agent = try host.agent()
      try host.write("forbidden", "")
      var specification = host.specification(7, "touch ran")
      specification.stdout = host.root + "/forbidden"
      try agent.send(.start(specification))
      guard case .failed(.outputFile, let text) = try agent.final(of: 7) else {
        Issue.record("it should fail for its output file")
        return
      }
      #expect(text == "cannot open \(host.root)/forbidden as alice: Permission denied")
    }
  }

  @Test("a user that the host does not know is named")
  func unknownUser() throws {
    try withHost { host in
      let agent = try host.agent()
      for (job, name) in [(7, "mallory"), (8, "64001"), (9, "--help"), (10, "")] {
        var specification = host.specification(job, "true")
        specification.user = name
        try agent.send(.start(specification))
        guard case .failed(.user, let text) = try agent.final(of: job) else {
          Issue.record("it should fail for its user")
          return
        }
        #expect(text.contains(name))
      }
    }
  }

  @Test("a cgroup that can't be made fails the attempt, not the host")
  func badConfinement() throws {
    try withHost { host in
      let agent = try host.agent()
      for (job, path) in [(7, "../escape"), (8, "/oar/x"), (9, "alone"), (10, "oar/a b")] {
        var specification = host.specification(job, "true")
        specification.confinement.path = path
        try agent.send(.start(specification))
        guard case .failed(.confinement, let text) = try agent.final(of: job) else {
          Issue.record("it should fail for its cgroup")
          return
        }
        #expect(text.contains(path))
      }
      try agent.send(.start(host.specification(11, "true")))
      #expect(try agent.end(of: 11).status == 0)
    }
  }

  @Test("a shell that is not there fails the attempt")
  func badShell() throws {
    try withHost { host in
      try host.write(
        "passwd", "alice:x:\(TestHost.uid):\(TestHost.gid)::\(host.home):/bin/nosuch\n")
      let agent = try host.agent()
      try agent.send(.start(host.specification(7, "true")))
      guard case .failed(.host, let text) = try agent.final(of: 7) else {
        Issue.record("it should fail for its shell")
        return
      }
      #expect(text == "cannot run /bin/nosuch as alice: No such file or directory")
    }
  }
}
