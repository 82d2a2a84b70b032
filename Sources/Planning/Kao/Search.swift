// The earliest spot of a job: what the timelines allow and the quotas do not forbid.

import ClusterModel
import Kamelot

/// Where a job fits, and what kept it from starting earlier besides resources.
struct Found {
  var choice: Choice
  var spot: Spot
  /// The quota that forbade earlier starts, if one did.
  var excess: QuotaExcess?
}

extension Pass {
  /// The moldable that would end first, and its spot; the first of those that end together. Without
  /// any spot, the quota that forbids all of them, if one does.
  mutating func earliestFinish(
    _ index: Int, of job: ReadyJob, notBefore: Instant
  ) -> (found: Found?, excess: QuotaExcess?) {
    let account =
      quotas == nil || job.traits.isWithoutQuotas ? nil : account(of: snapshot.waiting[index])
    var best: Found?
    var forbidden: QuotaExcess?
    for choice in job.choices {
      let query = query(for: choice, of: job, notBefore: notBefore, better: best)
      let result = findSpot(query, account)
      if let spot = result.spot {
        best = Found(choice: choice, spot: spot, excess: result.excess)
      } else {
        forbidden = forbidden ?? result.excess
      }
    }
    return (best, forbidden)
  }

  /// The search for a spot of one moldable that ends before the best of the others.
  func query(
    for choice: Choice, of job: ReadyJob, notBefore: Instant, better best: Found?
  ) -> SpotQuery {
    var query = SpotQuery(choice.request, duration: choice.duration, notBefore: notBefore)
    query.space = job.traits.inner
    query.sharing = job.traits.sharing
    query.limit = best.map { $0.spot.end - choice.duration } ?? .max
    if let deadline = job.traits.deadline {
      let walltime = choice.duration - max(0, snapshot.settings.jobSecurityTime)
      query.limit = min(query.limit, deadline - walltime + 1)
    }
    return query
  }

  /// The earliest spot that quotas allow. Each refusal moves on to where they might, so this ends.
  private mutating func findSpot(
    _ query: SpotQuery, _ account: QuotaAccount?
  ) -> (spot: Spot?, excess: QuotaExcess?) {
    guard let account else { return (findFreeSpot(query), nil) }
    var query = query
    var excess: QuotaExcess?
    while let spot = findFreeSpot(query) {
      guard let refused = refusal(of: spot, account) else { return (spot, excess) }
      excess = excess ?? refused
      guard let next = nextTry(query, after: spot, refused), next > spot.start else {
        return (nil, excess)
      }
      query.notBefore = next
    }
    return (nil, excess)
  }

  /// When a job may be tried again after a quota refused a spot. One that takes more than it must there
  /// (BEST, hosts of several sizes) may take less as soon as anything begins or ends. After the window
  /// that is planned ahead nothing is tried.
  func nextTry(_ query: SpotQuery, after spot: Spot, _ refused: QuotaExcess) -> Instant? {
    guard spot.resources.count > query.request.need, refused.limit != .window else {
      return refused.retryAt
    }
    var query = query
    query.notBefore = spot.start
    var next = [refused.retryAt, nextTurn(query)]
    if let quotas = snapshot.quotas { next.append(quotas.rules(at: spot.start).until) }
    return next.compactMap(\.self).min().flatMap { $0 < .max ? $0 : nil }
  }

  /// The first instant after `query.notBefore` at which what is free may change; `nil` for never.
  func nextTurn(_ query: SpotQuery) -> Instant? {
    let turn = planner.firstTurn(after: query.notBefore, in: query.space)
    return turn < .max ? turn : nil
  }

  // MARK: Quotas

  /// The account of a job; `nil` if there are no quotas.
  mutating func account(of job: WaitingJob) -> QuotaAccount? {
    quotas?.account(
      queue: job.queue, project: job.project, types: job.types, user: job.user)
  }

  /// The quota that a spot would exceed.
  mutating func refusal(of spot: Spot, _ account: QuotaAccount) -> QuotaExcess? {
    let verdict = quotas?.earliestAllowed(
      account, resources: spot.resources.count, duration: spot.end - spot.start, from: spot.start)
    guard case .exceeded(let excess) = verdict else { return nil }
    return excess
  }

  /// Counts a job that has a spot.
  mutating func count(_ job: WaitingJob, _ spot: Spot) {
    guard let account = account(of: job) else { return }
    quotas?.add(account, resources: spot.resources.count, from: spot.start, to: spot.end)
  }

  /// Counts a job that has resources already.
  mutating func count(_ job: HoldingJob, until end: Instant) {
    guard quotas != nil else { return }
    guard
      let account = quotas?.account(
        queue: job.queue, project: job.project, types: job.types, user: job.user)
    else { return }
    quotas?.add(account, resources: job.resources.count, from: job.start, to: end)
  }
}
