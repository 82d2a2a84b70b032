// The document of a plan.

import ClusterModel
import Kamelot
import Kao
import Scenarios
import Testing

struct DocumentTests {
  @Test("placements come in the order of the jobs' ids, whether they start now or later")
  func order() throws {
    let read = try scenario(
      jobs: [job(5, cores: 4), job(2, cores: 3), job(9, cores: 9), job(4), job(3, cores: 8)]
        .joined(separator: ","))
    let printed = try PrintedPlan(read)
    #expect(
      printed.plan == [
        Vector.PlannedJob(job: 2, start: 1010, end: 1019, moldable: 0, resources: "1-3"),
        Vector.PlannedJob(job: 4, start: 1010, end: 1019, moldable: 0, resources: "4"),
        Vector.PlannedJob(job: 5, start: 1000, end: 1009, moldable: 0, resources: "1-4"),
      ])
    #expect(printed.waiting.map(\.job) == [3, 9])
    #expect(printed.waiting.map(\.reason.kind) == [.impossible, .impossible])
    #expect(printed.timing.load_ms == 1.234)
    #expect(printed.timing.plan_ms == [0.005, 60.789])
  }

  @Test("the bytes are those of the format, one line a job")
  func bytes() throws {
    let running = #""state": "Running", "start_time": 900, "assigned": {"resources": "3"}"#
    let read = try scenario(jobs: job(7, walltime: 500, running) + "," + job(1, cores: 3))
    let plan = Kao.plan(read.snapshot())
    let bytes = read.document(of: plan, timing: PlanTiming(loading: 0, planning: [1]))
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        {"plan":[
        {"job":1,"start":1000,"end":1009,"moldable":0,"resources":"1-2,4"}
        ],
        "waiting":[],
        "timing":{"load_ms":0.000,"plan_ms":[0.001]}}

        """)
  }

  @Test("besteffort jobs are planned with their whole walltime, security time included")
  func besteffort() throws {
    let text = job(1, walltime: 5000, #""queue": "besteffort", "types": {"besteffort": ""}"#)
    let read = try scenario(jobs: text, config: "")
    #expect(try PrintedPlan(read).plan.map(\.end) == [1000 + 5000 + 60 - 1])
  }

  @Test("texts of reasons survive quotes, backslashes and control characters")
  func escapes() throws {
    let read = try scenario(jobs: job(1))
    var plan = Plan()
    let text = "a \"quoted\" \\ back\u{1}slash\u{1f}, é and\nlines"
    plan.reasons[1] = Reason(.malformed, text)
    #expect(try PrintedPlan(read, plan).waiting.map(\.reason.text) == [text])
  }

  @Test("a job that the plan forgets is among those that wait")
  func forgotten() throws {
    let printed = try PrintedPlan(try scenario(jobs: job(1)), Plan())
    #expect(printed.waiting.map(\.job) == [1])
  }

  @Test("the explanation of a job says why, who is in the way, and what is planned")
  func explanation() throws {
    let running = #""state": "Running", "start_time": 900, "assigned": {"resources": "1-4"}"#
    let read = try scenario(
      jobs: [job(7, walltime: 200, running), job(1), job(2, #""user": 5"#), job(3, cores: 9)]
        .joined(separator: ","))
    #expect(read.isWaiting(1) && read.isWaiting(2) && !read.isWaiting(7) && !read.isWaiting(8))
    let later = try #require(try PrintedPlan(read, explaining: 1).explain)
    #expect(later.job == 1 && later.reason?.kind == .resources && later.reason?.blockers == [7])
    #expect(later.planned?.start == 1100 && later.planned?.end == 1109)
    #expect(later.planned?.moldable == 0 && later.planned?.resources == "1")
    let malformed = try #require(try PrintedPlan(read, explaining: 2).explain)
    #expect(malformed.reason?.kind == .malformed && malformed.planned == nil)
    let never = try #require(try PrintedPlan(read, explaining: 3).explain)
    #expect(never.reason?.kind == .impossible && never.planned == nil)
    let free = try scenario(jobs: job(1))
    let now = try #require(try PrintedPlan(free, explaining: 1).explain)
    #expect(now.reason == nil && now.planned?.start == 1000)
    #expect(try PrintedPlan(free).explain == nil)
  }

  @Test("an explanation names holders, resources and changes with their numbers")
  func explanationInDetail() throws {
    let running = #""state": "Running", "start_time": 900, "assigned": {"resources": "1-3"}"#
    let read = try scenario(
      jobs: [job(7, walltime: 200, running), job(1, cores: 2)].joined(separator: ","))
    let printed = try PrintedPlan(read, explaining: 1)
    #expect(printed.timing.explain_ms == [1.5])
    #expect(try PrintedPlan(read).timing.explain_ms == nil)
    let why = try #require(printed.explain)
    let holder = try #require(why.holders?.first)
    #expect(holder.job == 7 && holder.start == nil && holder.end == 1100)
    let resources = try #require(why.resources)
    #expect(resources.request == "/core=2" && resources.properties == "")
    #expect(resources.needed == 2 && resources.matching == 4 && resources.free == 1)
    let change = try #require(why.changes?.first)
    #expect(change.kind == "count" && change.count == 1 && change.walltime == nil)
    #expect(change.moldable == 0 && change.group == 0 && change.level == 0)
    #expect(change.text == "It would start now with -l /core=1 instead of /core=2.")
    #expect(why.quota == nil && why.advice == nil && why.passed_by?.isEmpty == true)
  }

  @Test("an explanation has the quota that binds as numbers")
  func explainedQuota() throws {
    let text = """
      {"now": 1000, "platform": {"resources": 4, "unit": "core", "levels": {"network_address": 2}},
       "config": {"SCHEDULER_JOB_SECURITY_TIME": 0},
       "quotas": {"quotas": {"*,*,*,/": [-1, 1, -1]}},
       "jobs": [
        {"id": 7, "user": "u", "state": "Running", "start_time": 900, "assigned": {"resources": "1"},
         "moldables": [{"walltime": 200, "groups": [{"levels": [["core", 1]]}]}]},
        {"id": 1, "user": "u", "moldables": [{"walltime": 10, "groups": [{"levels": [["core", 1]]}]}]}
       ]}
      """
    let why = try #require(
      try PrintedPlan(try Scenario(parsing: Array(text.utf8)), explaining: 1).explain)
    #expect(why.reason?.kind == .quota && why.reason?.blockers == [7])
    let quota = try #require(why.quota)
    #expect(quota.rule == "*,*,*,/" && quota.rules == "quotas" && quota.counter == "jobs")
    #expect(quota.limit == 1 && quota.used == 1 && quota.wanted == 1 && quota.at == 1000)
    #expect(quota.allowed_from == 1100 && quota.jobs == [7])
    #expect(quota.rules_from == nil && quota.rules_until == nil)
    #expect(why.changes?.isEmpty == true)
    #expect(why.advice == "The quota counts jobs: no smaller request would start it now.")
  }

  @Test("a scenario has the same plan each time, and each pass a platform of its own")
  func repeated() throws {
    let read = try scenario(jobs: (1...9).map { job($0) }.joined(separator: ","))
    let first = read.snapshot()
    #expect(first.platform !== read.snapshot().platform)
    #expect(try PrintedPlan(read).plan == PrintedPlan(read).plan)
  }
}
