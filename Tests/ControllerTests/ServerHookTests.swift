// The site's programs on the server, before a job's hosts are prepared and after its end, with played hosts.

import ClusterModel
import Glibc
import Storage
import Testing
import Wire

@testable import Controller

@Suite("Programs on the server around jobs") struct ServerHookTests {
  /// A server with hooks in a folder of their own, and both hosts.
  private func stage(
    prologue: String?, epilogue: String? = nil, _ more: String = ""
  ) async throws -> (Stage, folder: String) {
    let folder = try SiteProgram.makeFolder()
    var text = "SCHEDULER_JOB_SECURITY_TIME=0\nUSERS_ALLOWED_HOLD_RESUME=yes\n\(more)\n"
    for (name, body) in [("prologue", prologue), ("epilogue", epilogue)] {
      guard let body else { continue }
      let all = body.split(separator: "FOLDER", omittingEmptySubsequences: false)
        .joined(separator: folder)
      try SiteProgram.write("\(folder)/\(name)", all)
      text += "SERVER_\(name.uppercased())_EXEC_FILE=\"\(folder)/\(name)\"\n"
    }
    for name in ["begin", "end"] { try SiteProgram.gate("\(folder)/\(name)") }
    let stage = try await Stage(configuration: text)
    await stage.connect("node1")
    await stage.connect("node2")
    _ = await stage.said()
    return (stage, folder)
  }

  private func submit(_ request: String, to stage: Stage) async throws {
    try await stage.act { controller in
      var outcome = Outcome()
      _ = try controller.state.submit(
        submission(request), by: alice, settings: controller.settings, at: time(nil), &outcome)
      controller.commit(outcome)
    }
  }

  private func running(_ stage: Stage) async {
    await stage.report(
      .attempt(AttemptID(job: 1, number: 1), .running(pid: 9, since: time(nil))), from: "node1")
  }

  private func ended(_ stage: Stage) async {
    await stage.report(
      .attempt(
        AttemptID(job: 1, number: 1), .ended(status: 0, cause: .command, at: time(nil))),
      from: "node1")
  }

  @Test(
    "hosts hear of a job once its prologue has ended, and its resources are free after its epilogue"
  )
  func around() async throws {
    let (stage, folder) = try await stage(
      prologue: """
        echo "$1 $OAR_JOB_ID $OAR_USER $OAR_JOB_NAME:$LIBURNA_JOB_HOSTS" >>FOLDER/calls
        read x <FOLDER/begin
        """,
      epilogue: "echo \"end $1\" >>FOLDER/calls; read x <FOLDER/end")
    try await submit("host=2", to: stage)
    try await eventually { SiteProgram.lines(folder + "/calls") == ["1 1 alice :node1 node2"] }
    #expect(await stage.state(of: 1) == .launching)
    #expect(await stage.said() == [])
    try SiteProgram.open(folder + "/begin")
    var said: [String] = []
    try await eventually {
      said += await stage.said()
      return said == ["node2: prepare 1"]
    }
    await stage.report(.prepared(1), from: "node2")
    #expect(await stage.said() == ["node1: start 1.1"])
    await running(stage)
    #expect(await stage.state(of: 1) == .running)
    await ended(stage)
    await stage.report(.released(1), from: "node2")
    try await eventually { SiteProgram.lines(folder + "/calls").last == "end 1" }
    #expect(await stage.state(of: 1) == .finishing)
    #expect(await stage.act { $0.state.holding } == [1])
    try SiteProgram.open(folder + "/end")
    try await eventually { await stage.state(of: 1) == nil }
    #expect(await stage.events() == ["SWITCH_INTO_TERMINATE_STATE"])
    await stage.end()
    SiteProgram.remove(folder)
  }

  @Test("a job whose prologue fails is submitted again some times, and no queue is stopped")
  func failing() async throws {
    let (stage, folder) = try await stage(prologue: "exit 7", epilogue: "echo $1 >>FOLDER/calls")
    try await submit("core=1", to: stage)
    try await eventually { SiteProgram.lines(folder + "/calls").count == 6 }
    try await eventually { await stage.act { $0.state.jobs.isEmpty } }
    #expect(await stage.submitted().count == 6)
    let events = await stage.events()
    #expect(events.count { $0 == "SERVER_PROLOGUE_EXIT_CODE_ERROR" } == 6)
    #expect(events.count { $0 == "RESUBMIT_JOB_AUTOMATICALLY" } == 5)
    #expect(await stage.act { $0.state.queues.allSatisfy(\.isActive) })
    #expect(await stage.act { $0.state.resources.values.allSatisfy { $0.state == .alive } })
    await stage.end()
    SiteProgram.remove(folder)
  }

