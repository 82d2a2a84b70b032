// What stands before one waiting job in a plan: who has resources, and who is promised some. Laid out
// again without searching, so that it can be asked what would have been if the job were another.

import ClusterModel
import Kamelot

/// The jobs that take precedence over one job, as far as they matter to a start now.
struct Ahead {
  let snapshot: Snapshot
  let traits: JobTraits
  /// Whether besteffort jobs keep what they hold.
  let countsBesteffort: Bool
  /// Those that begin within the horizon, reservations that were accepted among them.
  private(set) var placements: [Placement] = []
  /// Reservations that were accepted, by their place in the snapshot.
  let promised: [Int]
  private let order: PlannedOrder

  /// Whoever begins later than `horizon` seconds from now is left out.
  init(_ inquiry: Inquiry, _ traits: JobTraits, within horizon: Seconds) {
    self.traits = traits
    snapshot = inquiry.snapshot
    order = inquiry.order
    countsBesteffort = inquiry.countsBesteffort
    promised = snapshot.waiting.indices.filter { [snapshot] in
      snapshot.waiting[$0].reservation?.promised != nil
    }
    let end = snapshot.now.addingCapped(horizon)
    add(inquiry.plan.starts, before: end, but: inquiry.job.id)
    add(inquiry.plan.predictions, before: end, but: inquiry.job.id)
  }

  private mutating func add(_ list: [Placement], before end: Instant, but job: JobID) {
    for index in list.indices
    where list[index].start < end && list[index].job != job && order.isAhead(list[index].job) {
      placements.append(list[index])
    }
  }

  /// A pass up to the job: all before it have their places, nothing is searched.
  ///
  /// - Parameter withReservations: whether reservations that were accepted keep their resources.
  func replayed(withReservations: Bool = true) -> Pass {
    var pass = Pass(snapshot, JobOrder(), .none)
    pass.holdResources(ofBesteffort: false)
    for index in promised where withReservations { pass.keepPromise(index) }
    let kept = Set(promised.map { snapshot.waiting[$0].id })
    let others = placements.filter { !kept.contains($0.job) }
      .sorted { order.rank($0.job) < order.rank($1.job) }
    let jobs = waiting(others)
    for placement in others {
      let spot = placement.spot
      guard let job = jobs[placement.job] else {
        pass.keepBusy(spot, .none)
        continue
      }
      // From the first besteffort job on, those that run keep what they have.
      if !pass.holdsBesteffort, job.isBesteffort, job.reservation == nil {
        pass.holdResources(ofBesteffort: true)
      }
      pass.keepBusy(spot, job.knownTraits(snapshot.settings))
      pass.count(job, spot)
    }
    if countsBesteffort, !pass.holdsBesteffort { pass.holdResources(ofBesteffort: true) }
    return pass
  }

  /// The jobs of placements by their ids.
  private func waiting(_ placements: [Placement]) -> [JobID: WaitingJob] {
    let wanted = Set(placements.lazy.map(\.job))
    var jobs: [JobID: WaitingJob] = [:]
    for index in snapshot.waiting.indices where wanted.contains(snapshot.waiting[index].id) {
      jobs[snapshot.waiting[index].id] = snapshot.waiting[index]
    }
    return jobs
  }

  /// The jobs that have resources and count.
  var holders: some Sequence<HoldingJob> {
    snapshot.holding.lazy.filter { countsBesteffort || !$0.isBesteffort }
  }

  /// All that quotas may count, with their accounts in the ledger of a pass.
  func quotaUsers(in pass: inout Pass) -> [QuotaUser] {
    let security = snapshot.settings.jobSecurityTime
    var users: [QuotaUser] = []
    for job in holders {
      guard let account = pass.quotas?.account(of: job) else { continue }
      users.append(
        QuotaUser(
          job: job.id, account: account, resources: job.resources.count, start: job.start,
          end: job.end(security: security, now: snapshot.now)))
    }
    let jobs = waiting(placements)
    for placement in placements {
      guard let job = jobs[placement.job], let account = pass.account(of: job) else { continue }
      users.append(
        QuotaUser(
          job: job.id, account: account, resources: placement.places.count,
          start: placement.start, end: placement.spot.end))
    }
    return users
  }

  /// The jobs that have, or are promised, some of `reach` before `end` and keep it from a job in the same
  /// space, nearest end first; at most ``Reasons/blockerLimit``.
  func inTheWay(on reach: ResourceSet, before end: Instant) -> [JobID] {
    var found: [(until: Instant, job: JobID)] = []
    func add(_ job: JobID, _ traits: JobTraits, _ places: ResourceSet, until: Instant) {
      guard traits.inner == self.traits.inner,
        !self.traits.sharing.isWelcome(where: traits.sharing), !places.isDisjoint(with: reach)
      else { return }
      found.append((until, job))
    }
    let security = snapshot.settings.jobSecurityTime
    for job in holders {
      add(
        job.id, job.traits(snapshot.settings), snapshot.platform.places(of: job.resources),
        until: job.end(security: security, now: snapshot.now))
    }
    let jobs = waiting(placements)
    for placement in placements where placement.start < end {
      let traits = jobs[placement.job]?.knownTraits(snapshot.settings) ?? .none
      add(placement.job, traits, placement.places, until: placement.spot.end)
    }
    return Array(
      found.sorted { ($0.until, $0.job) < ($1.until, $1.job) }.map(\.job)
        .prefix(Reasons.blockerLimit))
  }
}

extension Inquiry {
  /// The job that opens a container first, and when: now for one that runs; `nil` if nobody before the job
  /// does.
  func opener(of container: String) -> (job: JobID, start: Instant)? {
    let settings = snapshot.settings
    let running = snapshot.holding.first { $0.traits(settings).container == container }
    if let running { return (running.id, snapshot.now) }
    let planned = snapshot.waiting.filter {
      !$0.types.isEmpty && order.isAhead($0.id) && $0.knownTraits(settings).container == container
    }
    let ids = Set(planned.map(\.id))
    return (plan.starts + plan.predictions).filter { ids.contains($0.job) }
      .map { ($0.job, $0.start) }.min { ($0.1, $0.0) < ($1.1, $1.0) }
  }
}

extension Placement {
  /// Its time and resources.
  fileprivate var spot: Spot {
    Spot(start: start, end: end.addingCapped(1), resources: places)
  }
}

extension WaitingJob {
  /// What its types mean; those that can't be read mean nothing.
  func knownTraits(_ settings: PlanningSettings) -> JobTraits {
    (try? traits(settings)) ?? .none
  }
}

extension JobOrder {
  /// Of nobody.
  fileprivate init() { groups = [] }
}
