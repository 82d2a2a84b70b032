// Who has which hosts: a few questions that cost as much as there are jobs on hosts or in the plan.

import ClusterModel
import Storage

/// Reads ``HostUse``.
struct HostUseReader {
  let connection: Connection

  /// States in which processes of a job may be on its hosts, or soon will.
  private static let holding = JobState.allCases.filter {
    $0.holdsResources || $0 == .toError
  }

  func read() throws -> HostUse {
    try connection.snapshot {
      var use = HostUse()
      try connection.statement(
        """
        SELECT network_address, min(CASE WHEN state = 'Alive' THEN 1 ELSE 0 END) FROM resources
        WHERE network_address <> '' GROUP BY network_address
        """
      ).forEachRow { use.hosts[$0.text(0)] = $0.integer(1) == 1 }
      let states = Self.holding.map { literal($0.rawValue) }.joined(separator: ", ")
      try connection.statement("jobs on hosts", "jobs") {
        """
        SELECT DISTINCT j.job_id, r.network_address FROM jobs j
        JOIN assigned_resources a ON a.moldable_job_id = j.assigned_moldable_job
        JOIN resources r ON r.resource_id = a.resource_id
        WHERE j.state IN (\(states)) AND r.network_address <> ''
        """
      }.forEachRow { use.jobs[$0.integer(0), default: []].insert($0.text(1)) }
      // The copies for readers: the plan itself is written anew in several steps by some metaschedulers.
      try connection.statement(
        """
        SELECT r.network_address, min(p.start_time) FROM gantt_jobs_predictions_visu p
        JOIN moldable_job_descriptions m ON m.moldable_id = p.moldable_job_id
        JOIN jobs j ON j.job_id = m.moldable_job_id
        JOIN gantt_jobs_resources_visu g ON g.moldable_job_id = p.moldable_job_id
        JOIN resources r ON r.resource_id = g.resource_id
        WHERE j.state IN ('Waiting', 'toAckReservation') AND r.network_address <> ''
        GROUP BY r.network_address
        """
      ).forEachRow { use.starts[$0.text(0)] = $0.integer(1) }
      return use
    }
  }
}

extension EventLog {
  /// The hosts that one type of events marks until one of another type.
  func hosts(from begin: String, to end: String) throws -> Set<String> {
    var hosts: Set<String> = []
    try connection.statement(
      """
      SELECT h.hostname, e.type FROM event_logs e
      JOIN event_log_hostnames h ON h.event_id = e.event_id
      WHERE e.type IN (?, ?) ORDER BY e.event_id
      """
    ).bind(begin).bind(end).forEachRow { row in
      if row.text(1) == begin { hosts.insert(row.text(0)) } else { hosts.remove(row.text(0)) }
    }
    return hosts
  }
}
