// Plug-ins that are programs: the examples, and programs that misbehave.

import ClusterModel
import CommandLine
import Glibc
import Kamelot
import Testing

@testable import PlannerCommands

/// Where the examples are.
private let examples =
  #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  .joined(separator: "/") + "/Examples/plugins"

private struct NoServer: Error {}

/// Plans a scenario of four cores, of which the second is busy until 100, with some plug-ins.
private func plan(
  _ jobs: String, plugins: [String]
) throws -> (code: Int32, output: String, errors: String) {
  let scenario = """
    {"now": 10, "platform": {"resources": 4}, "config": {"SCHEDULER_JOB_SECURITY_TIME": 0}, "jobs": [
      {"id": 99, "state": "Running", "start_time": 0, "assigned": {"resources": "2"},
        "moldables": [{"walltime": 100, "groups": [{"levels": [["core", 1]]}]}]}, \(jobs)]}
    """
  var ends: [Int32] = [0, 0]
  try #require(pipe(&ends) == 0)
  defer { close(ends[0]) }
  let isWritten = writeAll(Array(scenario.utf8), to: ends[1])
  close(ends[1])
  try #require(isWritten)
  let context = CommandContext(
    words: ["kamelot", "--scenario=-"] + plugins.map { "--plugin=\($0)" }, output: TextStream(),
    errors: TextStream(), input: ends[0], variable: { _ in nil },
    connect: { _ in throw NoServer() })
  let code = KamelotCommand.call(in: context)
  return (code, context.output.captured, context.errors.captured)
}

private func job(
  _ id: Int, _ cores: Int, types: String = "{}", walltime: Int = 50, user: String = ""
) -> String {
  """
  {"id": \(id), "types": \(types), "user": "\(user)",
    "moldables": [{"walltime": \(walltime), "groups": [{"levels": [["core", \(cores)]]}]}]}
  """
}

