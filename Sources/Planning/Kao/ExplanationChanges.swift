// The search for changes that let a job start now. Each kind of change is a number that must become
// smaller, so the smallest change is found by halving.

import ClusterModel
import Kamelot

/// Searches changes of one job's request.
struct ChangeSearch {
  typealias Change = Kao.Explanation.Change

  /// A change, and which part of what is asked for it leaves, from 0 to 1; conditions have 0, and what
  /// comes after them less.
  typealias Found = (change: Change, kept: Double)

  /// At most so many groups are looked for on the platform: what requests of hundreds of groups,
  /// levels and alternatives could change is not searched to the end.
  private static let effortLimit = 4096

  /// One moldable that can be placed.
  struct Shape {
    var index: Int
    /// For how long its resources are needed, security time included.
    var duration: Seconds
    /// If it is needed longer, the job's planned moldable ends first and is taken.
    var limit: Seconds
    /// If it is needed longer, it does not end by the job's deadline.
    var latest: Seconds
    /// `nil` if nothing on the platform ever satisfies it.
    var request: ResolvedRequest?

    /// The longest that may help.
    var longest: Seconds { min(limit, latest) }
  }

  let inquiry: Inquiry
  let ahead: Ahead
  var opening: Opening
  private var shapes: [Shape] = []
  private var effort = 0

  private var job: WaitingJob { inquiry.job }
  private var security: Seconds { max(0, inquiry.snapshot.settings.jobSecurityTime) }

  init(_ inquiry: Inquiry) {
    self.inquiry = inquiry
    let (job, snapshot) = (inquiry.job, inquiry.snapshot)
    let traits = job.knownTraits(snapshot.settings)
    let durations = job.moldables.map { job.duration(of: $0, snapshot.settings) }
    var horizon = max(
      snapshot.settings.holeMinimum, durations.lazy.compactMap(\.self).max() ?? 0)
    if let excess = inquiry.found.quota {
      // Whoever uses the quota when it is refused is told.
      horizon = max(horizon, (excess.start - snapshot.now).addingCapped(excess.duration))
    }
    ahead = Ahead(inquiry, traits, within: horizon)
    opening = Opening(ahead, for: job)
    for (index, duration) in durations.enumerated() {
      guard let duration else { continue }
      var limit = Seconds.max
      if let placement = inquiry.placement, placement.moldable != index {
        // Of two that end together the first is taken.
        limit = placement.end + (index < placement.moldable ? 1 : 0) - snapshot.now
      }
      let latest = traits.deadline.map { ($0 - snapshot.now).addingCapped(security) } ?? .max
      shapes.append(
        Shape(
          index: index, duration: duration, limit: limit, latest: latest,
          request: resolve(job.moldables[index].groups, job.properties)))
    }
  }

  /// The moldable whose constraint is told: the planned one, else the first that can be placed at all.
  var binding: Shape? {
    let planned = shapes.first { $0.index == inquiry.placement?.moldable }
    return planned ?? shapes.first { $0.request != nil }
  }

  /// Whether nothing keeps the job from starting now; then no change is needed.
  var startsAsItIs: Bool {
    mutating get {
      for shape in shapes where shape.duration <= shape.longest {
        if let request = shape.request, opening.suits(request, for: shape.duration) { return true }
      }
      return false
    }
  }

  /// All changes that help alone, smallest first; if none does, walltimes with counts.
  mutating func changes(
    rest: (String) -> String, besteffort: (WaitingJob) -> WaitingJob?
  ) -> [Change] {
    guard opening.hasSpace else { return [] }
    var found: [Found] = []
    for shape in shapes {
      found += alone(shape)
      found += shorter(shape)
      found += fewer(shape)
      found += withoutGroup(shape)
    }
    // Changes of conditions come after those of numbers.
    found += withoutCondition(rest)
    for shape in shapes { found += withoutGroupConditions(shape, rest) }
    if found.isEmpty {
      for shape in shapes { found += shorterWithFewer(shape) }
    }
    found += asBesteffort(besteffort)
    let sorted = found.enumerated().sorted {
      ($1.element.kept, $0.offset) < ($0.element.kept, $1.offset)
    }
    let keeper = OrderKeeper(inquiry)
    return sorted.map(\.element.change).filter(keeper.allows)
      .prefix(Kao.Explanation.changeLimit).map(\.self)
  }

  // MARK: Changes alone

  /// The moldable without the others, if one that would end before is what it waits for.
  private mutating func alone(_ shape: Shape) -> [Found] {
    guard shape.duration > shape.limit, shape.duration <= shape.latest, let request = shape.request,
      opening.suits(request, for: shape.duration)
    else { return [] }
    return [(.moldable(shape.index), 1)]
  }

  private mutating func shorter(_ shape: Shape) -> [Found] {
    guard let request = shape.request, let longest = longest(for: request, shape),
      let walltime = walltime(within: longest, of: shape)
    else { return [] }
    return [(.walltime(moldable: shape.index, walltime), kept(walltime, of: shape))]
  }

  /// One count less, for each of the counts, the last level first.
  private mutating func fewer(_ shape: Shape) -> [Found] {
    guard shape.duration <= shape.longest else { return [] }
    var found: [Found] = []
    for (group, level) in levels(of: shape) {
      let asked = countLimit(shape, group, level)
      let count = greatestCount(shape, group, level, below: asked, for: shape.duration)
      guard count > 0 else { continue }
      let change = Change.count(
        moldable: shape.index, group: group, level: level, .exactly(count))
      found.append((change, Double(count) / Double(asked)))
    }
    return found
  }

