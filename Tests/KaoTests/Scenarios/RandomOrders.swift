// Random orders of jobs: fair shares and weighted sums. The numbers are sums of powers of two, so that
// priorities are equal where they should be.

import ClusterModel
import Kamelot

/// Draws in which order jobs are planned.
struct OrderMaker {
  private var dice: Dice

  init(seed: UInt64) { dice = Dice(seed: seed, for: "orders") }

  mutating func order(_ snapshot: inout Snapshot) {
    for index in snapshot.waiting.indices {
      snapshot.waiting[index].project = dice.one(of: ["p1", "p2"])
      snapshot.waiting[index].submissionTime = snapshot.now - dice.number(0...5) * 64
      if dice.chance(30) { snapshot.waiting[index].user = dice.one(of: ["alice", "bob", "carol"]) }
    }
    if dice.chance(25) { snapshot.settings.jobsPerPass = dice.number(1...8) }
    snapshot.order =
      dice.chance(50) ? .fairShare(fairShare()) : .multifactor(multifactor(snapshot.waiting))
  }

  /// Whole quarters from −2 to 2.
  private mutating func weight() -> Double { Double(dice.number(-8...8)) / 4 }

  private mutating func fairShare() -> FairShare {
    var share = FairShare()
    share.settings.jobsPerUser = dice.chance(30) ? dice.number(1...4) : 0
    share.settings.coefficients = dice.one(of: [
      .oar2, .oar3, .init(projectUsed: 1, userUsed: 1, userAsked: 0.5),
    ])
    if dice.chance(40) {
      share.known = KnownKarma(
        users: ["alice": weight(), "bob": weight()], projects: ["p1": weight()])
    } else {
      share.usage = usage()
    }
    if dice.chance(50) { share.settings.userTargets = ["alice": 75, "default": 12.5] }
    if dice.chance(50) { share.settings.projectTargets = ["p2": 50] }
    return share
  }

  /// What was used sums up to 256, and what was asked for to 512.
  private mutating func usage() -> UsageSums {
    var usage = UsageSums()
    let (used, asked) = (dice.number(0...256), dice.number(0...512))
    usage.add(user: "alice", project: dice.one(of: ["p1", "p2"]), used: used, asked: asked)
    usage.add(user: "bob", project: "p1", used: 256 - used, asked: 512 - asked)
    return usage
  }

  private mutating func multifactor(_ jobs: [WaitingJob]) -> Multifactor {
    var settings = Multifactor(fairShare: fairShare())
    settings.fairShare.settings.jobsPerUser = 0
    for factor in Multifactor.Factor.allCases where dice.chance(40) {
      settings.weights[factor] = weight()
    }
    settings.agePerSecond = dice.one(of: [1.65e-6, 1.0 / 128, 1.0 / 1024])
    settings.queueCoefficients = ["default": weight(), "admin": weight(), "fast": weight()]
    settings.workPreference = dice.one(of: [.small, .big])
    settings.sizePreference = dice.one(of: [.small, .big])
    for job in jobs {
      if dice.chance(30) { settings.qos[job.id] = Double(dice.number(0...4)) / 4 }
      if dice.chance(30) { settings.nice[job.id] = Double(dice.number(0...4)) / 4 }
    }
    return settings
  }
}
