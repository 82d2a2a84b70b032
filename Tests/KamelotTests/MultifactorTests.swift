// Multifactor priority: each factor in its documented meaning.

import ClusterModel
import Kamelot
import Testing

/// Eight cores on two hosts.
private let platform = TestCluster(hosts: 2, cpusPerHost: 1, coresPerCPU: 4).platform

/// What a factor of weight 1 comes to.
private func factor(
  _ factor: Multifactor.Factor, of job: WaitingJob, now: Instant = 0,
  settings change: (inout Multifactor) -> Void = { _ in }
) -> Double {
  var settings = Multifactor(weights: [factor: 1])
  change(&settings)
  return JobOrderPolicy.multifactor(settings).priorities(
    of: [job], now: now, platform: platform)[0].total
}

struct MultifactorTests {
  @Test("age grows evenly to 1 in seven days, and is not 1 from the start")
  func age() {
    let job = orderJob(1, submitted: 1_000_000)
    #expect(factor(.age, of: job, now: 1_000_000) == 0)
    #expect(factor(.age, of: job, now: 1_100_000) == 100_000 * 1.65e-6)
    #expect(factor(.age, of: job, now: 1_000_000 + 8 * 86_400) == 1)
    #expect(factor(.age, of: job, now: 0) == 0)
    #expect(factor(.age, of: job, now: 1_000_100) { $0.agePerSecond = 0.005 } == 0.5)
  }

  @Test("a queue counts as much as the site says")
  func queue() {
    let coefficients = ["admin": 10.0, "default": 2]
    for (queue, expected) in [("admin", 10.0), ("default", 2), ("other", 0)] {
      let job = orderJob(1, queue: queue)
      #expect(factor(.queue, of: job) { $0.queueCoefficients = coefficients } == expected)
    }
  }

  @Test("work is resources times walltime; small or big jobs have more of it")
  func work() {
    let job = orderJob(1, request: "/host=1", walltime: 25)
    #expect(factor(.work, of: job) == 0.01)
    #expect(factor(.work, of: job) { $0.workPreference = .big } == 0.99)
    let unknown = orderJob(1, request: "/host=99")
    #expect(factor(.work, of: unknown) == 0)
    #expect(factor(.work, of: unknown) { $0.workPreference = .big } == 0)
  }

  @Test("size is the share of the cluster; small or big jobs have more of it")
  func size() {
    let job = orderJob(1, request: "/core=2")
    #expect(factor(.size, of: job) == 0.75)
    #expect(factor(.size, of: job) { $0.sizePreference = .big } == 0.25)
    #expect(factor(.size, of: orderJob(1, request: "/host=2")) == 0)
    #expect(factor(.size, of: orderJob(1, request: "/host=ALL")) { $0.sizePreference = .big } == 1)
  }

  @Test("the size is that of the first moldable that fits the cluster")
  func sizeOfMoldables() throws {
    var job = orderJob(1, request: "/host=3")
    job.moldables.append(Moldable(walltime: 10, groups: try groups("/core=4")))
    job.moldables.append(Moldable(walltime: 10, groups: try groups("/core=1")))
    #expect(factor(.size, of: job) == 0.5)
    #expect(factor(.work, of: job) == 1 / 40.0)
  }

  @Test("resources that are dead or of another type are no part of the cluster's size")
  func clusterSize() {
    var resources = TestCluster(hosts: 2, cpusPerHost: 1, coresPerCPU: 4).resources
    for index in 4..<8 { resources[index].state = .dead }
    var licence = Resource(id: 99)
    licence.type = "licence"
    let platform = Platform(resources: resources + [licence])
    let policy = JobOrderPolicy.multifactor(Multifactor(weights: [.size: 1]))
    let priority = policy.priorities(of: [orderJob(1)], now: 0, platform: platform)[0]
    #expect(priority.total == 0.75)
  }

  @Test("karma alone gives the order of fair sharing, even far below a target")
  func karma() {
    let users = ["a": 2.5, "b": 0, "c": -0.25, "d": -0.5, "e": -1, "f": -2.25]
    let known = KnownKarma(users: users)
    let jobs = ["a", "b", "c", "d", "e", "f"].enumerated().map { orderJob($0, $1) }
    let policy = JobOrderPolicy.multifactor(
      Multifactor(weights: [.karma: 1], fairShare: FairShare(known: known)))
    let priorities = policy.priorities(of: jobs, now: 0, platform: platform)
    #expect(priorities.map(\.total) == [1 / 3.5, 1, 1 / 0.75, 2, 4, 9])
    #expect(policy.order(jobs, now: 0, platform: platform) == [5, 4, 3, 2, 1, 0])
    #expect(priorities[0].messageSuffix == "(Karma=2.500)")
  }

  @Test("quality of service and niceness are from 0 to 1")
  func qosAndNice() {
    let job = orderJob(1)
    for (given, expected) in [(0.25, 0.25), (7, 1), (-1, 0), (Double.nan, 0)] {
      #expect(factor(.qos, of: job) { $0.qos = [1: given] } == expected)
      #expect(factor(.nice, of: job) { $0.nice = [1: given] } == expected)
    }
    #expect(factor(.nice, of: job) == 0)
  }

  @Test("weights multiply their factors, and negative ones turn them round")
  func weights() {
    var settings = Multifactor(weights: [.qos: 3, .nice: -2, .age: 0])
    settings.qos = [1: 0.5]
    settings.nice = [1: 0.25]
    let priority = JobOrderPolicy.multifactor(settings).priorities(
      of: [orderJob(1)], now: 0, platform: platform)[0]
    #expect(priority.total == 1)
    #expect(priority.parts.map(\.factor) == ["qos", "nice"])
    #expect(priority.parts.map(\.contribution) == [1.5, -0.5])
    #expect(priority.messageSuffix == nil)
  }
}
