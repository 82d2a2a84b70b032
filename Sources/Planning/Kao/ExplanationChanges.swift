// The search for changes that let a job start now. Each kind of change is a number that must become
// smaller, so the smallest change is found by halving.

import ClusterModel
import Kamelot

/// Searches changes of one job's request.
struct ChangeSearch {
  typealias Change = Kao.Explanation.Change

  /// A change, and which part of what is asked for it leaves, from 0 to 1.
  private typealias Found = (change: Change, kept: Double)

  /// At most so many groups are looked for on the platform: what requests of hundreds of groups,
  /// levels and alternatives could change is not searched to the end.
  private static let effortLimit = 4096

  /// One moldable that can be placed.
  private struct Shape {
    var index: Int
    /// For how long its resources are needed, security time included.
    var duration: Seconds
    /// If it is needed longer, the job's planned moldable ends first and is taken.
    var limit: Seconds
    /// `nil` if nothing on the platform ever satisfies it.
    var request: ResolvedRequest?
    /// What it can have now if nothing is changed.
    var free: ResourceSet
  }

  private let job: WaitingJob
  private let platform: Platform
  private let settings: PlanningSettings
  private let opening: Opening
  private var shapes: [Shape] = []
  private var effort = 0

  init(
    for job: WaitingJob, _ placement: Placement?, in snapshot: Snapshot, _ plan: Plan
  ) {
    self.job = job
    platform = snapshot.platform
    settings = snapshot.settings
    let durations = job.moldables.map { job.duration(of: $0, snapshot.settings) }
    let horizon = max(settings.holeMinimum, durations.lazy.compactMap(\.self).max() ?? 0)
    opening = Opening(for: job, within: horizon, in: snapshot, plan)
    for (index, duration) in durations.enumerated() {
      guard let duration else { continue }
      var limit = Seconds.max
      if let placement, placement.moldable != index {
        // Of two that end together the first is taken.
        limit = placement.end + (index < placement.moldable ? 1 : 0) - snapshot.now
      }
      shapes.append(
        Shape(
          index: index, duration: duration, limit: limit,
          request: resolve(job.moldables[index].groups, job.properties),
          free: opening.free(for: max(duration, settings.holeMinimum))))
    }
  }

  /// Whether nothing keeps the job from starting now; then no change is needed.
  var startsAsItIs: Bool {
    shapes.contains { shape in
      shape.duration <= shape.limit && shape.request?.pick(from: shape.free) != nil
    }
  }

  /// All changes that help alone, smallest first; if none does, walltimes with counts.
  mutating func changes(rest: (String) -> String) -> [Change] {
    var found: [Found] = []
    for shape in shapes {
      found += alone(shape)
      found += shorter(shape)
      found += fewer(shape)
    }
    // Changes of conditions come after those of numbers.
    found += withoutCondition(rest)
    for shape in shapes { found += withoutGroupConditions(shape, rest) }
    if found.isEmpty {
      for shape in shapes { found += shorterWithFewer(shape) }
    }
    let sorted = found.enumerated().sorted {
      ($1.element.kept, $0.offset) < ($0.element.kept, $1.offset)
    }
    return sorted.prefix(Kao.Explanation.changeLimit).map(\.element.change)
  }

  // MARK: Changes alone

  /// The moldable without the others, if one that would end before is what it waits for.
  private func alone(_ shape: Shape) -> [Found] {
    guard shape.duration > shape.limit, shape.request?.pick(from: shape.free) != nil else {
      return []
    }
    return [(.moldable(shape.index), 1)]
  }

  private mutating func shorter(_ shape: Shape) -> [Found] {
    guard let request = shape.request, let longest = longest(for: request, shape),
      let walltime = walltime(within: min(longest, shape.limit), of: shape)
    else { return [] }
    return [(.walltime(moldable: shape.index, walltime), kept(walltime, of: shape))]
  }

  /// One count less, for each of the counts, the last level first.
  private mutating func fewer(_ shape: Shape) -> [Found] {
    guard shape.duration <= shape.limit else { return [] }
    var found: [Found] = []
    for (group, level) in levels(of: shape) {
      let asked = countLimit(shape, group, level)
      let count = greatestCount(shape, group, level, below: asked, in: shape.free)
      guard count > 0 else { continue }
      let change = Change.count(
        moldable: shape.index, group: group, level: level, .exactly(count))
      found.append((change, Double(count) / Double(asked)))
    }
    return found
  }

  /// Drops the condition of the whole job. If that makes several moldables possible, one that can
  /// start now must be the shortest: else another one might end before it and be taken.
  private mutating func withoutCondition(_ rest: (String) -> String) -> [Found] {
    let condition = rest(job.properties)
    guard condition != job.properties else { return [] }
    var shortest = Seconds.max
    var shortestNow = Seconds.max
    for shape in shapes {
      guard let request = resolve(job.moldables[shape.index].groups, condition) else { continue }
      shortest = min(shortest, shape.duration)
      if suffices(shape.free, for: request, shape) {
        shortestNow = min(shortestNow, shape.duration)
      }
    }
    return shortestNow < .max && shortestNow == shortest ? [(.jobCondition(condition), 0)] : []
  }

  private mutating func withoutGroupConditions(
    _ shape: Shape, _ rest: (String) -> String
  ) -> [Found] {
    guard shape.duration <= shape.limit else { return [] }
    var found: [Found] = []
    for (index, group) in job.moldables[shape.index].groups.enumerated() {
      let condition = rest(group.properties)
      guard condition != group.properties else { continue }
      let change = Change.groupCondition(moldable: shape.index, group: index, condition)
      let groups = change.applied(to: job).moldables[shape.index].groups
      guard let request = resolve(groups, job.properties) else { continue }
      if suffices(shape.free, for: request, shape) { found.append((change, 0)) }
    }
    return found
  }

