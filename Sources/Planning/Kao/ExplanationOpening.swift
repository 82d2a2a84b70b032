// What is open to one waiting job from now on, if only the jobs with precedence are looked at. For a plain
// job that is one length of time for each resource, which is fast; jobs that share, or run in a container,
// and quotas are judged by the pass up to the job, laid out again.

import ClusterModel
import Kamelot

/// Whether one job could start now.
struct Opening {
  private let snapshot: Snapshot
  private let traits: JobTraits
  /// For a plain job, by place on the platform: how long it is free from now on; 0 if it is not, the
  /// greatest number if nobody is known who needs it. `nil` for others.
  private var lengths: [Seconds]?
  /// The pass up to the job, for jobs that are not plain and for quotas.
  private var pass: Pass?
  private var account: QuotaAccount?
  /// The last set that was asked for.
  private var known: (duration: Seconds, free: ResourceSet)?
  /// Durations, ascending, for some of which less is free than for the one before.
  let steps: [Seconds]
  /// Whether what is open changes at the steps and nowhere else.
  var isExact: Bool { pass == nil }

  init(_ ahead: Ahead, for job: WaitingJob, withReservations: Bool = true) {
    snapshot = ahead.snapshot
    traits = ahead.traits
    let isPlain = traits.sharing == .none && traits.inner == nil
    if isPlain { lengths = ahead.lengths(withReservations: withReservations) }
    let isLimited = snapshot.quotas != nil && !traits.isWithoutQuotas
    if !isPlain || isLimited {
      pass = ahead.replayed(withReservations: withReservations)
      if isLimited { account = pass?.account(of: job) }
    }
    var steps: [Seconds] = []
    for length in (lengths ?? ahead.events).sorted() where length > steps.last ?? 0 {
      steps.append(length)
    }
    self.steps = steps
  }

  /// Whether there is the container that the job wants.
  var hasSpace: Bool { pass?.planner.hasSpace(traits.inner) ?? true }

  /// Whether a request could start now for a duration, quotas included.
  mutating func suits(_ request: ResolvedRequest, for duration: Seconds) -> Bool {
    guard let resources = resources(for: request, duration) else { return false }
    guard let account else { return true }
    let spot = Spot(
      start: snapshot.now, end: snapshot.now.addingCapped(duration), resources: resources)
    return pass?.refusal(of: spot, account) == nil
  }

  /// What a request would get now for a duration; `nil` if it does not find its resources.
  mutating func resources(
    for request: ResolvedRequest, _ duration: Seconds
  ) -> ResourceSet? {
    let length = max(duration, snapshot.settings.holeMinimum)
    if lengths == nil {
      let query = query(request, length)
      return pass?.planner.spot(query)?.resources
    }
    return request.pick(from: plainlyFree(for: length))
  }

  /// Those resources that match a request and are open now.
  mutating func free(for request: ResolvedRequest) -> ResourceSet {
    let query = query(request, 1)
    if lengths == nil, let free = pass?.planner.free(query) { return free }
    return plainlyFree(for: 1).intersection(request.reach)
  }

  private func query(_ request: ResolvedRequest, _ duration: Seconds) -> SpotQuery {
    var query = SpotQuery(request, duration: duration, notBefore: snapshot.now)
    query.space = traits.inner
    query.sharing = traits.sharing
    return query
  }

  private mutating func plainlyFree(for duration: Seconds) -> ResourceSet {
    if let known, known.duration == duration { return known.free }
    let lengths = lengths ?? []
    var words = [UInt64](repeating: 0, count: ResourceSet.wordCount(lengths.count))
    for place in lengths.indices where lengths[place] >= duration {
      words[place / 64] |= 1 << UInt64(place % 64)
    }
    let free = ResourceSet(capacity: lengths.count, words: words)
    known = (duration, free)
    return free
  }

  /// How the job stands with a quota; `nil` without quotas.
  mutating func standing(_ excess: QuotaExcess, _ ahead: Ahead) -> QuotaStanding? {
    guard let account, var pass else { return nil }
    self.pass = nil
    defer { self.pass = pass }
    let users = ahead.quotaUsers(in: &pass)
    return pass.quotas?.standing(excess, of: account, among: users)
  }
}

extension Ahead {
  /// For how long each place is free from now on to a plain job.
  fileprivate func lengths(withReservations: Bool) -> [Seconds] {
    let (platform, now) = (snapshot.platform, snapshot.now)
    let plannable = platform.plannable(at: now, withSleeping: snapshot.settings.usesSleepingHosts)
    var lengths = [Seconds](repeating: 0, count: platform.resources.count)
    for place in plannable { lengths[place] = .max }
    for (until, places) in platform.departures {
      for place in places { lengths[place] = min(lengths[place], max(0, until - now)) }
    }
    for holder in holders {
      for id in holder.resources {
        if let place = platform.place(of: id) { lengths[place] = 0 }
      }
    }
    let left = withReservations ? [] : Set(promised.map { snapshot.waiting[$0].id })
    for index in placements.indices where left.isEmpty || !left.contains(placements[index].job) {
      let length = max(0, placements[index].start - now)
      for place in placements[index].places { lengths[place] = min(lengths[place], length) }
    }
    if withReservations {
      for index in promised { shorten(&lengths, bySilent: index) }
    }
    return lengths
  }

  /// A reservation whose time has come keeps its resources although the plan has no placement of it, while
  /// it waits for those that were lost.
  private func shorten(_ lengths: inout [Seconds], bySilent index: Int) {
    let job = snapshot.waiting[index]
    guard let reservation = job.reservation, let promise = reservation.promised,
      reservation.start <= snapshot.now, job.moldables.indices.contains(promise.moldable)
    else { return }
    let walltime = job.moldables[promise.moldable].walltime
    guard (1...Candidate.longestWalltime).contains(walltime),
      snapshot.now < reservation.start.addingCapped(walltime)
    else { return }
    for place in snapshot.platform.places(of: promise.resources) { lengths[place] = 0 }
  }

  /// From now on, when somebody begins or ends: what is open changes nowhere else.
  fileprivate var events: [Seconds] {
    let security = max(0, snapshot.settings.jobSecurityTime)
    var instants = snapshot.platform.departures.map(\.until)
    for holder in snapshot.holding {
      let end = holder.end(security: security, now: snapshot.now)
      instants += [end, end - security]
    }
    for placement in placements {
      instants += [placement.start, placement.end, placement.end - security]
    }
    return instants.map { max(0, $0 - snapshot.now) } + [.max]
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
