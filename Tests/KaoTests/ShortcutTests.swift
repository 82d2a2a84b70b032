// The shortcuts of searches change no plan. The clusters are larger than those of the other random
// scenarios, so that all of them are taken.

import ClusterModel
import Kamelot
import Kao
import Testing

struct ShortcutTests {
  @Test("the plan is the same to the bit without any shortcut", arguments: UInt64(1)...6)
  func withoutShortcuts(seed: UInt64) {
    var maker = ScenarioMaker(seed: seed, features: [])
    let snapshot = maker.largeSnapshot(hosts: 24, coresPerHost: 8, jobs: 120)
    let plan = Kao.plan(snapshot)
    #expect(plan.predictions.count > 90)
    var shortcuts = Shortcuts.none
    #expect(Kao.plan(snapshot, shortcuts: shortcuts).isSame(as: plan))
    shortcuts.usesGrains = true
    #expect(Kao.plan(snapshot, shortcuts: shortcuts).isSame(as: plan))
    shortcuts.remembersStarts = true
    #expect(Kao.plan(snapshot, shortcuts: shortcuts).isSame(as: plan))
  }

  @Test("nor do they change the plan of what a small cluster may have", arguments: Sample.parts)
  func smallClusters(part: UInt64) {
    Sample.check(part) { snapshot in
      let plan = Kao.plan(snapshot)
      let other = Kao.plan(snapshot, shortcuts: .none)
      return other.isSame(as: plan) ? nil : ("without shortcuts:\n\(other.description)", plan)
    }
  }
}

extension ScenarioMaker {
  /// A cluster on which some jobs run and many wait.
  fileprivate mutating func largeSnapshot(hosts: Int, coresPerHost: Int, jobs: Int) -> Snapshot {
    let platform = testPlatform(hosts: hosts, coresPerHost: coresPerHost)
    var holders: [HoldingJob] = []
    for host in 0..<hosts where chance(50) {
      let first = host * coresPerHost + 1
      let cores = Array(first..<first + number(1...coresPerHost))
      holders.append(holding(5000 + host, cores, start: 900, walltime: number(101...900)))
    }
    let waiting = (1...jobs).map { id in
      let first = request(hosts, coresPerHost)
      return chance(20)
        ? KaoTests.waiting(id, first, request(hosts, coresPerHost))
        : KaoTests.waiting(id, first, properties: chance(15) ? "core>\(number(1...60))" : "")
    }
    return KaoTests.snapshot(platform, holding: holders, waiting: waiting)
  }

  private mutating func request(_ hosts: Int, _ cores: Int) -> (String, Seconds) {
    let texts = [
      "/host=\(number(1...hosts / 3))", "/host=1/core=\(number(1...cores))",
      "/core=\(number(1...hosts * cores / 4))", "/host=\(number(2...4))/core=\(number(1...cores))",
      "/host=1+/core=\(number(1...20))", "/host=BEST",
    ]
    return (texts[min(number(0...7), texts.count - 1)], number(1...40) * 30)
  }
}
