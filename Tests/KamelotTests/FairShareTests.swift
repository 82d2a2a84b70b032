// Fair sharing: karma from past use, targets and coefficients.

import ClusterModel
import Kamelot
import Testing

private let platform = TestCluster(hosts: 1, cpusPerHost: 1, coresPerCPU: 4).platform

struct FairShareTests {
  /// Five users of whom each used more than the one before.
  private func growingUse() -> UsageSums {
    var usage = UsageSums()
    for user in 1...5 {
      usage.add(
        user: "u\(user)", project: "p", used: user * 86_400, asked: user * 100_000)
    }
    return usage
  }

  @Test("who used less comes first, and the message tells the karma")
  func growingUseIsOrder() {
    let jobs = [4, 2, 5, 1, 3].map { orderJob($0, "u\($0)") }
    for coefficients in [FairShareSettings.Coefficients.oar2, .oar3] {
      var fairShare = FairShare(usage: growingUse())
      fairShare.settings.coefficients = coefficients
      let policy = JobOrderPolicy.fairShare(fairShare)
      let order = policy.order(jobs, now: 0, platform: platform)
      #expect(order.map { jobs[$0].user } == ["u1", "u2", "u3", "u4", "u5"])
      for priority in policy.priorities(of: jobs, now: 0, platform: platform) {
        let suffix = priority.messageSuffix ?? ""
        #expect(suffix.wholeMatch(of: /\(Karma=\d+\.\d+\)/) != nil)
      }
    }
  }

  @Test("karma weighs what users used twice and what they asked for once, as in OAR 2")
  func coefficients() {
    var usage = UsageSums()
    usage.add(user: "alice", project: "p", used: 300, asked: 100)
    usage.add(user: "bob", project: "q", used: 100, asked: 300)
    var fairShare = FairShare(usage: usage)
    #expect(fairShare.karma(user: "alice", project: "p") == 2 * 0.75 + 0.25)
    #expect(fairShare.karma(user: "bob", project: "q") == 2 * 0.25 + 0.75)
    fairShare.settings.coefficients = .oar3
    #expect(fairShare.karma(user: "alice", project: "p") == 1)
    #expect(fairShare.karma(user: "bob", project: "q") == 1)
    fairShare.settings.coefficients.projectUsed = 4
    #expect(fairShare.karma(user: "bob", project: "p") == 4 * 0.75 + 1)
  }

  @Test("targets are percentages of all use, for users and projects alike")
  func targets() {
    var usage = UsageSums()
    usage.add(user: "alice", project: "p", used: 50, asked: 50)
    usage.add(user: "bob", project: "p", used: 50, asked: 50)
    var fairShare = FairShare(usage: usage)
    fairShare.settings.coefficients = .init(projectUsed: 1, userUsed: 2, userAsked: 1)
    fairShare.settings.userTargets = ["alice": 75]
    fairShare.settings.projectTargets = ["p": 100]
    #expect(fairShare.karma(user: "alice", project: "p") == -0.75)
    #expect(fairShare.karma(user: "bob", project: "p") == 1.5)
    #expect(fairShare.karma(user: "carol", project: "none") == 0)
    fairShare.settings.userTargets["default"] = 50
    #expect(fairShare.karma(user: "bob", project: "p") == 0)
  }

  @Test("without any use, karma is what targets make of it")
  func noUse() {
    var fairShare = FairShare()
    #expect(fairShare.karma(user: "alice", project: "p") == 0)
    let priority = JobOrderPolicy.fairShare(fairShare).priorities(
      of: [orderJob(1)], now: 0, platform: platform)[0]
    #expect(priority.messageSuffix == "(Karma=0.000)")
    fairShare.settings.userTargets = ["alice": 50]
    #expect(fairShare.karma(user: "alice", project: "p") == -1.5)
  }

  @Test("karma that is given counts instead of use")
  func knownKarma() {
    let known = KnownKarma(users: ["u1": 0.2, "u2": 0.1], projects: ["p1": 0.05])
    let fairShare = FairShare(usage: growingUse(), known: known)
    #expect(fairShare.karma(user: "u1", project: "p1") == 0.25)
    #expect(fairShare.karma(user: "u2", project: "other") == 0.1)
    #expect(fairShare.karma(user: "u5", project: "other") == 0)
  }

  @Test("the parts of a priority are those of the karma, turned round")
  func parts() {
    var usage = UsageSums()
    usage.add(user: "alice", project: "p", used: 1, asked: 1)
    let priority = JobOrderPolicy.fairShare(FairShare(usage: usage)).priorities(
      of: [orderJob(1, "alice", project: "p")], now: 0, platform: platform)[0]
    #expect(priority.parts.map(\.factor) == ["project_used", "user_used", "user_asked"])
    #expect(priority.parts.map(\.weight) == [0, -2, -1])
    #expect(priority.total == -3)
    #expect(priority.karma == 3)
    #expect(priority.messageSuffix == "(Karma=3.000)")
    #expect(
      priority.text
        == "Priority -3.000, the greatest comes first: user_used -2.000 = 1.000 × -2.000, "
        + "user_asked -1.000 = 1.000 × -1.000.")
  }

  @Test("sums that are negative or too large do no harm")
  func extremeSums() {
    var usage = UsageSums()
    usage.add(user: "alice", project: "p", used: .max, asked: -5)
    usage.add(user: "alice", project: "p", used: .max, asked: 0)
    #expect(usage.used == .max)
    #expect(usage.asked == 0)
    #expect(FairShare(usage: usage).karma(user: "alice", project: "p") == 2)
  }
}
