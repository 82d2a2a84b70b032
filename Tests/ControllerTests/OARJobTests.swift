// Jobs that OAR 2's own programs run: adopted, followed by their rows, ended by `bipbip`, killed by `Leon`.

import ClusterModel
import Glibc
import Storage
import Testing
import Wire

@testable import Controller

@Suite("Jobs that OAR 2 started") struct OARJobTests {
  /// A server that finds job 1 running on node1, and whose agent there does not know it.
  private func stage(_ state: String = "Running") async throws -> SharedStage {
    let stage = try await SharedStage({ try $0.run(1, on: [1, 2], state: state) })
    await stage.connect("node1")
    _ = await stage.said()
    return stage
  }

  @Test("a job that our agent does not know goes on as OAR's, and ends by its word")
  func end() async throws {
    let stage = try await stage()
    #expect(await stage.act { $0.state.runByOAR } == [1])
    #expect(try stage.other.state(1) == "Running")
    await stage.hear("OAREXEC_1_0_256_4711")
    #expect(try await stage.calls(1) == ["bipbip 1 0 256 4711"])
    // What `bipbip` writes then.
    try stage.other.write(
      "UPDATE jobs SET state = 'Finishing', exit_code = 256, stop_time = 2000000000 WHERE job_id = 1"
    )
    await stage.hear("BipBip")
    #expect(await stage.state(of: 1) == .finishing)
    try stage.other.event("SWITCH_INTO_TERMINATE_STATE", 1)
    await stage.hear("ChState", "Term")
    #expect(try stage.other.state(1) == "Terminated")
    #expect(try stage.other.read("SELECT exit_code FROM jobs") == "256")
    #expect(try stage.other.read("SELECT types_index FROM job_types") == "")
    #expect(
      try stage.other.read("SELECT assigned_resource_index FROM assigned_resources") == "LOG LOG")
    #expect(try stage.other.read("SELECT to_check FROM event_logs") == "NO")
    try await stage.end()
  }

  @Test("a job that our agent knows is ours, whatever is said of it")
  func ours() async throws {
    let stage = try await SharedStage({ try $0.run(1, on: [1, 2]) })
    await stage.connect("node1", [AttemptID(job: 1, number: 1): .running(pid: 9, since: 1000)])
    #expect(await stage.act { $0.state.runByOAR } == [])
    await stage.hear("OAREXEC_1_0_0_4711")
    #expect(try await stage.calls(0) == [])
    try await stage.end()
  }

  @Test(
    "a forged end calls nobody: a wrong challenge, another job, a job that waits or has ended",
    arguments: [
      "OAREXEC_1_0_0_4712", "OAREXEC_2_0_0_4711", "OAREXEC_3_0_0_4711", "OAREXEC_9_0_0_4711",
    ])
  func forged(_ word: String) async throws {
    let stage = try await stage()
    try stage.other.submit(2, cores: 4)
    try stage.other.submit(3)
    try stage.other.write("UPDATE jobs SET state = 'Error' WHERE job_id = 3")
    await stage.hear("Qsub", word)
    // The right word comes after it: had the forged one called anybody, that would stand first.
    await stage.hear("OAREXEC_1_0_0_4711")
    #expect(try await stage.calls(1) == ["bipbip 1 0 0 4711"])
    try await stage.end()
  }

  @Test("the same end said again and again is written down by one program at a time")
  func repeated() async throws {
    let stage = try await stage()
    await stage.act { controller in
      for _ in 0..<200 { controller.hearWord("OAREXEC_1_0_0_4711") }
    }
    #expect(try await stage.calls(1).count < 10)
    try await stage.end()
  }

  @Test("oardel of such a job, by OAR's command, calls Leon")
  func delete() async throws {
    let stage = try await stage()
    try stage.other.write("INSERT INTO frag_jobs (frag_id_job, frag_date) VALUES (1, 1000)")
    await stage.hear("Qdel")
    #expect(try await stage.calls(1) == ["Leon "])
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "LEON")
    #expect(await stage.said() == [])
    try await stage.end()
  }

  @Test("walltimes of such jobs are watched as sarko does")
  func walltime() async throws {
    let stage = try await stage()
    await stage.act { $0.watchOARsJobs(at: time(nil) + 4000) }
    #expect(try await stage.calls(1) == ["Leon "])
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "LEON")
    #expect(
      try stage.other.read("SELECT type FROM event_logs ORDER BY event_id")
        == "FRAG_JOB_REQUEST WALLTIME")
    // It does not end: it is told again, then given up.
    await stage.act { $0.watchOARsJobs(at: time(nil) + 100) }
    #expect(try await stage.calls(2) == ["Leon ", "Leon "])
    await stage.act { $0.watchOARsJobs(at: time(nil) + 9000) }
    #expect(try await stage.calls(3).last == "Leon 1")
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "LEON_EXTERMINATE")
    try stage.other.event("EXTERMINATE_JOB", 1)
    await stage.hear("ChState")
    #expect(try stage.other.state(1) == "Error")
    #expect(
      try stage.other.read("SELECT state FROM resources WHERE resource_id < 3")
        == "Suspected Suspected")
    try await stage.end()
  }

  @Test(
    "such a job is told to save its work before its walltime, and gets signals, by OAR's oardel")
  func signals() async throws {
    let stage = try await SharedStage({
      try $0.run(1, on: [1, 2])
      try $0.write("UPDATE jobs SET checkpoint = 600")
    })
    await stage.connect("node1")
    await stage.act { $0.watchOARsJobs(at: time(nil) + 2000) }
    await stage.act { $0.watchOARsJobs(at: time(nil) + 3100) }
    await stage.act { $0.watchOARsJobs(at: time(nil) + 3110) }
    try await stage.act { controller in
      var outcome = Outcome()
      try controller.state.act(
        .signal("sigusr1"), on: 1, by: alice, settings: controller.settings, at: time(nil), &outcome
      )
      controller.commit(outcome)
    }
    #expect(try await stage.calls(2) == ["oardel -c 1", "oardel -s USR1 1"])
    #expect(
      try stage.other.read("SELECT type FROM event_logs ORDER BY event_id")
        == "CHECKPOINT SIGNAL_SIGUSR1")
    try await stage.end()
  }

  @Test(
    "a job that OAR left finishing ends as its row says, when its hosts are clean",
    arguments: [("256", "Terminated"), ("NULL", "Error")])
  func leftFinishing(_ status: String, _ state: String) async throws {
    let stage = try await SharedStage({
      try $0.run(1, on: [1, 2, 3], state: "Finishing")
      try $0.write("UPDATE jobs SET exit_code = \(status), stop_time = 2000000000")
    })
    await stage.connect("node1")
    await stage.connect("node2")
    await stage.hear("BipBip")
    _ = await stage.said()
    await stage.act { $0.watchOARsJobs(at: time(nil) + 200) }
    #expect(await stage.said() == [])
    await stage.act { $0.watchOARsJobs(at: time(nil) + 310) }
    #expect(await stage.said() == ["node1: release 1", "node2: release 1"])
    await stage.report(.released(1), from: "node1")
    #expect(try stage.other.state(1) == "Finishing")
    await stage.report(.released(1), from: "node2")
    #expect(try stage.other.state(1) == state)
    #expect(try stage.other.read("SELECT quote(exit_code) FROM jobs") == status)
    #expect(try stage.other.read("SELECT stop_time FROM jobs") == "2000000000")
    try await stage.end()
  }

  @Test("a deploy job is started by bipbip, and a failure of its hosts submits it not again")
  func deploy() async throws {
    let stage = try await SharedStage()
    await stage.connect("node1")
    _ = await stage.said()
    try stage.other.submit(1, types: ["deploy"])
    await stage.hear("Qsub")
    #expect(try await stage.calls(1) == ["bipbip 1"])
    #expect(await stage.said() == [])
    try stage.other.write("UPDATE jobs SET state = 'Running' WHERE job_id = 1")
    await stage.hear("BipBip")
    #expect(await stage.state(of: 1) == .running)
    try stage.other.event("LAUNCHING_OAREXEC_TIMEOUT", 1)
    await stage.hear("ChState")
    #expect(try stage.other.state(1) == "Error")
    #expect(try stage.other.read("SELECT count(*) FROM jobs") == "1")
    try await stage.end()
  }

  @Test("a host that fails a passive job has it submitted again with an id of the database")
  func again() async throws {
    let stage = try await stage("Launching")
    try stage.other.write(
      """
      INSERT INTO event_logs (event_id, type, job_id, date, description)
        VALUES (50, 'CPUSET_ERROR', 1, 1000, 'x');
      INSERT INTO event_log_hostnames (event_id, hostname) VALUES (50, 'node1');
      """)
    await stage.hear("ChState")
    #expect(try stage.other.state(1) == "Error")
    #expect(
      try stage.other.read(
        "SELECT job_id > 1 FROM jobs WHERE resubmit_job_id = 1") == "1")
    #expect(
      try stage.other.read("SELECT quote(notify) || message FROM jobs WHERE resubmit_job_id = 1")
        .hasPrefix("''R=2,W=1:0:0,J=B"))
    #expect(
      try stage.other.read("SELECT state FROM resources WHERE resource_id < 3")
        == "Suspected Suspected")
    #expect(
      try stage.other.read("SELECT DISTINCT state FROM queues") == "Active")
    try await stage.end()
  }
}