  @Test("as many failing prologues in a row as the site says stop the queues, as in OAR")
  func stopping() async throws {
    let (stage, folder) = try await stage(
      prologue: "exit 7", "LIBURNA_SERVER_PROLOGUE_FAILURES=2")
    try await submit("core=1", to: stage)
    try await eventually { await stage.act { $0.state.queues.allSatisfy { !$0.isActive } } }
    try await eventually { await stage.act { $0.hookPrograms.isIdle } }
    #expect(await stage.events().count { $0 == "SERVER_PROLOGUE_EXIT_CODE_ERROR" } == 2)
    #expect(await stage.state(of: 3) == .waiting)
    await stage.end()
    SiteProgram.remove(folder)
  }

  @Test("a prologue that takes too long is ended with all that it started")
  func late() async throws {
    let (stage, folder) = try await stage(
      prologue: "sleep 1000 & echo $! >FOLDER/calls; wait",
      "SERVER_PROLOGUE_EPILOGUE_TIMEOUT=1\nLIBURNA_SERVER_PROLOGUE_FAILURES=1")
    try await submit("core=1", to: stage)
    try await eventually { await stage.events().contains("SERVER_PROLOGUE_TIMEOUT") }
    let child = try #require(SiteProgram.lines(folder + "/calls").first.flatMap { Int32($0) })
    try await eventually { kill(child, 0) != 0 || Self.hasEnded(child) }
    await stage.end()
    SiteProgram.remove(folder)
  }

  /// Whether nobody has taken note yet of a process that has ended.
  private static func hasEnded(_ process: Int32) -> Bool {
    SiteProgram.lines("/proc/\(process)/status").contains { $0.hasPrefix("State:\tZ") }
  }

  @Test("a job that is deleted during its prologue ends after it, and after its epilogue")
  func deleted() async throws {
    let (stage, folder) = try await stage(
      prologue: "echo begun >>FOLDER/calls; read x <FOLDER/begin; echo done >>FOLDER/calls",
      epilogue: "echo epilogue >>FOLDER/calls")
    try await submit("core=1", to: stage)
    try await eventually { SiteProgram.lines(folder + "/calls") == ["begun"] }
    await stage.act { controller in
      var outcome = Outcome()
      controller.state.requestEnd(of: 1, asker: "alice", at: time(nil), &outcome)
      controller.commit(outcome)
    }
    #expect(await stage.act { $0.state.holding } == [1])
    try SiteProgram.open(folder + "/begin")
    try await eventually { await stage.state(of: 1) == nil }
    #expect(SiteProgram.lines(folder + "/calls") == ["begun", "done", "epilogue"])
    #expect(!(await stage.said()).contains { $0.contains("start") })
    await stage.end()
    SiteProgram.remove(folder)
  }

  @Test(
    "a program that fails before a job goes on ends it; one that fails after it stopped lets it go on"
  )
  func suspended() async throws {
    let folder = try SiteProgram.makeFolder()
    for (name, body) in [("after", "exit 3"), ("before", "echo $1 >>\(folder)/calls; exit 4")] {
      try SiteProgram.write("\(folder)/\(name)", body)
    }
    let stage = try await Stage(
      configuration: """
        SCHEDULER_JOB_SECURITY_TIME=0
        JUST_AFTER_SUSPEND_EXEC_FILE="\(folder)/after"
        JUST_BEFORE_RESUME_EXEC_FILE="\(folder)/before"
        """)
    await stage.connect("node1")
    await stage.connect("node2")
    try await submit("core=1", to: stage)
    await running(stage)
    try await stage.act { controller in
      var outcome = Outcome()
      try controller.state.act(
        .hold(running: true), on: 1, by: root, settings: controller.settings, at: time(nil),
        &outcome)
      controller.commit(outcome)
    }
    try await eventually { await stage.events().contains("RESUME_SCRIPT_ERROR") }
    let events = await stage.events()
    #expect(events.contains("SUSPEND_SCRIPT_ERROR"))
    #expect(events.contains("SEND_KILL_JOB"))
    #expect(SiteProgram.lines(folder + "/calls") == ["1"])
    await stage.end()
    SiteProgram.remove(folder)
  }
}
