// Advance reservations, for the reference planner: promises are kept before any job is placed, new
// ones are judged after the jobs of their queues.

import ClusterModel
import Kamelot

extension ReferencePlanner {
  /// Gives an accepted reservation its resources; at its time it starts on those that are usable.
  mutating func keepPromise(to job: WaitingJob) {
    guard let reservation = job.reservation, let promise = reservation.promised,
      let traits = try? ReferenceTraits(job)
    else { return }
    plan.order.append(job.id)
    let end = reservation.start + job.moldables[promise.moldable].walltime + security
    let usable = Set(requests.resources.filter { $0.serves(traits, at: now) }.map(\.id))
    let rest = Set(promise.resources).intersection(usable)
    let isComplete = rest.count == promise.resources.count
    var spot = ReferenceSpot(
      moldable: promise.moldable, start: max(reservation.start, now), end: end,
      resources: Set(promise.resources))
    if spot.start > now {
      if agree(job, spot, orOn: rest) {
        plan.predictions.append(placement(of: job, spot))
        plan.reasons[job.id] = Reason(.resources, "It was promised to start later.")
        dismiss(victims(of: traits, spot))
        take(spot, for: job, traits, isRunning: false)
      }
    } else if isComplete || now >= reservation.start + snapshot.settings.reservationPatience,
      !rest.isEmpty
    {
      spot.resources = rest
      settle(job, traits, spot, mayDiffer: false)
    } else {
      plan.reasons[job.id] = Reason(.resources, "Some of its resources are lost.")
      compareStart(job, isStart: false, waitsForWaking: false)
      take(spot, for: job, traits, isRunning: false)
    }
  }

  /// Accepts a new reservation if its exact window is free for its first moldable.
  mutating func judge(_ job: WaitingJob) {
    plan.order.append(job.id)
    guard problem == nil, let reservation = job.reservation, let moldable = job.moldables.first,
      let traits = try? ReferenceTraits(job),
      let groups = requests.order(of: moldable, for: job, traits)
    else { return refuse(job, Reason(.impossible, "It can't be reserved.")) }
    guard reservation.start + moldable.walltime > now else {
      return refuse(job, Reason(.impossible, "Its time is over."))
    }
    let start = max(reservation.start, now)
    let end = start + moldable.walltime + security
    let free = free(for: traits, from: start, to: end)
    guard let picked = requests.pick(groups, for: job, traits, from: free) else {
      return refuse(job, Reason(.impossible, "Its time is taken."))
    }
    let spot = ReferenceSpot(moldable: 0, start: start, end: end, resources: picked)
    guard keepsQuotas(job, spot) else {
      return refuse(job, Reason(.quota, "A quota forbids it."))
    }
    accept(job, traits, spot)
    for dependent in takeDependents(of: job.id) { reach(dependent) }
  }

  /// A reservation that is accepted for now may start in this pass or in the next.
  private mutating func accept(
    _ job: WaitingJob, _ traits: ReferenceTraits, _ best: ReferenceSpot
  ) {
    var spot = best
    let rivals = victims(of: traits, best)
    if !rivals.isEmpty {
      let chosen = guide?.placement(of: job.id).map { Set($0.resources) } ?? best.resources
      if chosen != best.resources { spot.resources = sparing(job, traits, best) }
      if !keepsQuotas(job, spot) { spot = best }
    }
    guard agree(job, spot) else { return }
    let victims = victims(of: traits, spot)
    if spot.start > now {
      dismiss(victims)
    } else {
      optionalVictims.formUnion(victims.map(\.id))
    }
    let starts = guide?.starts.contains { $0.job == job.id } ?? false
    if starts, spot.start > now || sleeps(spot.resources, for: traits) {
      problem = "reservation \(job.id) starts too early"
    }
    plan.predictions.append(placement(of: job, spot))
    plan.reasons[job.id] = Reason(.resources, "It is accepted.")
    take(spot, for: job, traits, isRunning: starts)
  }
}
