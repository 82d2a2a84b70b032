// The command line of kamelot.

import CommandLine
import Glibc
import PlannerCommands
import Testing

private let scenario = """
  {"now": 0, "platform": {"resources": 2, "unit": "core", "levels": {}}, "jobs": [
    {"id": 1, "moldables": [{"walltime": 60, "groups": [{"levels": [["core", 2]]}]}]},
    {"id": 2, "moldables": [{"walltime": 60, "groups": [{"levels": [["core", 1]]}]}]}]}
  """

private struct NoServer: Error {}

/// Runs kamelot with a text as its standard input.
private func kamelot(
  _ arguments: String..., input: String = scenario
) throws -> (code: Int32, output: String, errors: String) {
  var ends: [Int32] = [0, 0]
  try #require(pipe(&ends) == 0)
  defer { close(ends[0]) }
  let isWritten = writeAll(Array(input.utf8), to: ends[1])
  close(ends[1])
  try #require(isWritten)
  let context = CommandContext(
    words: ["kamelot"] + arguments, output: TextStream(), errors: TextStream(), input: ends[0],
    variable: { _ in nil }, connect: { _ in throw NoServer() })
  let code = KamelotCommand.call(in: context)
  return (code, context.output.captured, context.errors.captured)
}

struct KamelotCommandTests {
  @Test("a scenario from the standard input is planned, with a time for each repetition")
  func plans() throws {
    let result = try kamelot("--scenario", "-", "--repeat=3")
    #expect(result.code == 0 && result.errors.isEmpty)
    #expect(
      result.output.hasPrefix(
        """
        {"plan":[
        {"job":1,"start":0,"end":119,"moldable":0,"resources":"1-2"},
        {"job":2,"start":120,"end":239,"moldable":0,"resources":"1"}
        ],
        "waiting":[],
        "timing":{"load_ms":
        """))
    let times = try #require(result.output.firstMatch(of: #/"plan_ms":\[(.*)\]/#))
    #expect(times.1.split(separator: ",").count == 3)
  }

  @Test("a job is explained, and one that does not wait is refused")
  func explains() throws {
    let result = try kamelot("--scenario=-", "--explain=2")
    #expect(result.code == 0)
    #expect(result.output.contains(#""explain":{"job":2,"reason":{"kind":"resources""#))
    let unknown = try kamelot("--scenario=-", "--explain=9")
    #expect(unknown.code == 1 && unknown.output.isEmpty)
    #expect(unknown.errors.contains("no job 9 waits in this scenario"))
  }

  @Test("the last jobs are planned on top of the others, with times of their own")
  func plansLast() throws {
    let result = try kamelot("--scenario=-", "--last=1", "--repeat=2")
    #expect(result.code == 0)
    #expect(
      result.output.contains(#"{"job":2,"start":120,"end":239,"moldable":0,"resources":"1"}"#))
    let times = try #require(result.output.firstMatch(of: #/"join_ms":\[(.*)\]/#))
    #expect(times.1.split(separator: ",").count == 2)
  }

  @Test("more last jobs than there are end with 64, even if none waits")
  func tooManyLast() throws {
    let many = try kamelot("--scenario=-", "--last=3")
    #expect(many.code == 64 && many.errors.contains("from 1 to the 2 jobs that wait, not 3"))
    let empty =
      #"{"now": 0, "platform": {"resources": 2, "unit": "core", "levels": {}}, "jobs": []}"#
    let none = try kamelot("--scenario=-", "--last=1", input: empty)
    #expect(none.code == 64 && none.errors.contains("the 0 jobs that wait"))
  }

  @Test("a scenario that can't be read ends with 1 and a message that names the place")
  func badScenario() throws {
    let broken = try kamelot("--scenario", "-", input: #"{"now": 0, "jbs": []}"#)
    #expect(broken.code == 1 && broken.output.isEmpty)
    #expect(broken.errors.contains(#"unknown key "jbs""#))
    #expect(broken.errors.contains("(line 1, column 12)"))
    let missing = try kamelot("--scenario", "/nowhere/at/all")
    #expect(missing.code == 1)
    #expect(missing.errors.contains("/nowhere/at/all can't be read"))
  }

  @Test(
    "wrong options end with 64 and say what is wrong",
    arguments: [
      ([], "--scenario=FILE"), (["--scenario=-", "--repeat=0"], "from 1 to 1000, not 0"),
      (["--scenario=-", "--repeat=x"], "number expected"), (["--what"], "Unknown option: what"),
      (["--scenario=-", "night.json"], "night.json"),
    ])
  func usage(arguments: [String], says: String) throws {
    let context = CommandContext(
      words: ["kamelot"] + arguments, output: TextStream(), errors: TextStream(), input: -1,
      variable: { _ in nil }, connect: { _ in throw NoServer() })
    #expect(KamelotCommand.call(in: context) == 64)
    #expect(context.output.captured.isEmpty)
    #expect(context.errors.captured.contains(says))
  }
}
