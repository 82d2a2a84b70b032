// What users read in OAR's message column (`jobs.message`) about a job that waits, in the words that they know
// from OAR 2's schedulers.

import ClusterModel
import Glibc
import Kamelot

/// Makes texts for the message column.
struct QueueMessage {
  /// The greatest length of the column.
  static let limit = 255

  private let share: FairShare?
  private let hasQuotas: Bool
  private let isFIFO: Bool

  init(settings: ServerSettings, usage: UsageSums) {
    let policy = settings.order.policy(usage: usage)
    if case .fairShare(let share) = policy { self.share = share } else { share = nil }
    isFIFO = policy.isFIFO
    hasQuotas = settings.quotas != nil
  }

  /// `R=2,W=0:20:0,J=B,N=name (Karma=0.000,quota_ok)`: what the job gets, as `oarsub` described it, and how
  /// it stands.
  func placed(_ job: Job, resources: Int, moldable: Int) -> String {
    let request = job.request
    let description = ClusterState.jobMessage(
      resources: resources, walltime: request.moldables[moldable].walltime, kind: request.kind,
      isReservation: false, name: request.name, queue: job.queue, project: request.project,
      types: Self.names(ofTypes: job.types))
    return String("\(description) (\(standing(of: job)))".prefix(Self.limit))
  }

  /// Why a job has no place in the plan.
  static func unplaced(because reason: Reason) -> String { String(reason.text.prefix(limit)) }

  /// OAR 2's sentence for a job that waits for one that there is not.
  static func dependency(on job: JobID) -> String {
    "Cannot determine scheduling time due to dependency with the job \(job)"
  }

  /// OAR 2's schedulers name the types without their values, each once.
  private static func names(ofTypes types: [String]) -> [String] {
    if types.isEmpty { return [] }
    return Set(types.map { String($0.prefix { $0 != "=" }) }).sorted()
  }

  private func standing(of job: Job) -> String {
    if let share {
      let karma = share.karma(user: job.request.user, project: job.request.project)
      return "Karma=\(Self.decimal(karma)),quota_ok"
    }
    return (isFIFO ? "FIFO" : "MULTIFACTOR") + (hasQuotas ? ",quota_ok" : "")
  }

  /// A number with three digits behind the point.
  private static func decimal(_ number: Double) -> String {
    let thousandths = Int((abs(min(max(number, -1e9), 1e9)) * 1000).rounded())
    let fraction = String(thousandths % 1000)
    let zeros = String(repeating: "0", count: 3 - fraction.count)
    return (number < 0 && thousandths > 0 ? "-" : "") + "\(thousandths / 1000).\(zeros)\(fraction)"
  }
}
