// Holes in the plan that are too short to be used (SCHEDULER_GANTT_HOLE_MINIMUM_TIME).

import ClusterModel
import Kamelot

extension Pass {
  /// The earliest spot in a hole that is long enough.
  mutating func findFreeSpot(_ query: SpotQuery) -> Spot? {
    guard query.duration < snapshot.settings.holeMinimum else { return planner.findSpot(query) }
    var longer = query
    longer.duration = snapshot.settings.holeMinimum
    guard var spot = planner.findSpot(longer) else { return nil }
    spot.end = spot.start.addingCapped(query.duration)
    return spot
  }

  /// For how long resources must be free so that a moldable is placed on them.
  func searchLength(of choice: Choice) -> Seconds {
    max(choice.duration, snapshot.settings.holeMinimum)
  }
}
