// How much of something is in use over time: a step function that stays fast when it has many steps.

import ClusterModel

/// The use of one counter over time, from an instant on and for ever.
///
/// Steps stand in chunks of up to 64, and each chunk knows its greatest and least use and what is to
/// be added to all its steps. So whatever is asked about a span costs two chunks at its ends and one
/// comparison for each chunk between: among 100,000 steps some 3,000 comparisons of neighbours in
/// memory at worst. A job that is added costs the same.
struct StepCounter: Sendable {
  private struct Step: Sendable {
    var start: Instant
    var use: QuotaUse
  }

  private struct Chunk: Sendable {
    var steps: [Step]
    /// What is to be added to all its steps.
    var common = QuotaUse.none
    // With `common`.
    var greatest = QuotaUse.none
    var least = QuotaUse.none
    let start: Instant

    init(_ steps: [Step], common: QuotaUse, start: Instant) {
      self.steps = steps
      self.common = common
      self.start = start
      summarize()
    }

    mutating func summarize() {
      guard var greatest = steps.first?.use else { return }
      var least = greatest
      for step in steps {
        greatest = QuotaUse.greatest(greatest, step.use)
        least = QuotaUse.least(least, step.use)
      }
      self.greatest = greatest + common
      self.least = least + common
    }

    /// How many steps begin before an instant.
    func count(before instant: Instant) -> Int {
      var (low, high) = (0, steps.count)
      while low < high {
        let middle = (low + high) / 2
        if steps[middle].start < instant { low = middle + 1 } else { high = middle }
      }
      return low
    }

    /// The steps that are in force at some time from `from` to before `to`.
    func steps(from: Instant, to: Instant) -> Range<Int> {
      let end = count(before: to)
      return min(end, from <= start ? 0 : count(before: from + 1) - 1)..<end
    }
  }

  private static let chunkLimit = 64
  private var chunks: [Chunk]

  /// Nothing in use from an instant on.
  init(from start: Instant) {
    chunks = [Chunk([Step(start: start, use: .none)], common: .none, start: start)]
  }

  /// Adds use from `from` to before `to`; `Instant.max` is the end of time.
  mutating func add(_ use: QuotaUse, from: Instant, to: Instant) {
    let from = max(from, chunks[0].start)
    guard from < to else { return }
    cut(at: from)
    if to < .max { cut(at: to) }
    var index = chunk(at: from)
    while index < chunks.count, chunks[index].start < to {
      let end = index + 1 < chunks.count ? chunks[index + 1].start : .max
      if chunks[index].start >= from, end <= to {
        chunks[index].common = chunks[index].common + use
        chunks[index].greatest = chunks[index].greatest + use
        chunks[index].least = chunks[index].least + use
      } else {
        for step in chunks[index].steps(from: from, to: to) {
          chunks[index].steps[step].use = chunks[index].steps[step].use + use
        }
        chunks[index].summarize()
      }
      index += 1
    }
  }

  /// The greatest use of each of the three from `from` to before `to`.
  func peak(from: Instant, to: Instant) -> QuotaUse {
    var peak = QuotaUse.none
    var index = chunk(at: from)
    while index < chunks.count, chunks[index].start < to {
      let end = index + 1 < chunks.count ? chunks[index + 1].start : .max
      if chunks[index].start >= from, end <= to {
        peak = QuotaUse.greatest(peak, chunks[index].greatest)
      } else {
        for step in chunks[index].steps(from: from, to: to) {
          peak = QuotaUse.greatest(peak, chunks[index].steps[step].use + chunks[index].common)
        }
      }
      index += 1
    }
    return peak
  }

  /// If more than `room` is in use at some time from `from` to before `to`: the first instant after
  /// the last such time when it is not any more, whether in the span or later; `Instant.max` if that
  /// never comes.
  func endOfLastExcess(over room: QuotaUse, from: Instant, to: Instant) -> Instant? {
    var index = chunk(at: to - 1)
    while true {
      let chunk = chunks[index]
      if chunk.greatest.exceeds(room) {
        for step in chunk.steps(from: from, to: to).reversed()
        where (chunk.steps[step].use + chunk.common).exceeds(room) {
          return endOfExcess(over: room, chunk: index, step: step + 1)
        }
      }
      guard chunk.start > from, index > 0 else { return nil }
      index -= 1
    }
  }

  /// The start of the first step within `room`, from a step on.
  private func endOfExcess(over room: QuotaUse, chunk first: Int, step: Int) -> Instant {
    for index in first..<chunks.count where index == first || !chunks[index].least.exceeds(room) {
      let chunk = chunks[index]
      for step in (index == first ? step : 0)..<chunk.steps.count
      where !(chunk.steps[step].use + chunk.common).exceeds(room) {
        return chunk.steps[step].start
      }
    }
    return .max
  }

  /// The chunk in force at an instant; the first for all time before it.
  private func chunk(at instant: Instant) -> Int {
    var (low, high) = (1, chunks.count)
    while low < high {
      let middle = (low + high) / 2
      if chunks[middle].start <= instant { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  /// Makes a step begin at an instant, as high as the one that it cuts.
  private mutating func cut(at instant: Instant) {
    let index = chunk(at: instant)
    let place = chunks[index].count(before: instant)
    if place < chunks[index].steps.count, chunks[index].steps[place].start == instant { return }
    let use = place > 0 ? chunks[index].steps[place - 1].use : .none
    chunks[index].steps.insert(Step(start: instant, use: use), at: place)
    guard chunks[index].steps.count > Self.chunkLimit else { return }
    let upper = Array(chunks[index].steps[(Self.chunkLimit / 2)...])
    chunks[index].steps.removeLast(upper.count)
    chunks[index].summarize()
    chunks.insert(
      Chunk(upper, common: chunks[index].common, start: upper[0].start), at: index + 1)
  }
}
