// Random rules of a site and of its besteffort jobs: drawn last, so that they change nothing else of a
// scenario.

import ClusterModel
import Kamelot

extension ScenarioMaker {
  mutating func addRules(to snapshot: inout Snapshot) {
    if draws(.killAhead, 70) { snapshot.settings.besteffortKillAhead = number(1...150) }
    if draws(.holes, 70) { snapshot.settings.holeMinimum = number(1...80) }
    guard theme.contains(.checkpoints) else { return }
    for index in snapshot.holding.indices where snapshot.holding[index].isBesteffort {
      if chance(30) { continue }
      // In tens, so that often the time is over just now.
      snapshot.holding[index].checkpoint = number(1...5) * 10
      if chance(60) { snapshot.holding[index].checkpointedAt = now - number(0...5) * 10 }
    }
  }
}
