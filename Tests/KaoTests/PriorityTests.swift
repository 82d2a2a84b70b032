// The order that a site chooses, in the plan and in its explanations.

import ClusterModel
import Kamelot
import Kao
import Testing

private let oneHost = testPlatform(hosts: 1, coresPerHost: 2)

/// Jobs of the whole host, in turn of `users`.
private func input(
  _ users: String..., order: JobOrderPolicy, edit: (inout WaitingJob) -> Void = { _ in }
) -> Snapshot {
  var input = snapshot(oneHost, waiting: [])
  for (place, user) in users.enumerated() {
    var job = waiting(place + 1, ("/host=1", 10))
    job.user = user
    edit(&job)
    input.waiting.append(job)
  }
  input.order = order
  return input
}

private func fairShare(
  _ users: [String: Double], jobsPerUser: Int = 0
) -> JobOrderPolicy {
  var share = FairShare(known: KnownKarma(users: users))
  share.settings.jobsPerUser = jobsPerUser
  return .fairShare(share)
}

struct PriorityTests {
  @Test("who used least comes first, and jobs of the same priority keep their order")
  func leastUsed() {
    let plan = Kao.plan(
      input("alice", "bob", "alice", "bob", order: fairShare(["alice": 0.5, "bob": 0.1])))
    #expect(plan.order == [2, 4, 1, 3])
    #expect(plan.started == [2])
    #expect(plan.placement(of: 3)?.start == 1030)
  }

  @Test("priorities sort within queues of the same priority, and besteffort jobs among themselves")
  func queues() {
    let plan = Kao.plan(
      input("alice", "bob", "alice", "bob", order: fairShare(["alice": 0.5])) { job in
        job.queue = job.id == 1 ? "admin" : job.id == 2 ? "default" : "besteffort"
      })
    #expect(plan.order == [1, 2, 4, 3])
  }

  @Test("the jobs of a user beyond the limit are set aside, with the limit as the reason")
  func userLimit() {
    let plan = Kao.plan(
      input("alice", "alice", "alice", "bob", order: fairShare([:], jobsPerUser: 2)))
    #expect(plan.order == [1, 2, 4])
    #expect(plan.placement(of: 3) == nil)
    #expect(plan.reasons[3]?.kind == .order)
    #expect(plan.reasons[3]?.text.contains("SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER") == true)
  }

  @Test("the limit of jobs in a pass lets the best ones through")
  func passLimit() {
    var input = input("alice", "alice", "bob", order: fairShare(["alice": 1]))
    input.settings.jobsPerPass = 1
    let plan = Kao.plan(input)
    #expect(plan.started == [3])
    #expect(plan.reasons[1]?.kind == .order)
  }

  @Test("the plan keeps what a priority is made of, and its explanation tells it")
  func explained() throws {
    let input = input("alice", "bob", order: fairShare(["alice": 0.5, "bob": 0.1]))
    let plan = Kao.plan(input)
    let priority = try #require(plan.priorities?[1])
    #expect(priority.total == -0.5)
    #expect(priority.parts.map(\.factor) == ["user_karma", "project_karma"])
    #expect(Kao.explain(1, in: input, plan: plan)?.priority == priority)
    #expect(plan.priorities?[7] == nil)
  }

  @Test("first come, first served has no priorities to tell")
  func fifo() {
    let input = input("alice", "bob", order: .fifo)
    let plan = Kao.plan(input)
    #expect(plan.order == [1, 2])
    #expect(plan.priorities == nil)
    #expect(Kao.explain(2, in: input, plan: plan)?.priority == nil)
  }

  @Test("a weighted sum sorts by its factors") func multifactor() {
    var settings = Multifactor(weights: [.queue: 1, .age: 1])
    settings.queueCoefficients = ["default": 0.2]
    settings.agePerSecond = 0.001
    let plan = Kao.plan(
      input("alice", "alice", "alice", order: .multifactor(settings)) { job in
        job.submissionTime = 1000 - 100 * job.id
      })
    #expect(plan.order == [3, 2, 1])
    #expect(plan.priorities?[3]?.text.contains("age 0.300") == true)
  }
}