  // MARK: Two changes at once

  /// A shorter walltime with a smaller count, such that the one of which less is left has as much
  /// left as can be.
  private mutating func shorterWithFewer(_ shape: Shape) -> [Found] {
    var found: [Found] = []
    for (group, level) in levels(of: shape) {
      if let best = shorterWithFewer(shape, group, level) { found.append(best) }
    }
    return found
  }

  private mutating func shorterWithFewer(_ shape: Shape, _ group: Int, _ level: Int) -> Found? {
    let asked = countLimit(shape, group, level)
    /// The greatest count for as long as a step, and the lesser of both shares.
    func best(step: Int) -> (count: Int, kept: Double, walltimeIsMore: Bool)? {
      let length = min(opening.steps[step - 1], shape.limit)
      guard let walltime = walltime(within: length, of: shape) else { return nil }
      let free = opening.free(for: length)
      let count = greatestCount(shape, group, level, below: asked, in: free)
      let (byTime, byCount) = (kept(walltime, of: shape), Double(count) / Double(asked))
      return (count, min(byTime, byCount), byTime >= byCount)
    }
    // The longer the step, the smaller the count; the best is where the shares meet.
    let usable = opening.steps.count { $0 < shape.duration }
    let meeting = greatest(of: usable) { best(step: $0)?.walltimeIsMore != true }
    let choices = [meeting, meeting + 1].filter { (1...max(1, usable)).contains($0) && usable > 0 }
    let chosen = choices.compactMap { best(step: $0) }.filter { $0.count > 0 }
      .max { $0.kept < $1.kept }
    guard let count = chosen?.count,
      let request = resolve(changing(shape, group, level, to: count), job.properties),
      let longest = longest(for: request, shape),
      let walltime = walltime(within: min(longest, shape.limit), of: shape)
    else { return nil }
    let change = Change.walltimeAndCount(
      moldable: shape.index, walltime, group: group, level: level, .exactly(count))
    return (change, min(kept(walltime, of: shape), Double(count) / Double(asked)))
  }

  // MARK: Steps

  /// The groups and levels of a moldable, in each group the last level first.
  private func levels(of shape: Shape) -> [(group: Int, level: Int)] {
    let groups = job.moldables[shape.index].groups
    return groups.indices.flatMap { group in
      groups[group].levels.indices.reversed().map { (group, $0) }
    }
  }

  /// The count that is asked for, or one more than there can be for `ALL` and its like.
  private func countLimit(_ shape: Shape, _ group: Int, _ level: Int) -> Int {
    let count = job.moldables[shape.index].groups[group].levels[level].count
    if case .exactly(let asked) = count { return asked }
    return platform.resources.count + 1
  }

  /// The greatest count below `asked` for which `free` suffices; 0 if none does.
  private mutating func greatestCount(
    _ shape: Shape, _ group: Int, _ level: Int, below asked: Int, in free: ResourceSet
  ) -> Int {
    let count = greatest(of: min(asked - 1, platform.resources.count)) { count in
      guard let request = resolve(changing(shape, group, level, to: count), job.properties) else {
        return false
      }
      return suffices(free, for: request, shape)
    }
    return effort > ChangeSearch.effortLimit ? 0 : count
  }

  /// The greatest duration for which `request` finds its resources from now on; `nil` if none.
  private mutating func longest(for request: ResolvedRequest, _ shape: Shape) -> Seconds? {
    let fitting = greatest(of: opening.steps.count) { step in
      suffices(opening.free(for: opening.steps[step - 1]), for: request, shape)
    }
    return fitting == 0 || effort > ChangeSearch.effortLimit ? nil : opening.steps[fitting - 1]
  }

  /// Whether a request of a moldable finds its resources in `free`, if there is effort left to look.
  private mutating func suffices(
    _ free: ResourceSet, for request: ResolvedRequest, _ shape: Shape
  ) -> Bool {
    effort += job.moldables[shape.index].groups.count
    return effort <= ChangeSearch.effortLimit && request.pick(from: free) != nil
  }

  private func changing(
    _ shape: Shape, _ group: Int, _ level: Int, to count: Int
  ) -> [RequestGroup] {
    var groups = job.moldables[shape.index].groups
    groups[group].levels[level].count = .exactly(count)
    return groups
  }

  private func resolve(_ groups: [RequestGroup], _ properties: String) -> ResolvedRequest? {
    guard case .possible(let request) = platform.resolve(groups, properties: properties) else {
      return nil
    }
    return request
  }

  /// The walltime that fits into a length of time; `nil` if none does, or it is no change.
  private func walltime(within length: Seconds, of shape: Shape) -> Seconds? {
    let security = max(0, settings.jobSecurityTime)
    guard length > security, length < shape.duration, length >= settings.holeMinimum else {
      return nil
    }
    return length - security
  }

  /// The share of its walltime that a moldable keeps.
  private func kept(_ walltime: Seconds, of shape: Shape) -> Double {
    Double(walltime) / Double(max(1, shape.duration - max(0, settings.jobSecurityTime)))
  }
}

extension WaitingJob {
  /// For how long a moldable's resources are needed; `nil` if its walltime is none.
  fileprivate func duration(of moldable: Moldable, _ settings: PlanningSettings) -> Seconds? {
    guard (1...endOfTime).contains(moldable.walltime) else { return nil }
    return settings.runTime(of: moldable.walltime, isBesteffort: isBesteffort)
      + max(0, settings.jobSecurityTime)
  }
}
