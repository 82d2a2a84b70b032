// What is open to one waiting job from now on: for each resource, how long it stays free if only
// the jobs with precedence are looked at.

import ClusterModel
import Kamelot

/// How long each resource is free from now on.
struct Opening {
  /// By place on the platform: 0 if it is not free now, the greatest number if nobody is known who
  /// needs it within the horizon.
  private var lengths: [Seconds]
  /// The different lengths of what is free now, ascending.
  let steps: [Seconds]

  /// What holders and the jobs with precedence leave to `job`. Whoever begins after `horizon` seconds
  /// is not looked at.
  init(for job: WaitingJob, within horizon: Seconds, in snapshot: Snapshot, _ plan: Plan) {
    let places = PlaceTable(snapshot.platform)
    var lengths = [Seconds](repeating: 0, count: snapshot.platform.resources.count)
    for place in snapshot.platform.usable { lengths[place] = .max }
    for holder in snapshot.holding where job.isBesteffort || !holder.isBesteffort {
      for id in holder.resources {
        if let place = places[id] { lengths[place] = 0 }
      }
    }
    let after = plan.jobs(after: job.id)
    for placements in [plan.starts, plan.predictions] {
      for placement in placements where placement.job != job.id && !after.contains(placement.job) {
        let length = max(0, placement.start - snapshot.now)
        guard length < horizon else { continue }
        for id in placement.resources {
          if let place = places[id], lengths[place] > length { lengths[place] = length }
        }
      }
    }
    self.lengths = lengths
    var steps: [Seconds] = []
    for length in lengths.sorted() where length > steps.last ?? 0 { steps.append(length) }
    self.steps = steps
  }

  /// The places that are free for `duration` seconds from now on.
  func free(for duration: Seconds) -> ResourceSet {
    var words = [UInt64](repeating: 0, count: ResourceSet.wordCount(lengths.count))
    for place in lengths.indices where lengths[place] >= duration {
      words[place / 64] |= 1 << UInt64(place % 64)
    }
    return ResourceSet(capacity: lengths.count, words: words)
  }
}

/// The greatest number from 1 to `limit` that `suffices`, given that those below one that does do
/// too; 0 if none does. If that is not given, still one that does while the next does not.
func greatest(of limit: Int, suffices: (Int) -> Bool) -> Int {
  var low = 0
  var high = limit + 1
  while high - low > 1 {
    let middle = low + (high - low) / 2
    if suffices(middle) { low = middle } else { high = middle }
  }
  return low
}

/// Where resources stand on a platform, by id: faster than asking the platform a hundred thousand
/// times.
private struct PlaceTable {
  private var places: [Int32] = []
  private let platform: Platform

  init(_ platform: Platform) {
    self.platform = platform
    let highest = platform.ids.max() ?? 0
    guard highest < 16 * platform.ids.count + 1024 else { return }
    places = [Int32](repeating: -1, count: max(0, highest) + 1)
    for (place, id) in platform.ids.enumerated() where id >= 0 && places[id] < 0 {
      places[id] = Int32(place)
    }
  }

  subscript(id: ResourceID) -> Int? {
    guard places.indices.contains(id) else { return platform.place(of: id) }
    let place = places[id]
    return place < 0 ? nil : Int(place)
  }
}
