// The order of jobs that a scenario asks for.

import ClusterModel
import Kamelot
import Kao
import Scenarios
import Testing

private let two = job(1, cores: 4, #""user": "alice""#) + "," + job(2, cores: 4, #""user": "bob""#)

private func order(_ config: String, _ more: String = "") throws -> [JobID] {
  Kao.plan(try scenario(jobs: two, more, config: config).snapshot()).order
}

struct ScenarioOrderTests {
  @Test("karma counts with fair sharing, and with it alone")
  func karma() throws {
    let karma = #""karma": {"users": {"alice": 0.2}}"#
    #expect(try order(#""JOB_PRIORITY": "FAIRSHARE""#, karma) == [2, 1])
    #expect(try order(#""JOB_PRIORITY": "FIFO""#, karma) == [1, 2])
    #expect(try order("", karma) == [1, 2])
  }

  @Test("without karma nobody used anything, and targets count")
  func targets() throws {
    let targets = #""JOB_PRIORITY": "FAIRSHARE", "SCHEDULER_FAIRSHARING_USER_TARGETS": "#
    #expect(try order(targets + #""{ bob => 50 }""#) == [2, 1])
    #expect(try order(targets + #""{ alice => 50 }""#) == [1, 2])
  }

  @Test("a user's jobs are limited only if the scenario says so")
  func limit() throws {
    let jobs = (1...40).map { job($0, #""user": "alice""#) }.joined(separator: ",")
    let fair = #""JOB_PRIORITY": "FAIRSHARE""#
    func planned(_ config: String) throws -> Int {
      Kao.plan(try scenario(jobs: jobs, config: config).snapshot()).order.count
    }
    #expect(try planned(fair) == 40)
    #expect(try planned(fair + #", "SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER": 3"#) == 3)
  }

  @Test("a weighted sum takes its weights from the document")
  func multifactor() throws {
    let config = #""JOB_PRIORITY": "MULTIFACTOR""#
    let karma = #""karma": {"users": {"alice": 0.2}}"#
    #expect(try order(config, karma + #", "priority_file": "karma_weight: 1""#) == [2, 1])
    #expect(try order(config, karma + #", "priority_file": "karma_weight: -1""#) == [1, 2])
  }

  @Test("the explanation of a job tells its priority, unless jobs are taken as they came")
  func explained() throws {
    func document(_ config: String) throws -> String {
      let read = try scenario(
        jobs: two, #""karma": {"users": {"alice": 0.2}}"#, config: config)
      let bytes = read.document(
        of: Kao.plan(read.snapshot()), timing: PlanTiming(loading: 0, planning: []), explaining: 1)
      return String(decoding: bytes, as: UTF8.self)
    }
    let fair = try document(#""JOB_PRIORITY": "FAIRSHARE""#)
    #expect(fair.contains(#""priority":"Priority -0.200, the greatest comes first"#))
    #expect(try !document("").contains("priority"))
  }

  @Test("an order that is not known, and weights that are missing or wrong, are refused")
  func refusals() {
    func problem(_ config: String, _ more: String = "") -> String? {
      do {
        _ = try scenario(jobs: two, more, config: config)
        return nil
      } catch { return error.description }
    }
    #expect(problem(#""JOB_PRIORITY": "CUSTOM""#)?.contains("FIFO, FAIRSHARE or") == true)
    let multifactor = #""JOB_PRIORITY": "MULTIFACTOR""#
    #expect(problem(multifactor)?.contains("PRIORITY_CONF_FILE") == true)
    let wrong = problem(multifactor, #""priority_file": "age_wait: 1""#)
    #expect(wrong?.contains("age_wait") == true)
  }
}
