// What users and projects had, for orders that depend on it: worked out at the start and again every few
// minutes, by the way of a whole pass.

import ClusterModel
import Kamelot
import Storage

extension ClusterState {
  /// Takes over what was used in a window that ends now: by jobs that ended, and by those that hold
  /// resources. Besteffort jobs only take what is left; that is nobody's share.
  mutating func count(_ past: [PastUse], from begin: Instant, at now: Instant) {
    var sums = UsageSums()
    for use in past where use.queue != "besteffort" {
      sums.add(user: use.user, project: use.project, used: use.used, asked: use.asked)
    }
    for id in holding {
      guard let job = jobs[id], job.queue != "besteffort" else { continue }
      let start = max(job.startTime, begin)
      let size = job.assignedResources.count
      sums.add(
        user: job.request.user, project: job.request.project, used: size * max(0, now - start),
        asked: size * max(0, min(now, job.startTime + job.walltime) - start))
    }
    usage = sums
  }
}

extension Controller {
  /// Seconds for which sums of use are good enough.
  static let usageLifetime: Seconds = 300

  /// Asks the store for what was used, and takes it over.
  func loadUsage(at now: Instant) async throws {
    usageDate = now
    let begin = now - settings.order.fairShare.window
    let past = try await storage.pastUse(from: begin, to: now)
    state.count(past, from: begin, at: now)
  }

  /// Looks again at what was used if that was long ago. A store that fails leaves things as they are.
  func refreshUsage(at now: Instant) {
    guard settings.order.needsUsage, now - usageDate >= Self.usageLifetime else { return }
    usageDate = now
    Task {
      do { try await loadUsage(at: now) } catch {
        guard !isStopping else { return }
        log.say("cannot read what was used, priorities stay as they are: \(error)")
      }
    }
  }
}
