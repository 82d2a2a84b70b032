// The store as one that others write as well.

import ClusterModel
import Storage

extension DatabaseStorage: SharedStorage {
  public func loadWithPlan() throws -> (cluster: StoredCluster, plan: StoredPlan) {
    try withDatabase { try $0.loadWithPlan() }
  }

  public func plan() throws -> StoredPlan { try withDatabase { try $0.storedPlan() } }

  public func news(after mark: NewsMark) throws -> News {
    try withDatabase { try ForeignReader(connection: $0.connection).news(after: mark) }
  }

  public func foreignChanges() throws -> AsyncStream<ForeignChange>? {
    try withDatabase { $0.connection.foreignChanges() }
  }

  public func liveJobs() throws -> [JobID] {
    try withDatabase { try ForeignReader(connection: $0.connection).liveJobs() }
  }

  public func currentResources() throws -> (
    resources: [Resource], properties: [PropertyDefinition]
  ) {
    try withDatabase { database in
      try database.connection.snapshot {
        var cluster = StoredCluster()
        try ClusterLoader(connection: database.connection).loadResources(into: &cluster)
        return (cluster.resources, cluster.properties)
      }
    }
  }

  public func secrets(of job: JobID) throws -> JobSecrets? {
    try withDatabase { try ForeignReader(connection: $0.connection).secrets(of: job) }
  }

  public func waitingClients() throws -> [JobID: String] {
    try withDatabase { try ForeignReader(connection: $0.connection).waitingClients() }
  }

  public func hasDeletionsForLeon() throws -> Bool {
    try withDatabase { try OAR2Rows(connection: $0.connection).hasDeletions() }
  }
}

extension DatabaseStorage: HostUseStorage {
  public func hostUse() throws -> HostUse {
    try withDatabase { try HostUseReader(connection: $0.connection).read() }
  }

  public func hosts(from begin: String, to end: String) throws -> Set<String> {
    try withDatabase { try EventLog(connection: $0.connection).hosts(from: begin, to: end) }
  }
}
