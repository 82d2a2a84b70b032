// Commands of users that are told of their jobs, with a played ssh that notes how it was called.

import Glibc
import Testing
import Wire

@testable import Controller

@Suite("Commands that users are told by") struct UserCommandTests {
  @Test("exec: names a command and its words, tags in brackets say when; all else is no command")
  func parsing() {
    let plain = UserCommand("exec:/bin/tell a  b")
    #expect(plain?.words == ["/bin/tell", "a", "b"] && plain?.tags.isEmpty == true)
    #expect(UserCommand("[RUNNING,END]exec:/bin/tell")?.tags == ["RUNNING", "END"])
    for text in ["", "mail:alice@example.org", "exec:", "exec: ", "[END", "[END]mail:a@b.c"] {
      #expect(UserCommand(text) == nil, "\(text)")
    }
  }

  @Test(
    "words go to the host as they are, each with its end, and the line of its shell is always the same"
  )
  func words() {
    let input = UserCommand.input(["/bin/tell", "$(id); a'b", "7"], as: "alice")
    #expect(
      String(decoding: input, as: UTF8.self)
        == "OARDO_BECOME_USER=alice\0oardodo\0/bin/tell\0$(id); a'b\0" + "7\0")
    #expect(!UserCommand.script.contains("alice"))
  }

  @Test("a command is told that its job runs and how it ended, on the host of the submission")
  func told() async throws {
    let folder = try SiteProgram.makeFolder()
    try SiteProgram.write(
      folder + "/ssh", "{ echo \"$*\"; tr '\\0' '|'; echo; } >>\(folder)/calls")
    let stage = try await SharedStage(configuration: "OPENSSH_CMD=\"\(folder)/ssh -p 6667\"\n")
    await stage.connect("node1")
    await stage.connect("node2")
    try stage.other.submit(1, ["notify": "'exec:/bin/tell x'", "job_name": "'my job'"])
    try stage.other.submit(2, ["notify": "'[END]exec:/bin/tell'", "job_user": "'root'"])
    try stage.other.submit(3, ["notify": "'mail:alice'"])
    await stage.hear("Qsub")
    for job in 1...3 {
      let attempt = AttemptID(job: job, number: 1)
      let host = try #require(await stage.act { $0.executions[job]?.head })
      await stage.report(.attempt(attempt, .running(pid: 9, since: time(nil))), from: host)
      await stage.report(
        .attempt(attempt, .ended(status: 0, cause: .command, at: time(nil))), from: host)
    }
    let events = "SELECT description FROM event_logs WHERE type = 'USER_EXEC_NOTIFICATION'"
    try await eventually { try stage.other.read("SELECT count(*) FROM (\(events))") == "2" }
    #expect(
      try stage.other.read(events + " AND job_id = 1 ORDER BY event_id")
        == "RUNNING told to /bin/tell x: done END told to /bin/tell x: done")
    let calls = SiteProgram.lines(folder + "/calls")
    #expect(calls.count == 4)
    #expect(calls.first == "-p 6667 -x -T -o BatchMode=yes -l oar frontend \(UserCommand.script)")
    #expect(
      calls[1]
        == "OARDO_BECOME_USER=alice|oardodo|/bin/tell|x|1|my job|RUNNING|Job is running.|")
    #expect(calls[3].hasSuffix("|END|Job stopped normally.|"))
    try await stage.end()
    SiteProgram.remove(folder)
  }

  @Test("a command that fails is an event, and who asked for a deletion is told")
  func failed() async throws {
    let stage = try await SharedStage(configuration: "OPENSSH_CMD=\"/bin/false\"\n")
    try stage.other.submit(1, ["notify": "'[INFO]exec:/bin/tell'"], cores: 4)
    await stage.hear("Qsub")
    try stage.other.write("INSERT INTO frag_jobs (frag_id_job, frag_date) VALUES (1, 1000)")
    try stage.other.event("FRAG_JOB_REQUEST", 1)
    await stage.hear("Qdel")
    let events = "SELECT description FROM event_logs WHERE type = 'USER_EXEC_NOTIFICATION_ERROR'"
    try await eventually {
      try stage.other.read(events) == "INFO told to /bin/tell: ended with exit code 1"
    }
    try await stage.end()
  }
}
