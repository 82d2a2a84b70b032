// What is wrong with a document is said, and a job that is wrong harms no other.

import ClusterModel
import Scenarios
import Testing

private let platform = #""platform": {"resources": 4, "unit": "core", "levels": {}}"#

struct RefusalTests {
  @Test(
    "an unknown key is refused wherever it stands, with its name and place",
    arguments: [
      ("", #""clock": 1"#, #"unknown key "clock"; allowed: name, now"#),
      ("jobs[0]", #""jobs": [{"usr": "u1"}]"#, #"unknown key "usr""#),
      ("jobs[0].moldables[1]", #""jobs": [{"moldables": [{}, {"waltime": 1}]}]"#, "waltime"),
      (
        "jobs[0].moldables[0].groups[0]", #""jobs": [{"moldables": [{"groups": [{"x": 1}]}]}]"#, "x"
      ),
      ("jobs[0].reservation", #""jobs": [{"reservation": {"end": 1}}]"#, "allowed: start"),
      (
        "jobs[0].assigned", #""jobs": [{"assigned": {"ids": "1"}}]"#, "allowed: moldable, resources"
      ),
      ("queues[0]", #""jobs": [], "queues": [{"nme": "a"}]"#, "allowed: name, priority"),
      ("karma", #""jobs": [], "karma": {"groups": {}}"#, "allowed: users, projects"),
    ])
  func unknownKeys(place: String, text: String, names: String) throws {
    let refused = try #require(refusal(of: #"{"now": 0, \#(platform), \#(text)}"#))
    #expect(refused.hasPrefix(place.isEmpty ? "unknown key" : place + ": "), "\(refused)")
    #expect(refused.contains(names), "\(refused)")
  }

  @Test("an unknown key is found even in a job that can't be used for another reason")
  func unknownKeyInBadJob() throws {
    let jobs = #"{"id": 1, "user": 5, "moldables": [{"walltime": -1, "grups": []}]}"#
    let refused = try #require(refusal(of: #"{"now": 0, \#(platform), "jobs": [\#(jobs)]}"#))
    #expect(refused.hasPrefix(#"jobs[0].moldables[0]: unknown key "grups""#), "\(refused)")
  }

  @Test("the level of a platform's short form and a key that stands twice are refused too")
  func otherKeys() throws {
    let size = #"{"now": 0, "jobs": [], "platform": {"resources": 1, "size": 2}}"#
    #expect(refusal(of: size)?.hasPrefix(#"platform: unknown key "size""#) == true)
    let twice = #"{"now": 0, "now": 1, \#(platform), "jobs": []}"#
    #expect(refusal(of: twice)?.hasPrefix(#"the key "now" stands there twice"#) == true)
    let column = #"{"now": 0, "jobs": [], "resources": [{"resource_id": 1}]}"#
    #expect(refusal(of: column)?.contains(#"the id is called "id""#) == true)
  }

  @Test(
    "text that is not JSON is refused with the line and column",
    arguments: [
      ("", "must be an object, not the end of the document"),
      ("{\"now\": 0,\n \"jobs\": [}", "line 2, column 11"),
      ("{\"now\": 0,\n \"jobs\": [", "line 2, column 11"),
      ("{\"now\": 01}", "does not begin with 0"),
      ("{\"now\" 0}", "a colon must follow"), ("{now: 0}", "a key in quotes"),
      ("{\"name\": \"a", "closing quote"), ("{\"name\": \"\\q\"}", "unknown escape"),
      ("{\"name\": \"a\nb\"}", "control character"), ("{\"name\": tru}", "name"),
      ("{\"karma\": {\"users\": {\"u\": 1.}}}", "a digit is missing"),
      ("{\"now\": 0} x", "goes on after its end"), ("[]", "must be an object"),
      (String(repeating: "[", count: 100_000), "object"),
      ("{\"quotas\": " + String(repeating: "[", count: 100_000), "nested deeper than 64"),
    ])
  func notJSON(text: String, says: String) throws {
    let refused = try #require(refusal(of: text))
    #expect(refused.contains(says), "\(refused)")
  }

  @Test(
    "a document that lacks something or holds values that can't be used is refused",
    arguments: [
      (#""jobs": []"#, #"needs either "resources" or "platform""#),
      (#"\#(platform), "resources": [], "jobs": []"#, #"needs either "resources" or "platform""#),
      (platform, #"the key "jobs" is missing"#),
      (#""jobs": [], "platform": {"unit": "core"}"#, #"the key "resources" is missing"#),
      (
        #""jobs": [], "platform": {"resources": 0}"#,
        "platform.resources: it must be a whole number"
      ),
      (#""jobs": [], "platform": {"resources": 1, "unit": "state"}"#, #""state" can't be a level"#),
      (#""jobs": [], "platform": {"resources": 1, "levels": {"cpu": 0}}"#, "platform.levels.cpu"),
      (
        #""jobs": [], "resources": [{"id": 1}, {"id": 1}]"#,
        "resources[1]: there are two resources 1"
      ),
      (#""jobs": [], "resources": [{"core": 1}]"#, "resources[0]: the resource has no id"),
      (
        #""jobs": [], "resources": [{"id": 1, "state": "Up"}]"#,
        #"Alive, Absent, Suspected, Dead, not "Up""#
      ),
      (#""jobs": [], "resources": [{"id": 1, "drain": 1}]"#, #"must be "YES" or "NO", not 1"#),
      (#""jobs": [], "resources": [{"id": 1}], "hierarchy": ["cpu"]"#, #"property "cpu""#),
      (#"\#(platform), "hierarchy": ["core"], "jobs": []"#, #""hierarchy" belongs to"#),
      (#"\#(platform), "jobs": {}"#, "jobs: it must be a list, not an object"),
      (#"\#(platform), "jobs": [], "queues": [{"priority": 1}]"#, "the queue has no name"),
      (#"\#(platform), "jobs": [], "queues": [{"name": "a"}, {"name": "a"}]"#, #"two queues "a""#),
      (
        #"\#(platform), "jobs": [], "config": {"SCHEDULER_JOB_SECURITY_TIME": -1}"#,
        #"SCHEDULER_JOB_SECURITY_TIME="-1""#
      ),
      (
        #"\#(platform), "jobs": [], "config": {"SCHEDULER_RESOURCE_ORDER": "core UP"}"#,
        #"SCHEDULER_RESOURCE_ORDER="core UP""#
      ),
    ])
  func badDocuments(text: String, says: String) throws {
    let refused = try #require(refusal(of: #"{"now": 0, \#(text)}"#))
    #expect(refused.contains(says), "\(refused)")
  }

  @Test("the clock is needed, and an instant")
  func clock() {
    #expect(refusal(of: #"{\#(platform), "jobs": []}"#)?.contains(#""now" is missing"#) == true)
    let text = #"{"now": "today", \#(platform), "jobs": []}"#
    #expect(refusal(of: text)?.hasPrefix("now: it must be a whole number from 0") == true)
  }

  @Test(
    "a job that can't be understood is set aside with a reason, and the others are planned",
    arguments: [
      (#""user": 5"#, "user: it must be a text, not 5"),
      (#""state": "Sleeping""#, #"not "Sleeping""#),
      (#""types": ["besteffort"]"#, "types: it must be an object, not a list"),
      (#""types": {"a": []}"#, "types.a: it must be a text or a whole number, not a list"),
      (#""dependencies": [1, "2"]"#, #"dependencies[1]: it must be a whole number, not "2""#),
      (#""submission_time": 1.5"#, "submission_time: it must be a whole number"),
      (#""reservation": {}"#, #"reservation: the key "start" is missing"#),
      (#""assigned": {"resources": "4-1"}"#, #"such as "1-4,7", not "4-1""#),
      (#""assigned": {"resources": "1,1"}"#, #"not "1,1""#),
      (#""assigned": {"resources": "1-9999999999"}"#, "assigned.resources"),
      (#""state": "Running", "assigned": {"resources": "1"}"#, #"needs "start_time""#),
      (#""state": "Running", "start_time": 1"#, #"Running needs "assigned""#),
      (
        #""state": "Running", "start_time": 1, "assigned": {"moldable": 3, "resources": "1"}"#,
        "the job has no moldable 3"
      ),
    ])
  func badJobs(text: String, says: String) throws {
    let read = try scenario(jobs: [job(1), job(2, text), job(3)].joined(separator: ","))
    #expect(read.problem(of: 2)?.contains(says) == true, "\(read.problem(of: 2) ?? "")")
    let printed = try PrintedPlan(read)
    #expect(printed.plan.map(\.job) == [1, 3])
    #expect(printed.waiting.map(\.job) == [2])
    #expect(printed.waiting.first?.reason.kind == .malformed)
  }

  @Test(
    "a job whose request can't be understood is set aside",
    arguments: [
      ("[]", "the job has no moldables"), ("7", "moldables: it must be a list, not 7"),
      (
        #"[{"groups": [{"levels": [["core", 1]]}]}]"#,
        #"moldables[0]: the key "walltime" is missing"#
      ),
      (
        #"[{"walltime": -60, "groups": [{"levels": [["core", 1]]}]}]"#,
        "moldables[0].walltime: it must be a whole number from 1 to 2147483647, not -60"
      ),
      (#"[{"walltime": 99999999999999999999, "groups": []}]"#, "moldables[0].walltime"),
      (#"[{"walltime": 60}]"#, #"the key "groups" is missing"#),
      (#"[{"walltime": 60, "groups": [{"levels": []}]}]"#, #"groups[0]: the key "levels""#),
      (
        #"[{"walltime": 60, "groups": [{"levels": [["core"]]}]}]"#,
        "a level is a property and a count"
      ),
      (#"[{"walltime": 60, "groups": [{"levels": [["core", 1, 2]]}]}]"#, "nothing follows them"),
      (
        #"[{"walltime": 60, "groups": [{"levels": [["core", 0]]}]}]"#, "a count from 1, or -1 (ALL)"
      ),
      (#"[{"walltime": 60, "groups": [{"levels": [["core", -4]]}]}]"#, "levels[0][1]"),
    ])
  func badRequests(moldables: String, says: String) throws {
    let read = try scenario(jobs: #"{"id": 2, "moldables": \#(moldables)}, \#(job(3))"#)
    #expect(read.problem(of: 2)?.contains(says) == true, "\(read.problem(of: 2) ?? "")")
    #expect(read.waiting.map(\.id) == [3])
  }

  @Test("a job without an id is set aside by its place, and one with another's id is too")
  func badIDs() throws {
    let read = try scenario(
      jobs: [job(1), job(1, #""user": "u2""#), job(0), "17", #"{"user": "u"}"#, job(2)]
        .joined(separator: ","))
    #expect(read.waiting.map(\.id) == [1, 2])
    #expect(read.problem(of: 1) == "another job has the id 1")
    #expect(read.setAside.map(\.job) == [1, nil, nil, nil])
    #expect(
      read.setAside.map(\.reason.text).dropFirst() == [
        "jobs[2]: id: it must be a whole number from 1, not 0",
        "jobs[3]: it must be an object, not 17", "jobs[4]: the job has no id",
      ])
    let printed = try PrintedPlan(read)
    #expect(printed.plan.map(\.job) == [1, 2])
    #expect(printed.waiting.map(\.job) == [1, nil, nil, nil])
  }

  @Test("a document that is cut short is refused, and one with any wrong byte is read or refused")
  func damage() throws {
    let whole = Array(
      """
      {"now":0,\(platform),"quotas":{"a":[1.5e3,"\\u00e9"]},"karma":{"users":{"u":0.1}},"jobs":[
      \(job(1, #""types":{"a":null},"reservation":{"start":5},"assigned":{"resources":"1-3"}"#))]}
      """.utf8)
    _ = try Scenario(parsing: whole)
    for count in whole.indices {
      #expect(throws: ScenarioError.self) { try Scenario(parsing: Array(whole[..<count])) }
    }
    for index in whole.indices {
      for byte in Array("\"\\{}[]:,-e.0nu".utf8) + [0, 0xFF] {
        var damaged = whole
        damaged[index] = byte
        _ = try? Scenario(parsing: damaged)
      }
    }
  }
}
