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
  /// Jobs that the server may submit again at once; ids that are not used are gaps that users see.
  private static let spares = 1
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

  /// Takes ids for a job that the server submits again; without any, the job is owed.
  func takeSpareIDs(for job: Job, _ reason: String) -> Bool {
    guard let side = withOAR2 else { return true }
    if side.spareIDs.isEmpty {
      side.owed.append((job, reason))
    } else {
      state.reservedIDs = side.spareIDs.removeFirst()
    }
    reserveSpareIDs()
    return state.reservedIDs != nil
  }

  /// Sees to it that there are ids for jobs that the server submits again.
  func reserveSpareIDs() {
    guard let side = withOAR2, !side.isReserving else { return }
    let missing = Self.spares + min(side.owed.count, Self.owedAtOnce) - side.spareIDs.count
    guard missing > 0 else { return }
    side.isReserving = true
    Task {
      defer { side.isReserving = false }
      do {
        let each = SubmissionLimits.moldables
        let ids = try await storage.reserve(jobs: missing, moldables: missing * each)
        for index in 0..<missing {
          side.spareIDs.append(
            ReservedIDs(job: ids.job + index, moldable: ids.moldable + index * each))
        }
        payOwed(at: Self.now)
      } catch {
        log.say("the database gives no ids for jobs that are submitted again: \(error)")
      }
    }
  }

  /// Submits again what had no id when it was due.
  func payOwed(at now: Instant) {
    guard let side = withOAR2, !side.owed.isEmpty else { return }
    let due = side.owed.prefix(side.spareIDs.count)
    side.owed.removeFirst(due.count)
    var outcome = Outcome()
    for (job, reason) in due { _ = resubmit(job, reason, at: now, &outcome) }
    if !outcome.changes.isEmpty { commit(outcome) }
    reserveSpareIDs()
  }
}
