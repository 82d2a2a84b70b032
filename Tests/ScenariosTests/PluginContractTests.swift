// The contract `liburna-plugin 1`, line by line: what plug-ins that are programs read and write.

import ClusterModel
import Kamelot
import Scenarios
import Testing

private let platform = Platform(
  resources: (1...4).map { id in
    var resource = Resource(id: id)
    resource.networkAddress = "n\((id + 1) / 2)"
    resource.properties["core"] = .integer(id)
    return resource
  })

private let job: WaitingJob = {
  let groups = [
    RequestGroup(
      properties: "core > 0",
      levels: [RequestLevel("network_address", .all), RequestLevel("core", .exactly(2))])
  ]
  var job = WaitingJob(
    id: 7, user: "ann\"a", queue: "default", types: ["find=row:x"],
    moldables: [Moldable(walltime: 60, groups: groups)])
  job.submissionTime = 900
  return job
}()

private func request() throws -> ResolvedRequest {
  guard case .possible(let request) = platform.resolve(job.moldables[0].groups, properties: "")
  else { throw PluginError("the request is impossible") }
  return request
}

private let jobText =
  #"{"id":7,"user":"ann\"a","project":"default","queue":"default","name":"","properties":"","#
  + #""submission_time":900,"types":["find=row:x"],"moldables":[{"walltime":60,"groups":"#
  + #"[{"properties":"core > 0","levels":[["network_address",-1],["core",2]]}]}]}"#

private let requestText =
  #""need":2,"groups":[{"properties":"core > 0","levels":[["network_address",-1],["core",2]]}],"#
  + #""reach":"1-4","levels":[{"name":"network_address","blocks":["1-2","3-4"]}]"#

struct PluginRequestTests {
  private func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) }

  @Test("a finder reads the job, its arguments, its request and what is free")
  func find() throws {
    let question = FindQuestion(
      job: job, arguments: PluginArguments(plain: ["x"], named: ["b": "2", "a": "1"]), moldable: 0,
      request: try request(), start: 1200, duration: 120,
      free: ResourceSet(capacity: 4, [0, 1, 3]), now: 1000, platform: platform)
    #expect(
      text(PluginRequest.find(question, plugin: "row"))
        == #"{"version":1,"kind":"find","plugin":"row","now":1000,"arguments":["x"],"#
        + #""options":{"a":"1","b":"2"},"job":\#(jobText),"moldable":0,"start":1200,"duration":120,"#
        + #"\#(requestText),"free":"1-2,4"}"# + "\n")
  }

  @Test("an assigner reads its bounds, and what it asked about the plan")
  func assign() throws {
    var question = AssignQuestion(
      job: job, arguments: PluginArguments(), moldable: 0, request: try request(), duration: 120,
      notBefore: 1100, limit: .max, now: 1000, platform: platform)
    let begin =
      #"{"version":1,"kind":"assign","plugin":"a","now":1000,"arguments":[],"options":{},"job":"#
      + #"\#(jobText),"moldable":0,"duration":120,"not_before":1100,"#
    #expect(text(PluginRequest.assign(question, plugin: "a")) == begin + requestText + "}\n")
    question.limit = 5000
    #expect(
      text(PluginRequest.assign(question, plugin: "a"))
        == begin + #""before":5000,"# + requestText + "}\n")
    let spot = PluginSpot(start: 1100, places: ResourceSet(capacity: 4, [2, 3]))
    #expect(
      text(PluginRequest.spot(spot, plugin: "a", on: platform))
        == #"{"version":1,"kind":"spot","plugin":"a","start":1100,"places":"3-4"}"# + "\n")
    #expect(
      text(PluginRequest.spot(nil, plugin: "a", on: platform))
        == #"{"version":1,"kind":"spot","plugin":"a","start":null,"places":null}"# + "\n")
    #expect(
      text(PluginRequest.free(ResourceSet(capacity: 4), plugin: "a", on: platform))
        == #"{"version":1,"kind":"free","plugin":"a","free":""}"# + "\n")
  }

  @Test("a sorter and an extra pass read queues and jobs")
  func groups() {
    #expect(
      text(
        PluginRequest.sort(
          SortQuestion(queues: ["a", "b"], jobs: [job, job], now: 5, platform: platform),
          plugin: "s"))
        == #"{"version":1,"kind":"sort","plugin":"s","now":5,"queues":["a","b"],"jobs":["#
        + "\(jobText),\(jobText)]}\n")
    let placement = Placement(
      job: 3, start: 10, end: 19, moldable: 0, resources: [2, 3], on: platform)
    let question = ExtraQuestion(
      queues: ["a"], jobs: [], placements: [placement], now: 5, platform: platform)
    #expect(
      text(PluginRequest.extra(question, plugin: "e"))
        == #"{"version":1,"kind":"extra","plugin":"e","now":5,"queues":["a"],"jobs":[],"#
        + #""placements":[{"job":3,"start":10,"end":19,"moldable":0,"resources":"2-3"}]}"# + "\n")
  }
}