  /// One of several groups less.
  private mutating func withoutGroup(_ shape: Shape) -> [Found] {
    let groups = job.moldables[shape.index].groups
    guard groups.count > 1, shape.duration <= shape.longest else { return [] }
    var found: [Found] = []
    for index in groups.indices {
      let change = Change.withoutGroup(moldable: shape.index, group: index)
      let rest = change.applied(to: job).moldables[shape.index].groups
      guard let request = resolve(rest, job.properties),
        suffices(request, for: shape.duration, shape)
      else { continue }
      let whole = shape.request?.need ?? request.need * groups.count / rest.count
      found.append((change, Double(request.need) / Double(max(1, whole))))
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
    for shape in shapes where shape.duration <= shape.latest {
      guard let request = resolve(job.moldables[shape.index].groups, condition) else { continue }
      shortest = min(shortest, shape.duration)
      if suffices(request, for: shape.duration, shape) {
        shortestNow = min(shortestNow, shape.duration)
      }
    }
    return shortestNow < .max && shortestNow == shortest ? [(.jobCondition(condition), 0)] : []
  }

  private mutating func withoutGroupConditions(
    _ shape: Shape, _ rest: (String) -> String
  ) -> [Found] {
    guard shape.duration <= shape.longest else { return [] }
    var found: [Found] = []
    for (index, group) in job.moldables[shape.index].groups.enumerated() {
      let condition = rest(group.properties)
      guard condition != group.properties else { continue }
      let change = Change.groupCondition(moldable: shape.index, group: index, condition)
      let groups = change.applied(to: job).moldables[shape.index].groups
      guard let request = resolve(groups, job.properties) else { continue }
      if suffices(request, for: shape.duration, shape) { found.append((change, 0)) }
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
    let steps = opening.steps
    /// The greatest count for as long as a step, and the lesser of both shares.
    func best(step: Int) -> (count: Int, kept: Double, walltimeIsMore: Bool)? {
      let length = min(steps[step - 1], shape.longest)
      guard let walltime = walltime(within: length, of: shape) else { return nil }
      let count = greatestCount(shape, group, level, below: asked, for: length)
      let (byTime, byCount) = (kept(walltime, of: shape), Double(count) / Double(asked))
      return (count, min(byTime, byCount), byTime >= byCount)
    }
    // The longer the step, the smaller the count; the best is where the shares meet.
    let usable = steps.count { $0 < shape.duration }
    let meeting = greatest(of: usable) { best(step: $0)?.walltimeIsMore != true }
    let choices = [meeting, meeting + 1].filter { (1...max(1, usable)).contains($0) && usable > 0 }
    let chosen = choices.compactMap { best(step: $0) }.filter { $0.count > 0 }
      .max { $0.kept < $1.kept }
    guard let count = chosen?.count,
      let request = resolve(changing(shape, group, level, to: count), job.properties),
      let longest = longest(for: request, shape),
      let walltime = walltime(within: longest, of: shape)
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
    return inquiry.snapshot.platform.resources.count + 1
  }

  /// The greatest count below `asked` that is open for a duration; 0 if none is.
  private mutating func greatestCount(
    _ shape: Shape, _ group: Int, _ level: Int, below asked: Int, for duration: Seconds
  ) -> Int {
    let count = greatest(of: min(asked - 1, inquiry.snapshot.platform.resources.count)) { count in
      guard let request = resolve(changing(shape, group, level, to: count), job.properties) else {
        return false
      }
      return suffices(request, for: duration, shape)
    }
    return effort > ChangeSearch.effortLimit ? 0 : count
  }

  /// The greatest duration for which `request` is open from now on, and which is not too long for its
  /// shape; `nil` if none is.
  private mutating func longest(for request: ResolvedRequest, _ shape: Shape) -> Seconds? {
    let steps = opening.steps.map { min($0, shape.longest) }
    let fitting = greatest(of: steps.count) { suffices(request, for: steps[$0 - 1], shape) }
    var longest = fitting == 0 ? 0 : steps[fitting - 1]
    if !opening.isExact {
      // Work may run out between two steps.
      let next = min(fitting < steps.count ? steps[fitting] : longest, shape.duration)
      let low = longest
      if next > low {
        longest += greatest(of: next - low - 1) { suffices(request, for: low + $0, shape) }
      }
    }
    return longest <= 0 || effort > ChangeSearch.effortLimit ? nil : longest
  }

  /// Whether a request of a moldable could start now for a duration, if there is effort left to look.
  private mutating func suffices(
    _ request: ResolvedRequest, for duration: Seconds, _ shape: Shape
  ) -> Bool {
    effort += job.moldables[shape.index].groups.count
    return duration > 0 && effort <= ChangeSearch.effortLimit
      && opening.suits(request, for: duration)
  }

  private func changing(
    _ shape: Shape, _ group: Int, _ level: Int, to count: Int
  ) -> [RequestGroup] {
    var groups = job.moldables[shape.index].groups
    groups[group].levels[level].count = .exactly(count)
    return groups
  }

  private func resolve(_ groups: [RequestGroup], _ properties: String) -> ResolvedRequest? {
    let scope = ahead.traits.scope(inquiry.snapshot.settings)
    guard
      case .possible(let request) = inquiry.snapshot.platform.resolve(
        groups, properties: properties, scope: scope)
    else { return nil }
    return request
  }

  /// The walltime that fits into a length of time; `nil` if none does, or it is no change.
  private func walltime(within length: Seconds, of shape: Shape) -> Seconds? {
    guard length > security, length < shape.duration else { return nil }
    return length - security
  }

  /// The share of its walltime that a moldable keeps.
  private func kept(_ walltime: Seconds, of shape: Shape) -> Double {
    Double(walltime) / Double(max(1, shape.duration - security))
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