extension OARJobTests {
  @Test("a deploy job that ends before its start was seen ends all the same")
  func endsAtOnce() async throws {
    let stage = try await SharedStage()
    await stage.connect("node1")
    await stage.connect("node2")
    try stage.other.submit(1, types: ["deploy"])
    await stage.hear("Qsub")
    #expect(try await stage.calls(1) == ["bipbip 1"])
    #expect(await stage.state(of: 1) == .toLaunch)
    await stage.hear("OAREXEC_1_0_768_4711")
    #expect(try await stage.calls(2) == ["bipbip 1", "bipbip 1 0 768 4711"])
    try await stage.end()
  }
}

@Suite("The shared port") struct SharedPortTests {
  /// The test's end of a connection to the port.
  private func connect(to stage: SharedStage) async throws -> Int32 {
    var pair: [Int32] = [0, 0]
    // What other tests start must not hold the ends open.
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
    let far = pair[1]
    await stage.act {
      // Here the machine may be busy with other tests for long.
      $0.withOAR2?.connections?.patience = 3600
      $0.withOAR2?.connections?.add(far)
    }
    return pair[0]
  }

  private func say(_ bytes: [UInt8], on descriptor: Int32) -> Int {
    send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  @Test("words and our commands share the port, told apart by the first byte")
  func both() async throws {
    let stage = try await SharedStage()
    let word = try await connect(to: stage)
    let command = try await connect(to: stage)
    defer { close(command) }
    try stage.other.submit(1)
    #expect(say(Array("Qsub\n".utf8), on: word) == 5)
    close(word)
    while await stage.state(of: 1) == nil { await Task.yield() }
    #expect(say(ServerConnection.opening, on: command) > 0)
    var reader = FrameReader()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(command, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { reader.append(buffer.prefix(count)) }
      try #require(count != 0)
      if case .message? = try reader.next() { break }
      await Task.yield()
    }
    try await stage.end()
  }

  @Test("garbage, floods and silence end nobody else's words")
  func floods() async throws {
    let stage = try await SharedStage()
    var silent: [Int32] = []
    for _ in 0..<(WordLimits.connections + 20) { silent.append(try await connect(to: stage)) }
    defer { for descriptor in silent { close(descriptor) } }
    let flood = try await connect(to: stage)
    var block = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
    block[0] = 0xff
    _ = send(flood, block, block.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    close(flood)
    try stage.other.submit(1)
    let word = try await connect(to: stage)
    #expect(say(Array("Qsub\r\n".utf8), on: word) == 6)
    close(word)
    while await stage.state(of: 1) == nil { await Task.yield() }
    // The oldest of the silent ones gave way.
    var byte: UInt8 = 0
    #expect(recv(silent[0], &byte, 1, Int32(MSG_DONTWAIT)) == 0)
    try await stage.end()
  }
}
