// Ids of our own jobs on a shared database: OAR 2's `oarsub` takes ids at the same time, so each comes from
// the database.

import ClusterModel
import RequestLanguage
import Storage
import Wire

extension ClusterState {
  /// The ids of the next job and its first moldable.
  mutating func takeIDs() -> ReservedIDs {
    defer { reservedIDs = nil }
    return reservedIDs ?? ReservedIDs(job: nextJob, moldable: nextMoldable)
  }
}

extension Controller {
  /// Jobs that are submitted again with ids of one call of the database.
  private static let owedAtOnce = 64

  /// Does something that makes new jobs, with ids for them in `state.reservedIDs`.
  ///
  /// - Parameters:
  ///   - whenFailed: called if the database gives no ids.
  func withIDs(
    jobs: Int, moldables: Int, whenFailed: @escaping (any Error) -> Void,
    _ body: @escaping () -> Void
  ) {
    guard withOAR2 != nil else { return body() }
    Task {
      do {
        let ids = try await storage.reserve(jobs: jobs, moldables: moldables)
        guard !isStopping else { return }
        state.reservedIDs = ReservedIDs(job: ids.job, moldable: ids.moldable)
        body()
        state.reservedIDs = nil
        scheduleWork()
      } catch {
        whenFailed(error)
      }
    }
  }

  /// Ends a job and submits it again as soon as the database has given ids for it.
  func owe(_ entry: OwedEnd) {
    guard let side = withOAR2, !side.owes(entry.owed.job.id) else { return }
    side.owed.append(entry)
    payOwed()
  }

  /// Does what waits for ids. A call that fails is made again by the clock.
  func payOwed() {
    guard let side = withOAR2, !side.isReserving, !side.owed.isEmpty else { return }
    let due = min(side.owed.count, Self.owedAtOnce)
    let moldables = side.owed.prefix(due).map { $0.owed.job.request.moldables.count }
    side.isReserving = true
    Task {
      do {
        let ids = try await storage.reserve(jobs: due, moldables: moldables.reduce(0, +))
        side.isReserving = false
        pay(due, from: ids.job, ids.moldable)
        payOwed()
      } catch {
        side.isReserving = false
        log.say("the database gives no ids for jobs that are submitted again: \(error)")
      }
    }
  }

  private func pay(_ count: Int, from job: JobID, _ moldable: MoldableID) {
    guard let side = withOAR2 else { return }
    let due = side.owed.prefix(count)
    side.owed.removeFirst(count)
    var outcome = Outcome()
    var next = ReservedIDs(job: job, moldable: moldable)
    for entry in due {
      // Meanwhile somebody may have forced its end.
      guard state.jobs[entry.owed.job.id] != nil else { continue }
      state.reservedIDs = next
      repeatJob(entry.owed, at: Self.now, &outcome)
      entry.end(&outcome)
      next.job += 1
      next.moldable += entry.owed.job.request.moldables.count
    }
    commit(outcome)
  }
}

/// A job that is to be submitted again.
struct OwedJob {
  var job: Job
  var reason: String
  /// How often it was submitted again because of its hosts, this time included; 0 for other reasons.
  var tries: Int
}

/// The end of a job that is submitted again with it.
struct OwedEnd {
  var owed: OwedJob
  var end: (inout Outcome) -> Void
}
