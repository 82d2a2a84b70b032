// The event log: what happened to jobs and hosts.

import ClusterModel
import Storage

/// Reads and writes `event_logs` with the hosts of each event.
struct EventLog {
  let connection: Connection

  /// Our server itself reacts to events, so none is left for others to check.
  ///
  /// - Parameter isToCheck: whether OAR 2's modules are to look at it.
  func insert(_ event: JobEvent, isToCheck: Bool = false) throws {
    let toCheck = isToCheck ? "YES" : "NO"
    if event.hosts.isEmpty {
      return try connection.statement(
        """
        INSERT INTO event_logs (type, job_id, date, description, to_check)
        VALUES (?, ?, ?, ?, ?)
        """
      ).bind(event.type).bind(event.job).bind(event.date).bind(shortened(event.text))
        .bind(toCheck).run()
    }
    let id = try connection.statement(
      """
      INSERT INTO event_logs (type, job_id, date, description, to_check)
      VALUES (?, ?, ?, ?, ?) RETURNING event_id
      """
    ).bind(event.type).bind(event.job).bind(event.date).bind(shortened(event.text))
      .bind(toCheck).onlyRow { $0.integer(0) }
    for host in event.hosts {
      try connection.statement(
        """
        INSERT INTO event_log_hostnames (event_id, hostname) VALUES (?, ?)
        ON CONFLICT (event_id, hostname) DO NOTHING
        """
      ).bind(id).bind(host).run()
    }
  }

  /// The events of a job, oldest first.
  func events(of job: JobID) throws -> [JobEvent] {
    let rows = try connection.statement(
      """
      SELECT event_id, type, job_id, date, description FROM event_logs
      WHERE job_id = ? ORDER BY event_id
      """
    ).bind(job).rows(event)
    return try rows.map(withHosts)
  }

  /// The last events of a host, oldest first.
  func events(of host: String, limit: Int) throws -> [JobEvent] {
    let rows = try connection.statement(
      """
      SELECT e.event_id, type, job_id, date, description
      FROM event_log_hostnames h JOIN event_logs e ON e.event_id = h.event_id
      WHERE h.hostname = ? ORDER BY h.event_id DESC LIMIT ?
      """
    ).bind(host).bind(max(0, limit)).rows(event)
    return try rows.reversed().map(withHosts)
  }

  func event(_ row: Statement) -> (id: Int, event: JobEvent) {
    let event = JobEvent(row.text(1), job: row.integer(2), at: row.integer(3), row.text(4))
    return (row.integer(0), event)
  }

  func withHosts(_ row: (id: Int, event: JobEvent)) throws -> JobEvent {
    var event = row.event
    event.hosts = try connection.statement(
      "SELECT hostname FROM event_log_hostnames WHERE event_id = ? ORDER BY hostname"
    ).bind(row.id).rows { $0.text(0) }
    return event
  }
}