struct PluginProgramTests {
  @Test("the example that finds gives jobs resources in a row")
  func contiguous() throws {
    let result = try plan(
      [
        job(1, 3, types: #"{"find": "row"}"#), job(2, 3),
        job(3, 2, types: #"{"find": "row:aligned"}"#),
      ].joined(separator: ","),
      plugins: ["find:row=\(examples)/contiguous.py"])
    #expect(result.code == 0 && result.errors.isEmpty)
    #expect(
      result.output.hasPrefix(
        """
        {"plan":[
        {"job":1,"start":100,"end":149,"moldable":0,"resources":"1-3"},
        {"job":2,"start":10,"end":59,"moldable":0,"resources":"1,3-4"},
        {"job":3,"start":150,"end":199,"moldable":0,"resources":"1-2"}
        ],
        """), "\(result.output)")
  }

  @Test("the example that assigns starts jobs on the hour, or at the steps that it is told")
  func hourly() throws {
    let result = try plan(
      [
        job(1, 4, types: #"{"assign": "hourly"}"#), job(2, 4),
        job(3, 4, types: #"{"assign": "hourly:every=60"}"#),
      ].joined(separator: ","),
      plugins: ["assign:hourly=python3 \(examples)/hourly.py"])
    #expect(result.code == 0 && result.errors.isEmpty)
    #expect(
      result.output.hasPrefix(
        """
        {"plan":[
        {"job":1,"start":3600,"end":3649,"moldable":0,"resources":"1-4"},
        {"job":2,"start":100,"end":149,"moldable":0,"resources":"1-4"},
        {"job":3,"start":180,"end":229,"moldable":0,"resources":"1-4"}
        ],
        """), "\(result.output)")
  }

  @Test("the examples that sort and leave out jobs decide about all of them")
  func wholePlans() throws {
    let jobs = [job(1, 3, user: "ann"), job(2, 3, walltime: 20, user: "bob")].joined(separator: ",")
    let sorted = try plan(jobs, plugins: ["sort:s=\(examples)/shortest_first.py"])
    #expect(sorted.code == 0 && sorted.errors.isEmpty)
    #expect(sorted.output.contains(#"{"job":2,"start":10,"end":29,"#), "\(sorted.output)")
    #expect(sorted.output.contains(#"{"job":1,"start":30,"end":79,"#), "\(sorted.output)")
    let more = jobs + "," + job(3, 1, user: "ann")
    let less = try plan(more, plugins: ["extra:one=\(examples)/one_a_user.py"])
    #expect(less.code == 0 && less.errors.isEmpty)
    #expect(
      less.output.contains(
        #"{"job":3,"reason":{"kind":"plugin","text":"The extra pass \"one\" left it out: "#
          + #"another job of its user is ahead of it."}}"#), "\(less.output)")
  }

  @Test(
    "a program that can't be started, ends or babbles harms the jobs that want it alone",
    arguments: [
      ("/nowhere/at/all", "can't be started: No such file"), ("true", "it ended"),
      ("sed -u s/.*/hello/", "it must be an object, not hello"), ("yes", "more than one line"),
    ])
  func misbehaving(program: String, says: String) throws {
    let jobs = [
      job(1, 1, types: #"{"find": "odd"}"#), job(2, 1), job(3, 1, types: #"{"find": "odd"}"#),
    ]
    let result = try plan(jobs.joined(separator: ","), plugins: ["find:odd=\(program)"])
    #expect(result.code == 0)
    #expect(result.output.contains(#"{"job":2,"start":10,"#))
    #expect(result.output.contains(#"{"job":1,"reason":{"kind":"plugin""#))
    #expect(result.output.contains(says), "\(result.output)")
    #expect(result.output.contains("it was ended before"))
  }

  @Test("sorters and extra passes that fail are passed over, with a warning")
  func warnings() throws {
    let result = try plan(
      [job(1, 1), job(2, 1)].joined(separator: ","), plugins: ["sort:s=true", "extra:e=true"])
    #expect(result.code == 0)
    #expect(result.output.contains(#"{"job":2,"start":10,"#))
    #expect(result.errors.contains("[WARNING] The plug-in that sorts was passed over for default"))
    #expect(result.errors.contains("[WARNING] The extra pass \"e\" was passed over"))
  }

  @Test("a program that is late is ended and not asked again")
  func late() throws {
    let process = PluginProcess(["sleep", "1000"], patience: 0.05)
    let first = #expect(throws: PluginError.self) { try process.ask(Array("{}\n".utf8)) }
    #expect(first?.description == "it did not answer within 0.05 s")
    let second = #expect(throws: PluginError.self) { try process.ask(Array("{}\n".utf8)) }
    #expect(second?.description == "it was ended before: it did not answer within 0.05 s")
  }

  @Test("questions and answers may be longer than what a socket holds")
  func long() throws {
    let process = PluginProcess(["cat"])
    let question = [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20) + Array("\n".utf8)
    #expect(try process.ask(question) == Array(question.dropLast()))
    #expect(try process.ask(Array("y\n".utf8)) == Array("y".utf8))
  }

  @Test("an answer without an end is cut off")
  func endless() throws {
    let process = PluginProcess(["cat", "/dev/zero"])
    let error = #expect(throws: PluginError.self) { try process.ask(Array("{}\n".utf8)) }
    #expect(error?.description.contains("longer than") == true, "\(error?.description ?? "")")
  }

  @Test("a program can be interrupted, whatever signals its planner has blocked")
  func signals() throws {
    var blocked = sigset_t()
    var before = sigset_t()
    sigemptyset(&blocked)
    sigaddset(&blocked, SIGTERM)
    try #require(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let process = PluginProcess(["sh", "-c", "read question; grep SigBlk /proc/self/status"])
    defer { process.end(because: "") }
    let answer = String(decoding: try process.ask(Array("?\n".utf8)), as: UTF8.self)
    #expect(answer == "SigBlk:\t0000000000000000")
  }

  @Test(
    "options that name no plug-in, or one twice, are refused",
    arguments: [
      ["row=x"], ["find:row"], ["find:=x"], ["look:row=x"], ["find:row="],
      ["find:a=x", "find:a=y"], ["sort:a=x", "sort:b=y"],
    ])
  func options(plugins: [String]) throws {
    let result = try plan(job(1, 1), plugins: plugins)
    #expect(result.code == 64)
    #expect(result.errors.contains("--plugin"))
  }
}
