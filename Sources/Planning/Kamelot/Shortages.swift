// What the jobs of a plan wait for, by job. Noted for nearly each of them in each pass and seldom asked:
// a list that is searched by halves costs less than a dictionary.

import ClusterModel

/// The shortages of a pass.
struct Shortages: Sendable {
  private var entries: [(job: JobID, shortage: Shortage)] = []
  /// Whether the jobs ascend.
  private var isSorted = true

  var jobs: [JobID] { entries.map(\.job) }

  mutating func reserveCapacity(_ count: Int) { entries.reserveCapacity(count) }

  /// Notes the shortage of a job that has none yet.
  mutating func append(_ shortage: Shortage, of job: JobID) {
    if let last = entries.last, last.job >= job { isSorted = false }
    entries.append((job, shortage))
  }

  /// Adds the shortages of other jobs.
  mutating func append(_ others: Shortages) {
    for (job, shortage) in others.entries { append(shortage, of: job) }
    sort()
  }

  /// Puts the jobs in order. To be called when all are noted.
  mutating func sort() {
    guard !isSorted else { return }
    entries.sort { $0.job < $1.job }
    isSorted = true
  }

  mutating func remove(_ job: JobID) {
    if let place = place(of: job) { entries.remove(at: place) }
  }

  subscript(job: JobID) -> Shortage? { place(of: job).map { entries[$0].shortage } }

  private func place(of job: JobID) -> Int? {
    guard isSorted else { return entries.firstIndex { $0.job == job } }
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].job < job { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].job == job ? low : nil
  }
}