struct PluginReplyTests {
  private func found(_ text: String) throws -> [Int]? {
    switch try PluginReply.find(Array(text.utf8), on: platform) {
    case .chosen(let places): Array(places)
    case .nothing(let why): why.map { [$0.count] }
    }
  }

  @Test("a finder answers with ids, or with nothing and a reason")
  func find() throws {
    #expect(try found(#"{"places":"1-2,4"}"#) == [0, 1, 3])
    #expect(try found(#" { "places" : "" } "#) == [])
    #expect(try found(#"{"places":null}"#) == nil)
    #expect(try found(#"{"places":null,"reason":"why"}"#) == [3])
  }

  @Test("an assigner answers with a spot or asks about the plan")
  func assign() throws {
    func read(_ text: String) throws -> PluginReply.Assignment {
      try PluginReply.assign(Array(text.utf8), on: platform)
    }
    guard case .answer(.chosen(let spot)) = try read(#"{"start":7200,"places":"2"}"#) else {
      throw PluginError("no spot")
    }
    #expect(spot == PluginSpot(start: 7200, places: ResourceSet(capacity: 4, [1])))
    guard case .start(60) = try read(#"{"start":60}"#),
      case .answer(.nothing("no")) = try read(#"{"start":null,"reason":"no"}"#),
      case .earliest(9) = try read(#"{"ask":"earliest","not_before":9}"#),
      case .spot(9) = try read(#"{"ask":"spot","at":9}"#),
      case .free(9, 11) = try read(#"{"ask":"free","from":9,"to":11}"#)
    else { throw PluginError("an answer is misunderstood") }
  }

  @Test("a sorter answers with ids, an extra pass with jobs and reasons")
  func groups() throws {
    var other = job
    other.id = 3
    #expect(
      try PluginReply.sort(Array(#"{"order":[3,7]}"#.utf8), of: [job, other]) == [1, 0])
    #expect(throws: PluginError.self) {
      try PluginReply.sort(Array(#"{"order":[4]}"#.utf8), of: [job, other])
    }
    let line = Array(#"{"set_aside":[{"job":3,"reason":"full"},{"job":4}]}"#.utf8)
    #expect(try PluginReply.extra(line) == [3: "full", 4: "it gave no reason"])
  }

  @Test(
    "an answer that breaks the contract is an error that says how",
    arguments: [
      ("", "it must be an object"), (#"{"places":"1"} x"#, "goes on after its end"),
      (#"{"places":"2-1"}"#, "\"2-1\" is no list of ids"), (#"{"places":"9"}"#, "not there"),
      (#"{"places":1}"#, "places: it must be a text, not 1"), (#"{}"#, "\"places\" is missing"),
      (#"{"place":"1"}"#, "\"place\" is not in the contract"),
      (#"{"places":"1","start":3}"#, "\"start\", which is not for this question"),
    ])
  func broken(answer: String, says: String) {
    let error = #expect(throws: PluginError.self) {
      try PluginReply.find(Array(answer.utf8), on: platform)
    }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }
}
