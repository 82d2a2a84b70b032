// The database of the OAR 2 server that `oar.conf` names.

import ClusterModel
import PostgreSQLStorage
import Storage

/// Opens it as one that others write too, for the one metascheduler that it has.
///
/// - Throws: `StorageError` if it can't be reached, is none of OAR's or has a metascheduler at work.
func openOAR2Storage(_ configuration: Configuration) async throws -> any OAR2Storage {
  let storage = try await DatabaseChoice(configuration).open(.shared, lock: .metascheduler)
  guard let storage = storage as? any OAR2Storage else {
    throw StorageError.unusable("DB_TYPE in oar.conf names no database that OAR 2 works on")
  }
  return storage
}
