// Why a job does not start now.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

private func reasonOf(_ job: WaitingJob, holding: [HoldingJob] = []) -> Reason? {
  Kao.plan(snapshot(twoHosts, holding: holding, waiting: [job])).reasons[job.id]
}

struct ReasonTests {
  @Test("a job that waits for resources is told who holds them, nearest end first")
  func heldResources() throws {
    let holders = [
      holding(11, [1], walltime: 3000), holding(12, [3], walltime: 2000),
      holding(13, [4], walltime: 2500),
    ]
    let reason = try #require(reasonOf(waiting(1, ("/core=2", 10)), holding: holders))
    #expect(reason.kind == .resources)
    #expect(reason.text == "It needs /core=2, and 1 of the 4 resources that match is free now.")
    #expect(reason.blockers == [12, 13, 11])
    let elsewhere = Kao.plan(
      snapshot(
        twoHosts, holding: holders,
        waiting: [waiting(1, ("/core=2", 10), properties: "host='h2'")]))
    #expect(elsewhere.reasons[1]?.blockers == [12, 13])
  }

  @Test("free resources that do not lie in the blocks asked for are told apart")
  func freeButScattered() throws {
    let holders = [holding(11, [1], walltime: 3000), holding(12, [3], walltime: 2000)]
    let reason = try #require(reasonOf(waiting(1, ("/host=1", 10)), holding: holders))
    #expect(
      reason.text
        == "It needs /host=1; 2 of the 4 resources that match are free now, but not in such blocks."
    )
  }

  @Test("a job that is kept out by promises to jobs ahead is told so, with their names")
  func promisedResources() throws {
    let plan = Kao.plan(
      snapshot(
        twoHosts, holding: [holding(11, [1, 2], walltime: 1100)],
        waiting: [waiting(1, ("/host=2", 10)), waiting(2, ("/host=1", 200))]))
    let reason = try #require(plan.reasons[2])
    #expect(reason.kind == .resources)
    #expect(reason.text.contains("jobs ahead"))
    #expect(reason.blockers == [1])
  }

  @Test("jobs that start in this pass count among the holders, and at most 20 are named")
  func manyBlockers() throws {
    let platform = testPlatform(hosts: 1, coresPerHost: 30)
    let jobs = (1...31).map { waiting($0, ("/core=1", 100 - $0)) }
    let plan = Kao.plan(snapshot(platform, waiting: jobs))
    #expect(plan.reasons[31]?.blockers == Array((11...30).reversed()))
  }

  @Test("a job of a queue that is inactive or unknown is kept by its queue")
  func queues() throws {
    let queues = [
      Queue(name: "default", priority: 2), Queue(name: "closed", priority: 9, isActive: false),
    ]
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        waiting: [
          waiting(1, ("/host=2", 10), queue: "closed"), waiting(2, ("/host=2", 10), queue: "none"),
          waiting(3, ("/host=2", 10)),
        ], queues: queues))
    #expect(plan.reasons[1]?.kind == .queue)
    #expect(plan.reasons[2]?.kind == .queue)
    #expect(plan.started == [3])
  }

  @Test("a request beyond the cluster is impossible, one beyond what is up says what is missing")
  func impossibleRequests() throws {
    #expect(reasonOf(waiting(1, ("/host=3", 10)))?.kind == .impossible)
    let platform = testPlatform(hosts: 2, coresPerHost: 2, down: [1, 2])
    let plan = Kao.plan(snapshot(platform, waiting: [waiting(1, ("/host=2", 10))]))
    let reason = try #require(plan.reasons[1])
    #expect(reason.kind == .impossible)
    #expect(reason.text.contains("not available"))
  }

  @Test("ALL means those in service, as in OAR: a suspected host holds nobody up")
  func allInService() {
    let platform = testPlatform(hosts: 2, coresPerHost: 2, down: [1, 2])
    let plan = Kao.plan(snapshot(platform, waiting: [waiting(1, ("/core=ALL", 10))]))
    #expect(plan.starts.map(\.resources) == [[3, 4]])
  }

  @Test("a moldable that makes no sense does not spoil the others of its job")
  func oneBadMoldable() {
    let plan = Kao.plan(
      snapshot(twoHosts, waiting: [waiting(1, ("/host=9", 10), ("/no=1", 10), ("/host=1", 10))]))
    #expect(plan.placement(of: 1)?.moldable == 2)
  }

  @Test("instants at the end of time do not overflow")
  func endOfTheWorld() {
    let plan = Kao.plan(
      snapshot(
        twoHosts,
        holding: [
          holding(9, [1], start: .max - 5, walltime: 100), holding(8, [2], walltime: .max),
        ],
        waiting: [waiting(1, ("/core=2", endOfTime)), waiting(2, ("/core=3", endOfTime))]))
    #expect(plan.started == [1])
    #expect(plan.reasons[2] != nil)
  }
}
