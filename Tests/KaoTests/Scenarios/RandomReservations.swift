// Random advance reservations: some were accepted before, some are new.

import ClusterModel
import Kamelot

extension ScenarioMaker {
  mutating func addReservations(to snapshot: inout Snapshot) {
    let newest = snapshot.waiting.count
    var new: Set<JobID> = []
    for id in newest + 1...newest + 2 {
      if draws(.reservations, 60), let job = promised(id, in: snapshot) {
        insert(job, into: &snapshot)
      } else if draws(.newReservations, 60) {
        new.insert(id)
        insert(newReservation(id), into: &snapshot)
      }
    }
    // Nobody depends on what is not accepted yet.
    for index in snapshot.waiting.indices {
      snapshot.waiting[index].dependencies.removeAll { dependency in
        if case .waiting(let other) = dependency { new.contains(other) } else { false }
      }
    }
  }

  private mutating func insert(_ job: WaitingJob, into snapshot: inout Snapshot) {
    snapshot.waiting.insert(job, at: number(0...snapshot.waiting.count))
  }

  private mutating func newReservation(_ id: JobID) -> WaitingJob {
    var job = job(id)
    job.types = []
    job.dependencies = []
    job.queue = one(of: ["default", "default", "admin"])
    job.reservation = Reservation(start: now + number(-80...250))
    return job
  }

  /// A reservation on resources that nobody else has then; some of them may be lost.
  private mutating func promised(_ id: JobID, in snapshot: Snapshot) -> WaitingJob? {
    let isContainer = draws(.containers, 40)
    let start = now + (chance(50) ? number(-60...0) : number(1...200))
    let walltime = number(61...150)
    let security = snapshot.settings.jobSecurityTime
    var free = snapshot.platform.resources.filter { resource in
      resource.bound(at: now) == nil && !resource.isStandby(at: now)
    }
    // A permissive job could take what the reservation lost.
    let losesNothing = isContainer || theme.contains(.permissive)
    if losesNothing { free.removeAll { $0.state != .alive } }
    var ids = Set(free.map(\.id))
    for job in snapshot.holding where !job.isBesteffort {
      if max(job.start + job.walltime + security, now + 1) > start { ids.subtract(job.resources) }
    }
    for job in snapshot.waiting { ids.subtract(job.reservation?.promised?.resources ?? []) }
    let choice = shuffled(ids.sorted()).prefix(number(1...4)).sorted()
    guard !choice.isEmpty else { return nil }
    var job = waiting(id, ("/core=\(choice.count)", walltime))
    job.queue = one(of: ["default", "admin"])
    if isContainer { job.types = [one(of: ["container", "container=c1"])] }
    job.reservation = Reservation(
      start: start, promised: .init(moldable: 0, resources: choice))
    return job
  }
}
