// The state of a cluster for whoever looks at a database once and opens no store on it.

import Storage

/// Reads what a server would have in memory. Writes nothing, whatever the database holds.
package func readCluster(over connection: Connection) throws -> StoredCluster {
  try connection.snapshot {
    try ClusterLoader(connection: connection).load(PendingArrays(connection: connection))
  }
}
