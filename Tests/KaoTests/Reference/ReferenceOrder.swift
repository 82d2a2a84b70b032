// In which order the reference planner takes jobs: the formulas of fair shares and weighted sums once
// more, with nothing remembered.

import ClusterModel
import Kamelot

/// The priorities of waiting jobs.
struct ReferenceOrder {
  let snapshot: Snapshot
  let requests: ReferenceRequests

  /// Jobs of one group of queues in the order in which they are planned; `beyond` are those of users who
  /// have enough jobs ahead of them.
  func sorted(_ jobs: [WaitingJob]) -> (order: [WaitingJob], beyond: [WaitingJob]) {
    var within = jobs
    var beyond: [WaitingJob] = []
    if case .fairShare(let share) = snapshot.order, share.settings.jobsPerUser > 0 {
      let limit = share.settings.jobsPerUser
      func isBeyond(_ place: Int) -> Bool {
        jobs[..<place].count { $0.user == jobs[place].user } >= limit
      }
      within = jobs.indices.filter { !isBeyond($0) }.map { jobs[$0] }
      beyond = jobs.indices.filter { isBeyond($0) }.map { jobs[$0] }
    }
    let totals = within.map(total)
    let order = within.indices.sorted { (-totals[$0], $0) < (-totals[$1], $1) }
    return (order.map { within[$0] }, beyond)
  }

  /// The greatest comes first; 0 for all if they are taken as they came.
  func total(of job: WaitingJob) -> Double {
    switch snapshot.order {
    case .fifo: return 0
    case .fairShare(let share): return -karma(of: job, share)
    case .multifactor(let settings):
      let factors: [(Multifactor.Factor, Double)] = [
        (.age, age(of: job, settings)),
        (.queue, settings.queueCoefficients[job.queue] ?? 0),
        (.work, work(of: job, settings)),
        (.size, share(of: job, settings)),
        (.karma, generosity(to: karma(of: job, settings.fairShare))),
        (.qos, settings.qos[job.id] ?? 0),
        (.nice, settings.nice[job.id] ?? 0),
      ]
      return factors.reduce(0) { $0 + $1.1 * (settings.weights[$1.0] ?? 0) }
    }
  }

  /// 1 for who had their due; below half of that the tangent goes on.
  private func generosity(to karma: Double) -> Double {
    karma < -0.5 ? 2 - 4 * (karma + 0.5) : 1 / (1 + karma)
  }

  private func karma(of job: WaitingJob, _ share: FairShare) -> Double {
    if let known = share.known {
      return (known.users[job.user] ?? 0) + (known.projects[job.project] ?? 0)
    }
    let settings = share.settings
    let usage = share.usage
    let used = Double(max(1, usage.used))
    let asked = Double(max(1, usage.asked))
    let project = Double(usage.usedByProject[job.project] ?? 0) / used
    let user = Double(usage.usedByUser[job.user] ?? 0) / used
    let wish = Double(usage.askedByUser[job.user] ?? 0) / asked
    let projectTarget = target(of: job.project, settings.projectTargets)
    let userTarget = target(of: job.user, settings.userTargets)
    return settings.coefficients.projectUsed * (project - projectTarget)
      + settings.coefficients.userUsed * (user - userTarget)
      + settings.coefficients.userAsked * (wish - userTarget)
  }

  private func target(of name: String, _ targets: [String: Double]) -> Double {
    (targets[name] ?? targets["default"] ?? 0) / 100
  }

  private func age(of job: WaitingJob, _ settings: Multifactor) -> Double {
    min(1, Double(max(0, snapshot.now - job.submissionTime)) * settings.agePerSecond)
  }

  private func work(of job: WaitingJob, _ settings: Multifactor) -> Double {
    guard let (resources, walltime) = size(of: job) else { return 0 }
    let inverse = 1 / Double(max(1, resources * walltime))
    return settings.workPreference == .big ? 1 - inverse : inverse
  }

  private func share(of job: WaitingJob, _ settings: Multifactor) -> Double {
    let all = requests.resources.count { $0.state != .dead }
    guard let (resources, _) = size(of: job), all > 0 else { return 0 }
    let part = min(1, Double(resources) / Double(all))
    return settings.sizePreference == .big ? part : 1 - part
  }

  /// What the first moldable that could ever run takes of the empty cluster.
  private func size(of job: WaitingJob) -> (resources: Int, walltime: Seconds)? {
    let whole = Set(requests.resources.filter { $0.state != .dead }.map(\.id))
    for moldable in job.moldables {
      guard let groups = requests.order(of: moldable, for: job, .anywhere),
        let picked = requests.pick(groups, for: job, .anywhere, from: whole)
      else { continue }
      return (picked.count, moldable.walltime)
    }
    return nil
  }
}
