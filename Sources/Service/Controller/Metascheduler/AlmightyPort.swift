// Words to OAR 2's server on SERVER_PORT: one connection a word, no answer.

import ClusterModel
import Glibc

/// Where OAR 2's Almighty listens.
struct AlmightyPort: Sendable {
  let host: String
  let port: Int

  /// What a metascheduler says to Almighty.
  enum Word {
    /// The job has its resources: start it.
    case run(JobID)
    /// States of jobs have to be looked at.
    case checkStates
    /// A pass is wanted.
    case schedule

    var text: String {
      switch self {
      case .run(let job): "OARRUNJOB_\(job)"
      case .checkStates: "ChState"
      case .schedule: "Scheduling"
      }
    }
  }

  /// Sends words; whether all of them arrived. Blocks for a few seconds at most.
  func send(_ words: [Word]) -> Bool {
    guard !words.isEmpty else { return true }
    guard let client = WaitingClient(info: "\(host):\(port)") else { return false }
    let delivery = ClientDelivery(client: client, words: words.map { .text($0.text) })
    return ClientWords.send([delivery]) == [true]
  }
}
