// What would start a waiting job now, as sentences on small clusters.

import ClusterModel
import Kamelot
import Kao
import Testing

private let fourHosts = testPlatform(hosts: 4, coresPerHost: 4)

private func explain(
  _ job: WaitingJob, holding: [HoldingJob] = [], before: [WaitingJob] = [],
  on platform: Platform = fourHosts, queues: [Queue] = Queue.standard,
  rest: (String) -> String = { _ in "" }
) -> Kao.Explanation? {
  let snapshot = snapshot(platform, holding: holding, waiting: before + [job], queues: queues)
  return Kao.explain(job.id, in: snapshot, plan: Kao.plan(snapshot), rest: rest)
}

struct ExplanationSentenceTests {
  @Test("a job that asks for too many cores is told how many it could have now")
  func count() throws {
    let job = waiting(1, ("/core=16", 600))
    let holders = [holding(9, [1, 2, 3, 4], start: 900, walltime: 300)]
    let explanation = try #require(explain(job, holding: holders))
    #expect(
      explanation.sentences == ["It would start now with -l /core=12 instead of /core=16."])
    #expect(
      explanation.changes == [.count(moldable: 0, group: 0, level: 0, .exactly(12))])
    #expect(explanation.reason.kind == .resources)
    #expect(explanation.placement?.start == 1200)
    #expect(explanation.holders == [.init(job: 9, end: 1200)])
  }

  @Test("a job that would run into another one's promise is told the walltime that fits")
  func walltime() throws {
    let holders = [holding(9, [1, 2, 3, 4], start: 1000, walltime: 3000)]
    let large = waiting(1, ("/host=4", 600))
    let job = waiting(2, ("/host=2", 7200))
    let explanation = try #require(explain(job, holding: holders, before: [large]))
    #expect(
      explanation.sentences == [
        "It would start now with a walltime of 0:50:00 or less.",
        "It would start now as a besteffort job (-t besteffort), which gives way to all others.",
      ])
    #expect(explanation.holders == [.init(job: 1, start: 4000, end: 4600)])
  }

  @Test("the change that leaves most of the request comes first")
  func smallestFirst() throws {
    let holders = [holding(9, [1], start: 1000, walltime: 900), holding(8, [5], walltime: 5000)]
    let all = waiting(1, ("{core<=8}/host=1", 100))
    let job = waiting(2, ("/host=3/core=4", 1000))
    let explanation = try #require(explain(job, holding: holders, before: [all]))
    #expect(
      explanation.sentences == [
        "It would start now with -l /host=3/core=3 instead of /host=3/core=4.",
        "It would start now with -l /host=2/core=4 instead of /host=3/core=4.",
      ])
    let long = waiting(2, ("/host=3", 1000))
    let wide = [waiting(1, ("/host=4", 50))]
    let held = [holding(9, [16], start: 1000, walltime: 900)]
    #expect(
      explain(long, holding: held, before: wide)?.sentences == [
        "It would start now with a walltime of 0:15:00 or less.",
        "It would start now as a besteffort job (-t besteffort), which gives way to all others.",
      ])
  }

  @Test("if no change alone helps, a walltime goes with a count")
  func both() throws {
    let holders = [holding(9, Array(1...8), start: 1000, walltime: 600)]
    let all = waiting(1, ("/host=4", 600))
    let job = waiting(2, ("/host=4", 1200))
    #expect(
      try #require(explain(job, holding: holders, before: [all])).sentences == [
        "It would start now with -l /host=2 instead of /host=4 and a walltime of 0:10:00 or less."
      ])
  }

  @Test("a condition that could be dropped is named, but not what the site added to it")
  func conditions() throws {
    let holders = [holding(9, [1, 2, 3, 4], walltime: 5000)]
    let job = waiting(1, ("/host=1", 100), properties: "host='h1'")
    let dropped = try #require(explain(job, holding: holders))
    #expect(dropped.sentences == ["It would start now without its condition (-p)."])
    #expect(dropped.changes == [.jobCondition("")])
    let kept = try #require(explain(job, holding: holders, rest: { $0 }))
    #expect(
      kept.sentences == [
        "No shorter walltime, smaller count or wider condition alone would start it now."
      ])
    let group = waiting(1, ("{host='h1'}/host=1+/core=2", 100))
    #expect(
      explain(group, holding: holders)?.sentences == [
        "It would start now with -l /core=2 instead of /host=1+/core=2.",
        "It would start now without the condition in braces before /host=1.",
      ])
  }

  @Test("of several moldables each is told apart")
  func moldables() throws {
    let holders = [holding(9, Array(1...8), start: 1000, walltime: 200)]
    let job = waiting(1, ("/host=4", 100), ("/host=2", 1000))
    let explanation = try #require(explain(job, holding: holders))
    #expect(explanation.placement?.moldable == 0)
    #expect(
      explanation.sentences == [
        "It would start now with -l /host=2 alone, but end later.",
        "It would start now with -l /host=2 instead of /host=4.",
        "It would start now with a walltime of 0:04:59 or less for -l /host=2.",
      ])
  }

  @Test("besteffort jobs in the way of an ordinary job do not count, those of a besteffort job do")
  func besteffort() throws {
    let holders = [
      holding(9, [1, 2, 3, 4], walltime: 5000, besteffort: true),
      holding(8, [5, 6, 7, 8], walltime: 5000),
    ]
    #expect(
      explain(waiting(1, ("/host=4", 100)), holding: holders)?.sentences == [
        "It would start now with -l /host=3 instead of /host=4."
      ])
    #expect(
      explain(waiting(1, ("/host=4", 100), queue: "besteffort"), holding: holders)?.sentences == [
        "It would start now with -l /host=2 instead of /host=4."
      ])
    #expect(
      explain(waiting(1, ("/host=3", 100)), holding: holders)?.sentences == [
        "It starts by itself as soon as the jobs that give way to it have ended."
      ])
  }

  @Test("a job that is impossible as the cluster is now is told what is possible")
  func impossible() throws {
    let platform = testPlatform(hosts: 2, coresPerHost: 2, down: [1, 2])
    #expect(
      explain(waiting(1, ("/host=2", 10)), on: platform)?.sentences == [
        "It would start now with -l /host=1 instead of /host=2."
      ])
  }

  @Test("ALL can become a number")
  func all() throws {
    let holders = [holding(9, [1, 2, 3, 4], walltime: 5000)]
    #expect(
      explain(waiting(1, ("/host=ALL", 10)), holding: holders)?.sentences == [
        "It would start now with -l /host=3 instead of /host=ALL."
      ])
  }

  @Test("what no request changes is told with what must happen instead")
  func noChange() throws {
    let holders = [holding(9, [1], walltime: 5000)]
    let queues = Queue.standard + [Queue(name: "night", priority: 1, isActive: false)]
    func sentence(_ job: WaitingJob) -> String? {
      let explanation = explain(job, holding: holders, queues: queues)
      return explanation?.changes.isEmpty == true ? explanation?.sentences.first : nil
    }
    #expect(
      sentence(waiting(1, ("/host=4", 10), after: [.running(9)]))
        == "No change of its request helps: job 9 must end first.")
    #expect(
      sentence(waiting(1, ("/host=1", 10), queue: "night"))
        == "It starts when an administrator makes its queue active again (oarqueue -e night).")
    #expect(
      sentence(waiting(1, ("/host=1", 10), queue: "none"))
        == "It never starts unless there is a queue \"none\" again: delete it and submit it to another."
    )
    #expect(
      sentence(waiting(1, ("/nothing=1", 10)))
        == "It never starts: delete it and submit it again with a request that can be understood.")
  }

  @Test("a job that starts or is not there is not explained")
  func nothingToExplain() {
    #expect(explain(waiting(1, ("/host=1", 10))) == nil)
    let snapshot = snapshot(fourHosts, waiting: [])
    #expect(Kao.explain(1, in: snapshot, plan: Kao.plan(snapshot)) == nil)
  }

  @Test("a job that the plan is too old for is told that the next pass starts it")
  func stalePlan() throws {
    let job = waiting(1, ("/host=4", 10))
    let old = snapshot(fourHosts, holding: [holding(9, [1], walltime: 5000)], waiting: [job])
    let plan = Kao.plan(old)
    let explanation = Kao.explain(1, in: snapshot(fourHosts, waiting: [job]), plan: plan)
    #expect(
      explanation?.sentences == ["It can start as it is: the next planning pass will see to it."])
  }
}
