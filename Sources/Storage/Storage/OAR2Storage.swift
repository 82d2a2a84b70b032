// What the metascheduler asks of the database of a running OAR 2 server, besides what every server asks.

import ClusterModel

/// A store that OAR 2's own programs read and write at the same time.
public protocol OAR2Storage: Storage {
  /// What `jobs.info_type` says of jobs whose `oarsub` may wait for a word: those that are interactive or
  /// reservations, and wait, are acknowledged or are to become an error.
  func waitingClients() async throws -> [JobID: String]

  /// Whether the end of a job was asked for and Leon has not seen to it.
  func hasDeletionsForLeon() async throws -> Bool
}
