// What a new database of OAR's holds.

import ClusterModel
import Storage

/// Writes the rows that tables of OAR's are never without.
package func insertFirstRows(_ connection: Connection) throws {
  try connection.statement("INSERT INTO schema (version, name) VALUES (?, '')")
    .bind(oarSchemaVersion).run()
  try connection.execute("INSERT INTO gantt_jobs_predictions VALUES (0, 0)")
  try connection.execute("INSERT INTO gantt_jobs_predictions_visu VALUES (0, 0)")
  let resources = ResourceChanges(connection: connection)
  for queue in Queue.standard { try resources.setQueue(queue) }
}

/// Writes down what our own tables look like.
package func writeLayout(_ connection: Connection) throws {
  try connection.statement(
    """
    INSERT INTO liburna_facts (name, value) VALUES ('layout', ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
    """
  ).bind(String(liburnaLayout)).run()
}
