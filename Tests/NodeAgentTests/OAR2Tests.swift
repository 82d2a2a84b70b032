// What OAR 2's commands and modules find of a job of ours on a host, and what reaches its server.

import CLinux
import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

@Suite("OAR 2's commands and our jobs", .enabled(if: isRoot, "needs root"), .serialized)
struct OAR2Tests {
  private func withOARHost(
    _ version: GroupVersion = .asMounted, _ body: (TestHost) throws -> Void
  ) throws {
    try withHost(version) { host in
      try host.addOAR()
      try body(host)
    }
  }

  @Test("a job has its files where OAR's commands look, and none when it has ended")
  func files() throws {
    try withOARHost { host in
      let agent = try host.agent()
      try agent.send(
        .start(host.withOAR(7, "cat \"$OAR_NODEFILE\" >seen; echo $BASH_ENV >>seen; sleep 1000")))
      let shepherd = try agent.running(7)
      let names = host.oarNames(7)
      #expect(Files.text(names.process) == "\(shepherd)")
      #expect(Files.text(names.nodes) == "node1")
      #expect(Files.text(names.resources) == "type = 'default'")
      let lines = (Files.text(names.environment) ?? "").split(separator: "\n")
      #expect(lines.contains("export OAR_JOBID='7'"))
      // A quote would end the text that OAR reads.
      #expect(lines.contains("export OAR_JOB_NAME='its mine'"))
      #expect(lines.contains("export OAR_FILE_NODES='\(names.nodes)'"))
      #expect(lines.contains("export OAR_NODEFILE=$OAR_FILE_NODES"))
      #expect(
        eventually { host.homeFile("seen") == "node1\n\(host.oarDirectory)/.batch_job_bashrc\n" })
      try agent.send(.kill(AttemptID(job: 7, number: 1), grace: 0))
      _ = try agent.end(of: 7)
      #expect(Files.names(in: host.oarDirectory) == [])
    }
  }

  @Test("other hosts of a job have its files until they are told to release it")
  func prepared() throws {
    try withOARHost { host in
      let agent = try host.agent()
      try agent.send(.prepare(7, user: "alice", host.confinement(7), host.files(7)))
      _ = try agent.wait { if case .prepared(7) = $0 { true } else { nil } }
      let names = host.oarNames(7)
      #expect(Files.text(names.nodes) == "node1")
      #expect(access(names.environment, F_OK) == 0)
      #expect(access(names.process, F_OK) != 0)
      try agent.send(.release(7, host.confinement(7)))
      _ = try agent.wait { if case .released(7) = $0 { true } else { nil } }
      #expect(Files.names(in: host.oarDirectory) == [])
    }
  }

  @Test("a job is in all cgroups of OAR's job manager, which are OAR's own")
  func groups() throws {
    try withOARHost { host in
      guard host.groups is ControlGroupsV1 else { return }
      let agent = try host.agent()
      try agent.send(.start(host.withOAR(7, "cat /proc/self/cgroup >seen; sleep 1000")))
      _ = try agent.running(7)
      #expect(eventually { host.homeFile("seen").hasSuffix("\n") })
      for name in ControlGroupsV1.sharedNames {
        let directory = "/sys/fs/cgroup/\(name)\(host.groupRoot)/oar/alice_7"
        for path in [directory, directory + "/tasks"] {
          var status = stat()
          #expect(stat(path, &status) == 0 && status.st_uid == TestHost.oarUID, "\(path)")
        }
        #expect(host.homeFile("seen").contains(":\(name):\(host.groupRoot)/oar/alice_7\n"))
      }
      try agent.send(.kill(AttemptID(job: 7, number: 1), grace: 0))
      _ = try agent.end(of: 7)
      for name in ControlGroupsV1.sharedNames {
        #expect(access("/sys/fs/cgroup/\(name)\(host.groupRoot)/oar/alice_7", F_OK) != 0)
      }
    }
  }

  @Test("OAR's account ends a job that lost its server, and OAR's server hears of it at once")
  func endedByOAR() throws {
    try withOARHost { host in
      let almighty = try FakeAlmighty()
      let agent = try host.agent()
      try agent.send(.start(host.withOAR(7, "sleep 1000", port: almighty.port)))
      _ = try agent.running(7)
      #expect(agent.hangUp() == 0)
      try host.signalAsOAR(7, SIGCONT)
      try host.signalAsOAR(7, SIGTERM)
      #expect(try almighty.word() == "OAREXEC_7_3_N_4711\n")
      #expect(!host.groups.exists("oar/alice_7"))
      #expect(Files.names(in: host.oarDirectory) == [])
    }
  }

  @Test("OAR's server hears how a job ended that lost its server")
  func endedAlone() throws {
    try withOARHost { host in
      let almighty = try FakeAlmighty()
      let agent = try host.agent()
      let command = "while [ ! -e go ]; do sleep 0.02; done; exit 5"
      try agent.send(.start(host.withOAR(7, command, port: almighty.port)))
      _ = try agent.running(7)
      #expect(agent.hangUp() == 0)
      close(open(host.home + "/go", O_CREAT | O_WRONLY, 0o644))
      #expect(try almighty.word() == "OAREXEC_7_0_1280_4711\n")
      // A server of ours that comes later learns it as well.
      let later = try host.startAgent()
      let known = try later.greet()
      guard case .ended(5 << 8, .command, _)? = known[AttemptID(job: 7, number: 1)] else {
        Issue.record("the next agent does not know how job 7 ended: \(known)")
        return
      }
    }
  }

  @Test("nobody tells OAR's server of an end that ours has taken note of")
  func acknowledged() throws {
    try withOARHost { host in
      let agent = try host.agent()
      try agent.send(.start(host.withOAR(7, "true")))
      _ = try agent.end(of: 7)
      try agent.send(.acknowledge(AttemptID(job: 7, number: 1)))
      try agent.sync()
      #expect(eventually { holders(of: host.state + "/attempts/7.1").isEmpty })
    }
  }

  /// The processes that have a file open, be it removed.
  private func holders(of path: String) -> [String] {
    Files.names(in: "/proc").filter { process in
      pid_t(process) != nil
        && Files.names(in: "/proc/\(process)/fd").contains { number in
          var buffer = [CChar](repeating: 0, count: 4096)
          let count = readlink("/proc/\(process)/fd/\(number)", &buffer, buffer.count)
          let bytes = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
          return String(decoding: bytes, as: UTF8.self).hasPrefix(path)
        }
    }
  }

  @Test("an attempt that only holds its hosts ends well when oarsub says that the session is over")
  func holding() throws {
    try withOARHost { host in
      let almighty = try FakeAlmighty()
      let agent = try host.agent()
      try agent.send(.start(host.withOAR(7, nil, port: almighty.port)))
      _ = try agent.running(7)
      try host.signalAsOAR(7, SIGUSR1)
      let end = try agent.end(of: 7)
      #expect(end.cause == .hangup)
      #expect(end.status == 0)
      // Not acknowledged: OAR's server is told, in its words.
      #expect(try almighty.word() == "OAREXEC_7_34_N_4711\n")
    }
  }

  @Test("oardel's checkpoint and signals reach the command")
  func signals() throws {
    try withOARHost { host in
      let agent = try host.agent()
      let script = """
        trap 'echo checkpoint >>seen' USR2; trap 'echo winch >>seen' WINCH
        trap 'echo usr1 >>seen' USR1; echo ready >>seen; while :; do sleep 0.02; done
        """
      try agent.send(.start(host.withOAR(7, script)))
      _ = try agent.running(7)
      #expect(eventually { host.homeFile("seen") == "ready\n" })
      // What ends the session of an interactive job means nothing to others.
      try host.signalAsOAR(7, SIGUSR1)
      try host.signalAsOAR(7, SIGUSR2)
      #expect(eventually { host.homeFile("seen") == "ready\ncheckpoint\n" })
      try host.write("oar/USER_SIGNAL_7", "WINCH\n")
      try host.signalAsOAR(7, SIGURG)
      #expect(eventually { host.homeFile("seen") == "ready\ncheckpoint\nwinch\n" })
    }
  }

  @Test("prologue and epilogue run as OAR's account, with the job, its user and its node file")
  func hooks() throws {
    try withOARHost { host in
      let agent = try host.agent()
      let note = "echo $(id -u) $PWD $* $OAR_JOB_ID $(head -1 $3) >>\(host.oarDirectory)/"
      let prologue = try host.script("prologue", note + "before")
      let epilogue = try host.script("epilogue", note + "after")
      try agent.send(
        .start(host.withOAR(7, "exit 3", prologue: prologue, epilogue: epilogue)))
      let end = try agent.end(of: 7)
      #expect(end.cause == .command)
      #expect(end.status == 3 << 8)
      let names = host.oarNames(7)
      let line = "\(TestHost.oarUID) \(host.oarDirectory) 7 alice \(names.nodes) 7 node1"
      #expect(Files.text(host.oarDirectory + "/before") == line)
      #expect(Files.text(host.oarDirectory + "/after") == line)
    }
  }

  @Test(
    "a failing prologue keeps the command from running, a failing epilogue is told beside its end")
  func failingHooks() throws {
    try withOARHost { host in
      let agent = try host.agent()
      let failing = try host.script("failing", "exit 7")
      try agent.send(.start(host.withOAR(7, "touch ran", prologue: failing)))
      guard case .failed(.prologue, let text) = try agent.final(of: 7) else {
        Issue.record("the job did not fail by its prologue")
        return
      }
      #expect(text.contains(failing))
      #expect(access(host.home + "/ran", F_OK) != 0)
      try agent.send(.start(host.withOAR(8, "exit 3", epilogue: failing)))
      let end = try agent.end(of: 8)
      #expect(end.cause == .epilogue)
      #expect(end.status == 3 << 8)
    }
  }

  @Test("a job's key opens its hosts for as long as it has them, and other keys stay")
  func keys() throws {
    try withOARHost { host in
      let accepted = host.oarDirectory + "/.ssh/authorized_keys"
      try Files.makeDirectories(host.oarDirectory + "/.ssh", mode: 0o755)
      try host.write("oar/.ssh/authorized_keys", "environment=\"OAR_KEY=1\" ssh-rsa AAA oar\n")
      let agent = try host.agent()
      var specification = host.withOAR(7, "env >seen; sleep 1000")
      let key = OAR2Key(publicKey: "ssh-rsa BBB oar@frontend\n", privateKey: "the private key\n")
      specification.oar2?.files.key = key
      specification.oar2?.files.cpuset = nil
      try agent.send(.start(specification))
      _ = try agent.running(7)
      #expect(
        Files.text(accepted) == """
          environment="OAR_KEY=1" ssh-rsa AAA oar
          environment="OAR_CPUSET=undef",environment="OAR_JOB_USER=alice" ssh-rsa BBB oar@frontend
          """)
      var status = stat()
      #expect(stat(host.oarNames(7).key, &status) == 0 && status.st_mode & 0o777 == 0o600)
      #expect(eventually { host.homeFile("seen").contains("SUDO_COMMAND") })
      #expect(!host.homeFile("seen").contains("OAR_CPUSET"))
      try agent.send(.kill(AttemptID(job: 7, number: 1), grace: 0))
      _ = try agent.end(of: 7)
      #expect(Files.text(accepted) == "environment=\"OAR_KEY=1\" ssh-rsa AAA oar")
      #expect(Files.names(in: host.oarDirectory) == [".ssh"])

      specification.attempt.job = 8
      specification.oar2?.files.key?.publicKey = "ssh-rsa BBB\nssh-rsa CCC"
      try agent.send(.start(specification))
      guard case .failed(.host, _) = try agent.final(of: 8) else {
        Issue.record("a key of two lines was taken")
        return
      }
      #expect(Files.text(accepted) == "environment=\"OAR_KEY=1\" ssh-rsa AAA oar")
    }
  }

  @Test("sessions of oarsub end with the job where OAR has no cgroups")
  func sessions() throws {
    try withOARHost(.none) { host in
      let agent = try host.agent()
      var specification = host.withOAR(7, nil)
      specification.oar2?.files.cpuset = nil
      try agent.send(.start(specification))
      _ = try agent.running(7)
      let ours = try session("export OAR_JOBID=7;sleep 1000; true")
      let others = try session("export OAR_JOBID=71;sleep 1000; true")
      defer { kill(-others, SIGKILL) }
      try Files.create(
        host.oarNames(7).sessions, Array("\(ours)\n\(others)\n".utf8), owner: TestHost.oarUID)
      try host.signalAsOAR(7, SIGTERM)
      _ = try agent.end(of: 7)
      var status: Int32 = 0
      #expect(waitpid(ours, &status, 0) == ours && status & 0x7f == SIGKILL)
      #expect(isAlive(Int(others)))
    }
  }

  /// A process in a session of its own, as sshd would start it.
  private func session(_ command: String) throws -> pid_t {
    let launch = Launch(program: "/bin/sh", arguments: ["sh", "-c", command])
    let (process, report) = try launch.start()
    _ = try Descriptors.read(report, upTo: 64, named: "a report")
    close(report)
    return process
  }

  @Test("jobs that OAR 2 started itself are left alone, whatever the server names")
  func strangers() throws {
    try withOARHost { host in
      try host.groups.create(host.confinement(5))
      try Files.create(host.oarNames(5).nodes, Array("node1\n".utf8), owner: TestHost.oarUID)
      let agent = try host.agent()
      try agent.send(.prepare(6, user: "alice", host.confinement(6), host.files(6)))
      _ = try agent.wait { if case .prepared(6) = $0 { true } else { nil } }
      try agent.send(.retain([], root: "oar", isShared: true))
      _ = try agent.wait { if case .retained = $0 { true } else { nil } }
      #expect(host.groups.exists("oar/alice_5"))
      #expect(!host.groups.exists("oar/alice_6"))
      #expect(Files.names(in: host.oarDirectory) == ["5"])
    }
  }

  @Test("without cgroups a job is found and ended by OAR's account as well")
  func withoutGroups() throws {
    try withOARHost(.none) { host in
      let agent = try host.agent()
      try agent.send(.start(host.withOAR(7, "sleep 1000")))
      _ = try agent.running(7)
      try host.signalAsOAR(7, SIGTERM)
      #expect(try agent.end(of: 7).cause == .killed)
    }
  }
}
