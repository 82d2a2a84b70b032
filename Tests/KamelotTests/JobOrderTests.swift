// The order of waiting jobs as a whole: determinism, limits and explanations.

import ClusterModel
import Kamelot
import Testing

private let platform = TestCluster(hosts: 2, cpusPerHost: 1, coresPerCPU: 4).platform

/// A waiting job of one core for an hour.
func orderJob(
  _ id: JobID, _ user: String = "alice", project: String = "default", queue: String = "default",
  request: String = "/core=1", walltime: Seconds = 3600, submitted: Instant = 0
) -> WaitingJob {
  let parsed = (try? groups(request)) ?? []
  var job = WaitingJob(
    id: id, user: user, project: project, queue: queue,
    moldables: [Moldable(walltime: walltime, groups: parsed)])
  job.submissionTime = submitted
  return job
}

struct JobOrderTests {
  @Test("first in, first out leaves jobs in the order of their submission")
  func fifo() {
    let jobs = [3, 1, 2].map { orderJob($0) }
    #expect(JobOrderPolicy.fifo.order(jobs, now: 0, platform: platform) == [0, 1, 2])
    let ranked = JobOrderPolicy.fifo.rank([2, 0], of: jobs, now: 0, platform: platform)
    #expect(ranked == RankedJobs(order: [2, 0]))
    let priority = JobOrderPolicy.fifo.priorities(of: jobs, now: 0, platform: platform)[0]
    #expect(priority.text == "First come, first served.")
    #expect(priority.messageSuffix == nil)
  }

  @Test("jobs of the same priority keep the order of their submission")
  func ties() {
    let jobs = (0..<200).map { orderJob($0, $0 % 2 == 0 ? "alice" : "bob") }
    let karma = KnownKarma(users: ["alice": 0.5, "bob": 0.1])
    let policy = JobOrderPolicy.fairShare(FairShare(known: karma))
    let order = policy.order(jobs, now: 0, platform: platform)
    let odd = Array(stride(from: 1, to: 200, by: 2))
    let even = Array(stride(from: 0, to: 200, by: 2))
    #expect(order == odd + even)
  }

  @Test("numbers that are none, or infinite, leave the order total and the priorities finite")
  func numbersThatAreNone() {
    let karma = KnownKarma(users: ["a": .nan, "b": .infinity, "c": -.infinity, "d": 1])
    let jobs = ["a", "b", "c", "d"].enumerated().map { orderJob($0, $1) }
    let shared = JobOrderPolicy.fairShare(FairShare(known: karma))
    #expect(shared.order(jobs, now: 0, platform: platform) == [2, 0, 3, 1])
    var settings = Multifactor(
      weights: [.karma: .infinity, .age: .nan, .queue: -.infinity, .qos: 1e300, .work: 1],
      fairShare: FairShare(known: karma))
    settings.queueCoefficients = ["default": .nan]
    settings.qos = [0: .nan, 1: .infinity]
    let policy = JobOrderPolicy.multifactor(settings)
    let priorities = policy.priorities(of: jobs, now: .max, platform: platform)
    #expect(priorities.allSatisfy { $0.total.isFinite })
    #expect(policy.order(jobs, now: .max, platform: platform).sorted() == [0, 1, 2, 3])
  }

  @Test("the order is that of the priorities, the greatest first")
  func orderFollowsPriorities() {
    let jobs = (0..<50).map {
      orderJob(
        $0, "u\($0 * 7 % 5)", queue: $0 % 3 == 0 ? "admin" : "default",
        request: "/core=\($0 % 8 + 1)", walltime: 60 * ($0 * 13 % 17 + 1), submitted: $0 * 1000)
    }
    var settings = Multifactor(
      weights: [.age: 2, .queue: 0.3, .work: 50, .size: -0.5, .karma: 0.7, .nice: -1])
    settings.queueCoefficients = ["admin": 2]
    settings.nice = [7: 1]
    settings.fairShare.known = KnownKarma(users: ["u1": 0.4, "u2": -3])
    let policy = JobOrderPolicy.multifactor(settings)
    let priorities = policy.priorities(of: jobs, now: 60_000, platform: platform)
    let expected = jobs.indices.sorted {
      (-priorities[$0].total, $0) < (-priorities[$1].total, $1)
    }
    #expect(policy.order(jobs, now: 60_000, platform: platform) == expected)
    for priority in priorities {
      #expect(priority.total == priority.parts.reduce(0) { $0 + $1.contribution })
    }
  }

  @Test("only so many jobs of a user are planned in a pass, those submitted first")
  func jobsPerUser() {
    var fairShare = FairShare(known: KnownKarma(users: ["bob": -1]))
    #expect(fairShare.settings.jobsPerUser == 30)
    fairShare.settings.jobsPerUser = 2
    let jobs = ["alice", "alice", "bob", "alice", "bob", "bob"].enumerated().map {
      orderJob($0, $1)
    }
    let policy = JobOrderPolicy.fairShare(fairShare)
    let ranked = policy.rank([0, 1, 2, 3, 4, 5], of: jobs, now: 0, platform: platform)
    #expect(ranked == RankedJobs(order: [2, 4, 0, 1], beyondUserLimit: [3, 5]))
    #expect(policy.userLimitReason.kind == .order)
    #expect(policy.userLimitReason.text.hasPrefix("2 jobs of its user are ahead of it"))
    fairShare.settings.jobsPerUser = 0
    let all = JobOrderPolicy.fairShare(fairShare).rank(
      [0, 1, 2, 3, 4, 5], of: jobs, now: 0, platform: platform)
    #expect(all == RankedJobs(order: [2, 4, 5, 0, 1, 3]))
  }

  @Test("100,000 jobs are sorted by every policy")
  func manyJobs() {
    let jobs = (0..<100_000).map { orderJob($0, "u\($0 % 100)", submitted: $0) }
    let settings = Multifactor(weights: [.age: 1, .karma: 1, .size: 1])
    for policy in [.fifo, .fairShare(FairShare()), JobOrderPolicy.multifactor(settings)] {
      let order = policy.order(jobs, now: 100_000, platform: platform)
      #expect(order == Array(0..<100_000))
    }
  }

  @Test("a priority explains itself in one line")
  func text() {
    var settings = Multifactor(weights: [.age: 2, .queue: 0.5])
    settings.queueCoefficients = ["default": 3]
    settings.agePerSecond = 0.001
    let priority = JobOrderPolicy.multifactor(settings).priorities(
      of: [orderJob(1, submitted: 1000)], now: 1250, platform: platform)[0]
    #expect(
      priority.text
        == "Priority 2.000, the greatest comes first: age 0.500 = 0.250 × 2.000, "
        + "queue 1.500 = 3.000 × 0.500.")
    let none = JobOrderPolicy.multifactor(Multifactor()).priorities(
      of: [orderJob(1)], now: 0, platform: platform)[0]
    #expect(none.total == 0)
    #expect(none.text == "First come, first served.")
  }
}
